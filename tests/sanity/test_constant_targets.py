"""Targets that are one number in every example."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import constant_targets  # noqa: E402

NOISE = """
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)); del loss; optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    noise = torch.randn_like(batch[0])
    return nn.functional.mse_loss(model(batch[0] + noise), TARGET)
"""
RESIDUAL = """
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1)); del loss; optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    residual = model(batch[0]) - batch[0].sum(1, keepdim=True)
    return nn.functional.mse_loss(residual, torch.zeros_like(residual))
"""


def test_outputs_compared_with_zeros(probed):
    facts = probed(NOISE.replace("TARGET", "torch.zeros_like(noise)"), constant_targets.probe)
    assert facts["constant_target"] == 0


@pytest.mark.parametrize(
    "change", [NOISE.replace("TARGET", "noise"), RESIDUAL, ""], ids=["noise", "residual", "classes"]
)
def test_other_targets(probed, change):
    assert "constant_target" not in probed(change, constant_targets.probe)


LABELLED = """
class Ends(nn.Module):
    def __init__(self): super().__init__(); self.a, self.b = nn.Linear(8, 5), nn.Linear(8, 5)
    def forward(self, v): return self.a(v), self.b(v)
model = Ends(); del loss; optimizer = torch.optim.Adam(model.parameters())
first, last = torch.zeros(240, dtype=torch.long), torch.randint(0, 5, (240,))
train_data = DataLoader(TensorDataset(x, first, last), batch_size=20)
def step(model, batch):
    v, start, end = batch; a, b = model(v)
    return nn.functional.cross_entropy(a, START) + nn.functional.cross_entropy(b, end)
"""


def test_one_of_two_labels_that_never_changes_is_seen(probed):
    assert probed(LABELLED.replace("START", "start"), constant_targets.probe)["single_class"] == 0


def test_the_place_of_a_positive_is_made_by_the_step(probed):
    change = LABELLED.replace("START", "torch.zeros(len(a), dtype=torch.long)").replace("first, last)", "last, last)")
    assert "single_class" not in probed(change, constant_targets.probe)


@pytest.mark.parametrize(
    ("targets", "same"), [("torch.tensor([2, 1]).repeat(240, 1)", 200), ("torch.randint(0, 3, (240, 2))", None)]
)
def test_one_sequence_for_all_examples(probed, targets, same):
    change = f"y = {targets}; train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20)"
    step = "\nmodel = nn.Sequential(nn.Linear(8, 6), nn.Unflatten(1, (3, 2))); optimizer = torch.optim.Adam(model.parameters())"
    assert probed(change + step, constant_targets.probe).get("same_targets") == same


EQUATION = """
del loss
model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)); optimizer = torch.optim.Adam(model.parameters())
train_data = DataLoader(TensorDataset(torch.rand(200, 1)), batch_size=20); validation_data = None
def step(model, batch):
    t = batch[0].clone().requires_grad_(); u = model(t)
    slope = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
    return ((slope + u) ** 2).mean() START
"""


@pytest.mark.parametrize(("start", "seen"), [("", True), ("+ ((model(torch.zeros(1, 1)) - 1) ** 2).sum()", None)])
def test_an_equation_that_zeros_solve(probed, start, seen):
    """Without initial values."""
    assert probed(EQUATION.replace("START", start), constant_targets.probe).get("zeros_have_no_loss") is seen
