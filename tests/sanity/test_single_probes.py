"""Single probes on small files: a fault and its healthy twin each, without the rest of the check-up."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.bench import Bench, Clock  # noqa: E402
from nndoctor.sanity.probes import (  # noqa: E402
    dependence,
    endless,
    heldout,
    modes,
    neighbours,
    pairs,
    parameters,
    shapes,
    tiny,
)
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.state import Snapshot  # noqa: E402

CODES = """
class Vae(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Linear(8, 8); self.d = nn.Linear(4, 8)
    def forward(self, v):
        mu, lv = self.e(v).chunk(2, 1)
        return self.d(mu + torch.randn_like(mu) * (lv / 2).exp()), mu, lv
model = Vae(); optimizer = torch.optim.Adam(model.parameters(), 3e-3); validation_data = None
def step(model, batch):
    r, mu, lv = model(batch[0])
    kl = -0.5 * (1 + lv - mu**2 - lv.exp()).sum(1).mean()
    return RECONSTRUCTION + WEIGHT * kl
"""
VIEWS = """
class Encoder(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 6)
    def forward(self, v): return nn.functional.normalize(self.f(v), dim=DIMENSION)
model = Encoder(); optimizer = torch.optim.Adam(model.parameters(), 3e-3); validation_data = None
def step(model, batch):
    v = batch[0]; n = len(v)
    z = torch.cat([model(v), model(v + 0.1 * torch.randn_like(v))]); s = z @ z.T / 0.5
    mask, places = torch.eye(2 * n, dtype=torch.bool), torch.arange(2 * n)
    return nn.functional.cross_entropy(LOGITS)
"""
OTHER_VIEW = VIEWS.replace("LOGITS", "s.masked_fill(mask, -1e9), places.roll(n)")
MAPS = """
x = torch.randn(32, 1, 4, 4); m = (x > 0).float()
model = nn.Conv2d(1, 1, 3, padding=1); loss = nn.MSELoss(); validation_data = None
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
train_data = DataLoader(TensorDataset(x, TARGET), batch_size=8)
"""
ADAPTED = """
class Adapted(nn.Module):
    def __init__(self):
        super().__init__(); self.base = nn.Linear(8, 3); self.norm = nn.LayerNorm(8)
        self.lora_A, self.lora_B = nn.Linear(8, 2, bias=False), nn.Linear(2, 3, bias=False)
    def forward(self, v): v = self.norm(v); return self.base(v) + self.lora_B(self.lora_A(v))
model = Adapted()
for n, p in model.named_parameters(): p.requires_grad_(n.startswith(("norm", TRAINED)))
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-3)
"""
CLUSTERS = """
c = torch.arange(240) % 3
x = torch.randn(3, 24)[c] * 2 + 0.5 * torch.randn(240, 24)
train_data = DataLoader(TensorDataset(x, LABELS), batch_size=20, shuffle=True); validation_data = None
model = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 3)); optimizer = torch.optim.Adam(model.parameters(), 2e-2)
"""


def untold(bench):
    """Neighbours tell nothing of the labels, as of shuffled ones; with so few examples chance may tell a little."""
    bench.fact("label_signal", 0.0)


def codes(weight: float, reconstruction: str = "((r - batch[0]) ** 2).sum(1).mean()") -> str:
    """The file of an autoencoder with codes drawn from a Gaussian."""
    return CODES.replace("WEIGHT", str(weight)).replace("RECONSTRUCTION", reconstruction)


def test_a_divergence_of_the_wrong_sign_is_seen(probed):
    """The loss falls with the square of the codes' means."""
    assert probed(codes(-1.0), endless.probe)["endless_output"] == 1


def test_a_divergence_of_the_right_sign_has_a_lowest_value(probed):
    """The healthy twin."""
    assert "endless_output" not in probed(codes(1.0), endless.probe)


def test_a_term_that_outweighs_the_reconstruction_is_seen(probed, monkeypatch):
    """The loss falls while the output stays the same for every example."""
    monkeypatch.setattr(tiny, "FACTORS", (10.0,))
    monkeypatch.setattr(tiny, "ADAMS", ())
    facts = probed(codes(50.0, "((r - batch[0]) ** 2).mean()"), tiny.probe)
    assert facts["tiny_outputs_constant"] is True


def test_outputs_that_follow_their_inputs_are_not_called_constant(probed):
    """The healthy twin, with little weight on the codes."""
    facts = probed(codes(0.01) + "optimizer = torch.optim.Adam(model.parameters(), 3e-2)", tiny.probe)
    assert facts["output_meets_target"] is True
    assert facts["tiny_passed"] == 1


def test_embeddings_that_are_their_own_positives_are_seen(probed):
    """The targets are the diagonal of the similarities."""
    change = VIEWS.replace("LOGITS", "s, places").replace("DIMENSION", "1")
    assert probed(change, pairs.probe)["own_positives"] == 40


def test_the_other_view_as_the_positive_is_not(probed):
    """The healthy twin."""
    assert "own_positives" not in probed(OTHER_VIEW.replace("DIMENSION", "1"), pairs.probe)


def test_embeddings_normalized_over_the_batch_leak_within_a_step(probed):
    """Each embedding then depends on all others."""
    assert probed(OTHER_VIEW.replace("DIMENSION", "0"), dependence.leak)["leak_change"] > 1e-2


def test_embeddings_normalized_by_example_do_not(probed):
    """The healthy twin."""
    assert probed(OTHER_VIEW.replace("DIMENSION", "1"), dependence.leak)["leak_change"] < 1e-5


