"""Output layers that are not trained, targets of a large scale, and data that give the answer away or hide it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.core.finding import Severity  # noqa: E402
from nndoctor.sanity.probes import data, dependence, output_layer, shapes, terms  # noqa: E402

HEAD_MISSED = "optimizer = torch.optim.Adam(model[0].parameters(), lr=3e-3)"
HEAD_FROZEN = (
    "model[2].requires_grad_(False)\noptimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad])"
)
PROBE_OF_TRUNK = "optimizer = torch.optim.Adam(model[2].parameters(), lr=3e-3)"
ADAPTER = """
model = nn.Sequential(nn.Linear(8, 1), nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.Adam(model[0].parameters(), lr=3e-3)
"""
TIED = """
class Tied(nn.Module):
    def __init__(self):
        super().__init__(); self.table = nn.Embedding(3, 8); self.body = nn.Linear(8, 8); self.head = nn.Linear(8, 3, bias=False)
        self.head.weight = self.table.weight.requires_grad_(False)
    def forward(self, v): return self.head(torch.relu(self.body(v)))
model = Tied(); optimizer = torch.optim.Adam(model.body.parameters(), lr=3e-3)
"""
NUMBERS = """
y = (x[:, :1] * SCALE + SHIFT)
train_data = DataLoader(TensorDataset(x, y), batch_size=20); validation_data = None
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1)); loss = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
"""
TWO_LOSSES = """
class Pair(nn.Module):
    def __init__(self): super().__init__(); self.a, self.b = nn.Linear(8, 1), nn.Linear(8, 1)
    def forward(self, v): return self.a(v)
model = Pair(); first, optimizer = torch.optim.Adam(model.a.parameters()), torch.optim.Adam(model.b.parameters())
def train_step(model, batch, optimizer):
    v = batch[0]; goal = v[:, :1] + GOAL
    la = nn.functional.mse_loss(model.a(v), goal); first.zero_grad(); la.backward(); first.step()
    lb = nn.functional.mse_loss(model.b(v), v[:, :1]); optimizer.zero_grad(); lb.backward(); optimizer.step()
    return la + lb
