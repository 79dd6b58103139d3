"""Losses of two views without labels, and labels that stand somewhere within the batch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import heldout, views  # noqa: E402

VIEWS = """
centre = 2 * torch.randn(240, 8)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 12)); del loss
optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader(TensorDataset(centre), batch_size=60)
def step(model, batch):
    one, two = (batch[0] + 0.3 * torch.randn(len(batch[0]), 8) for _ in range(2))
    a, b = model(one), model(OTHER)
    return nn.functional.mse_loss(a, b) + KEPT * sum(torch.relu(1 - z.std(0)).mean() for z in (a, b))
"""
SCORES = """
def step(model, batch):
    real, drawn = model(batch[0]), model(torch.randn(len(batch[0]), 8))
    return nn.functional.softplus(-real).mean() + nn.functional.softplus(drawn).mean()
"""
MODALITIES = """
kind = torch.arange(240) % 12
one = 2 * torch.randn(12, 8)[kind] + 0.3 * torch.randn(240, 8); two = (2 * torch.randn(12, 5)[kind])ORDER
class Both(nn.Module):
    def __init__(self): super().__init__(); self.f, self.g = (nn.Sequential(nn.Linear(n, 64), nn.ReLU(), nn.Linear(64, 16)) for n in (8, 5))
    def forward(self, left, right): return self.f(left) @ self.g(right).T / 4
model = Both(); del loss; optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader([dict(left=a, right=b) for a, b in zip(one, two)], batch_size=40)
def step(model, batch):
    scores = model(**batch)
    return nn.functional.cross_entropy(scores, torch.arange(len(scores)))
"""


def viewed(kept: str = "1", other: str = "two") -> str:
    return VIEWS.replace("KEPT", kept).replace("OTHER", other)


def test_views_of_one_example_come_to_be_preferred(probed):
    facts = probed(viewed(), views.probe)
    assert facts["views_alike"] is True
    assert facts["pairing_after"] > 0.25 * facts["pairing_before"]
    assert facts["spread_after"] > 0.5 * facts["spread_before"]


def test_embeddings_that_nothing_keeps_apart_collapse(examined):
    finding = next(f for f in examined(viewed(kept="0")).findings if f.name == "views-not-matched")
    assert "collapse" in finding.message


def test_views_of_different_examples_are_seen(examined):
    finding = next(
        f for f in examined(viewed(other="two[torch.randperm(len(two))]")).findings if f.name == "views-not-matched"
    )
    assert "different examples" in finding.message


def test_views_that_come_with_the_data_are_compared(probed):
    """The second view is the last tensor of the batch, where a target usually stands."""
    change = viewed(other="batch[1]").replace("TensorDataset(centre)", "TensorDataset(centre, centre + 0.1)")
    assert probed(change, views.probe)["views_alike"] is True


def test_inputs_that_the_loss_never_compares_are_no_views(probed):
    """A discriminator takes real and drawn inputs, and their order is nothing to it."""
    assert "view_steps" not in probed(viewed().partition("def step")[0] + SCORES, views.probe)


def test_a_batch_of_one_example_is_left_alone(probed):
    assert "view_steps" not in probed(viewed().replace("batch_size=60", "batch_size=1"), views.probe)


def test_pairs_of_two_modalities_that_belong_together(probed):
    assert "heldout_score" not in probed(MODALITIES.replace("ORDER", ""), heldout.probe)


def test_pairs_of_two_modalities_that_are_shuffled(probed):
    facts = probed(MODALITIES.replace("ORDER", "[torch.randperm(240)]"), heldout.probe)
    assert facts["heldout_part"] == "'right'"
    assert facts["heldout_score"] < 2
    assert facts["heldout_own_score"] > 5


SEVERAL = """
kind = torch.arange(240) % 12
given = 2 * torch.randn(12, 8)[kind] + 0.3 * torch.randn(240, 8)
first, second = (2 * torch.randn(12)[kind] for _ in range(2)); order = ORDER; first, second = first[order], second[order]
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2)); del loss; validation_data = None
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
train_data = DataLoader(TensorDataset(given, first, second), batch_size=40)
def step(model, batch):
    out = model(batch[0])
    return (out[:, 0] - batch[1]).square().mean() + (out[:, 1] - batch[2]).square().mean()
"""


def test_several_labels_that_belong_to_the_input(probed):
    assert "heldout_score" not in probed(SEVERAL.replace("ORDER", "torch.arange(240)"), heldout.probe)


def test_several_labels_that_are_shuffled_together(probed):
    """Each of them still belongs to the others."""
    facts = probed(SEVERAL.replace("ORDER", "torch.randperm(240)"), heldout.probe)
    assert facts["heldout_score"] < 2
    assert facts["heldout_own_score"] > 5


@pytest.mark.parametrize(
    ("drawn", "model", "seen"),
    [
        ("one", "nn.Sequential(nn.Linear(8, 12))", True),
        ("one + 0.1 * torch.randn_like(one)", "nn.Sequential(nn.Linear(8, 12))", False),
        ("one", "nn.Sequential(nn.Linear(8, 12), nn.Dropout(0.1))", False),
    ],
    ids=["one view", "two views", "dropout makes the views"],
)
def test_one_view_that_is_taken_twice(probed, drawn, model, seen):
    change = f"""
model = {model}; optimizer = torch.optim.Adam(model.parameters()); del loss
train_data = DataLoader(TensorDataset(x), batch_size=60); validation_data = None
def step(model, batch):
    one = batch[0] + 0.3 * torch.randn(len(batch[0]), 8)
    scores = model(one) @ model({drawn}).T
    return nn.functional.cross_entropy(scores, torch.arange(len(one)))
"""
    assert ("same_view_twice" in probed(change, views.probe)) is seen