def test_maps_without_their_channel_broadcast_in_a_loss(probed):
    """(8, 1, 4, 4) against (8, 4, 4)."""
    facts = probed(MAPS.replace("TARGET", "m[:, 0]"), shapes.probe)
    assert facts["broadcast_to"] == "(8, 8, 4, 4)"


def test_maps_with_their_channel_do_not(probed):
    """The healthy twin."""
    assert "broadcast_to" not in probed(MAPS.replace("TARGET", "m"), shapes.probe)


def test_adapters_that_are_all_frozen_are_seen(probed):
    """Only the normalization trains."""
    facts = probed(ADAPTED.replace("TRAINED", "'norm'"), parameters.probe)
    assert facts["frozen_adapters"] == ("lora_A.weight", "lora_B.weight")


def test_adapters_that_train_are_not(probed):
    """The healthy twin."""
    assert "frozen_adapters" not in probed(ADAPTED.replace("TRAINED", "'lora_'"), parameters.probe)


def test_labels_that_are_only_memorized_are_seen(probed):
    """Shuffled labels of inputs in clusters: learned on one part, told by chance on the other."""
    facts = probed(CLUSTERS.replace("LABELS", "c[torch.randperm(240)]"), untold, heldout.probe)
    assert facts["inputs_structured"] is True
    assert facts["heldout_score"] < 1.5
    assert facts["heldout_own_score"] > 5


def test_labels_that_neighbours_tell_need_no_training(probed):
    """The healthy twin."""
    assert "heldout_score" not in probed(CLUSTERS.replace("LABELS", "c"), neighbours.probe, heldout.probe)


RING = """
torch.manual_seed(1); turn = torch.rand(400) * 6.28; c = (turn > 3.14).long()
x = torch.stack([turn.cos(), turn.sin()], 1)
train_data = DataLoader(TensorDataset(x, LABELS), batch_size=20, shuffle=True); validation_data = None
model = nn.Linear(2, 2); optimizer = torch.optim.Adam(model.parameters(), 1e-3)
"""


@pytest.mark.parametrize(
    ("labels", "line", "untold"),
    [
        ("c", "", False),
        ("c[torch.randperm(400)]", "", True),
        ("c", "x.copy_(torch.rand(400, 2))", False),
        (
            "c",
            "x = torch.arange(400.0)[:, None]; c.copy_(torch.arange(400) % 2)\ntrain_data = DataLoader(TensorDataset(x, c), batch_size=20); model = nn.Linear(1, 2); optimizer = torch.optim.Adam(model.parameters())",
            True,
        ),
    ],
    ids=["theirs", "shuffled", "stand-ins", "odd and even"],
)
def test_neighbours_among_few_numbers_tell_labels(probed, labels, line, untold):
    """Of two numbers every label has near neighbours; stand-ins need not tell any."""
    facts = probed(RING.replace("LABELS", labels) + line, neighbours.probe)
    assert ("label_features" in facts and facts["label_signal"] < 0.2) is untold


def test_independent_features_are_no_structure(probed):
    """Numbers drawn as stand-ins: labels need not follow from them."""
    change = CLUSTERS.replace("LABELS", "c[torch.randperm(240)]") + "x.copy_(torch.randn(240, 24))"
    assert probed(change, untold, heldout.probe)["inputs_structured"] is False


def test_a_slow_model_learns_a_tiny_subset_of_one_seed(written):
    """A budget of 240 steps is one seed of two hundred, rather than three of forty."""
    subject = from_file(written())
    bench = Bench(subject, Clock(48.0), 3, Snapshot(subject.model), step_time=0.1)
    assert tiny._plan(bench) == (200, 1)


DROPPED = """
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
def train_step(model, batch, optimizer):
    MODE; l = loss(model(batch[0]), batch[1]); optimizer.zero_grad(); l.backward(); optimizer.step(); return l
"""


def test_a_step_in_evaluation_mode_is_seen(probed):
    """Its dropout never drops anything."""
    assert probed(DROPPED.replace("MODE", "model.eval()"), modes.probe)["trains_in_evaluation"] == ("2",)


def test_a_step_in_training_mode_is_not(probed):
    """The healthy twin."""
    assert "trains_in_evaluation" not in probed(DROPPED.replace("MODE", "model.train()"), modes.probe)


LOANS = """
class Loans(nn.Module):
    def __init__(self):
        super().__init__(); self.e, self.bn, self.f = nn.Embedding(5, 4), nn.BatchNorm1d(3), nn.Linear(7, 1)
    def forward(self, kinds, numbers):
        e = self.e(kinds)
        return self.f(torch.cat([e, NUMBERS], 1))[:, 0]
numbers = 1000 * torch.rand(240, 3); kinds = torch.arange(240) % 5; y = (numbers[:, 0] > 500).float()
train_data = DataLoader(TensorDataset(kinds, numbers, y), batch_size=20); validation_data = None
model = Loans(); optimizer = torch.optim.Adam(model.parameters())
def step(model, batch): return nn.functional.binary_cross_entropy_with_logits(model(batch[0], batch[1]), batch[2])
"""


@pytest.mark.parametrize(("numbers", "raw"), [("numbers", True), ("self.bn(numbers)", False)])
def test_a_table_of_numbers_beside_categories(probed, numbers, raw):
    found = probed(LOANS.replace("NUMBERS", numbers), parameters.first_layer)
    assert found["first_layer_normalizes"] is not raw
    assert (found.get("first_layer_rms", 0.0) > 100.0) is raw