"""
WINDOWS = """
series = torch.randn(300); w = series.unfold(0, 12, 1); x, y = w[:, :8].clone(), w[:, BEGIN:BEGIN + 4].clone()
train_data = DataLoader(TensorDataset(x, y), batch_size=20); validation_data = None
model, loss = nn.Linear(8, 4), nn.MSELoss(); optimizer = torch.optim.Adam(model.parameters())
"""
TOKENS = """
class Words(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(30, 5)
    def forward(self, input_ids, attention_mask, labels):
        o = self.e(input_ids)
        return {"loss": nn.functional.cross_entropy(o.transpose(1, 2), labels), "logits": o}
ids = torch.randint(1, 30, (100, 8)); kept = (torch.arange(8) < 5).long().expand(100, 8); ids = ids * kept
t = (LABELS).masked_fill(kept == 0, -100)
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 100
    def __getitem__(self, i): return {"input_ids": ids[i], "attention_mask": (MASK)[i], "labels": t[i]}
model = Words(); optimizer = torch.optim.Adam(model.parameters()); del loss
train_data = DataLoader(Rows(), batch_size=20); validation_data = None
"""

TWO_OUTPUTS = """
class Both(nn.Module):
    def __init__(self): super().__init__(); self.p, self.v = nn.Linear(8, 3), nn.Linear(8, 1)
    def forward(self, v): s = self.p(v); return s.softmax(DIMENSION), self.v(v), s @ s.T
model = Both(); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
def step(model, batch):
    p, v, _ = model(batch[0]); return nn.functional.nll_loss(p.log(), batch[1]) + v.square().mean()
"""


@pytest.mark.parametrize(("dimension", "leaks"), [(0, True), (-1, False)])
def test_each_of_several_outputs_depends_on_its_own_example(probed, dimension, leaks):
    """A softmax over the batch mixes them; a matrix of all pairs is no example's own."""
    change = probed(TWO_OUTPUTS.replace("DIMENSION", str(dimension)), dependence.probe)["leak_change"]
    assert (change > 1e-3) == leaks


@pytest.mark.parametrize(("loss", "alike"), [("(o - t).abs().mean()", 3), ("((o - t) * LEVELS).abs().mean()", None)])
def test_outputs_that_a_loss_does_not_distinguish_are_seen(probed, loss, alike):
    """Several outputs against one number, where quantiles of it would have a level each."""
    change = "y = y[:, None].float(); train_data = DataLoader(TensorDataset(x, y), 20); validation_data = None\n"
    change += f"LEVELS = torch.tensor([0.1, 0.5, 0.9])\ndef loss(o, t): return {loss}"
    assert probed(change, shapes.probe).get("outputs_alike") == alike


@pytest.mark.parametrize("change", [HEAD_MISSED, HEAD_FROZEN])
def test_an_output_layer_that_is_not_trained_is_named(probed, change):
    """Whether the optimizer lacks it, or it is frozen."""
    assert probed(change, output_layer.probe)["output_layer_untrained"] == "2"


@pytest.mark.parametrize("change", ["", PROBE_OF_TRUNK, ADAPTER, TIED])
def test_what_is_left_out_on_purpose_is_no_untrained_output_layer(probed, change):
    """A probe of a fixed trunk, an adapter before a fixed network, a frozen embedding that the output shares."""
    assert "output_layer_untrained" not in probed(change, output_layer.probe)


@pytest.mark.parametrize(("scale", "shift"), [(100.0, 5000.0), (1000.0, 0.0)])
def test_targets_that_training_does_not_come_near_are_measured(probed, scale, shift):
    """After a few hundred steps the error is still that of a constant, or far above it."""
    facts = probed(NUMBERS.replace("SCALE", str(scale)).replace("SHIFT", str(shift)), terms.probe)
    assert facts["error_after"] > 0.95 * facts["error_of_mean"]
    assert facts["error_steps"] == terms.STEPS


def test_targets_of_unit_scale_need_no_training(probed):
    """Nothing is measured where there is nothing to suspect."""
    assert "error_name" not in probed(NUMBERS.replace("SCALE", "1").replace("SHIFT", "0"), terms.probe)


@pytest.mark.parametrize(("goal", "seen"), [("v[:, 0]", True), ("0", False)])
def test_targets_that_have_met_each_other_are_seen_in_a_step_of_two_losses(probed, goal, seen):
    """(N, 1) and (N,) make (N, N) before the loss compares it with N outputs."""
    facts = probed(TWO_LOSSES.replace("GOAL", goal), shapes.probe)
    assert ("broadcast_shapes" in facts) == seen


@pytest.mark.parametrize(("begin", "held"), [(4, (4, 7)), (8, None)])
def test_a_window_of_targets_within_the_inputs_is_named(probed, begin, held):
    """The last values of the input are the target; those after it are not."""
    assert probed(WINDOWS.replace("BEGIN", str(begin)), data.probe).get("target_slice") == held


@pytest.mark.parametrize(("mask", "kept"), [("1 - kept", 0), ("kept", None)])
def test_a_mask_that_keeps_the_padding_is_named(probed, mask, kept):
    """By the token at the places that it keeps."""
    facts = probed(TOKENS.replace("MASK", mask).replace("LABELS", "ids % 5"), data.probe)
    assert facts.get("mask_keeps_only") == kept


@pytest.mark.parametrize(("labels", "single"), [("ids * 0 + 2", 2), ("ids % 5", None)])
def test_a_single_class_among_the_targets_of_sequences_is_named(probed, labels, single):
    """Ignored places do not count."""
    facts = probed(TOKENS.replace("MASK", "kept").replace("LABELS", labels), data.probe)
    assert facts.get("single_class") == single


PIXELS = """
class Heads(nn.Module):
    def __init__(self):
        super().__init__(); self.body = nn.Sequential(nn.Linear(8, 32), nn.ReLU()); self.kind = nn.Linear(32, 3); self.place = nn.Linear(32, 2)
    def forward(self, v): h = self.body(v); return self.kind(h), self.place(h)
model = Heads(); del loss; optimizer = torch.optim.Adam(model.parameters(), lr=1e-3); validation_data = None
places = UNIT * (x[:, :2] + 3)
train_data = DataLoader(TensorDataset(x, y, places), batch_size=40)
def step(model, batch):
    kind, place = model(batch[0])
    return nn.functional.cross_entropy(kind, batch[1]) + nn.functional.l1_loss(place, batch[2])
"""


@pytest.mark.parametrize(("unit", "reported"), [(1000, True), (0.1, False)])
def test_targets_of_one_of_several_outputs_are_standardized_to_see_whether_it_helps(examined, unit, reported):
    """Places in pixels, beside classes."""
    report = examined(PIXELS.replace("UNIT", str(unit)))
    names = {f.name for f in report.at_least(Severity.WARNING)}
    assert ("targets-not-normalized" in names) is reported
