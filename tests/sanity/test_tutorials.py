"""What scripts of tutorials do that a check-up must take as it is."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.experiment.experiment import experiment  # noqa: E402
from nndoctor.sanity.probes import constant_targets, data, own_value, views  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402


@pytest.mark.parametrize("line", ["step = 6", "step = 0.5", "loss_fn, loss = loss, 0.0"])
def test_a_number_called_step_or_loss_is_none(written, line):
    """It counts steps, or was computed."""
    found = experiment(written(line))
    assert found.step is None
    assert found.loss is not None


FROZEN = """
body = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)); opt = torch.optim.SGD(body.parameters(), lr=0.1)
for _ in range(5): opt.zero_grad(); body(x).square().mean().backward(); opt.step()
for p in body.parameters(): p.requires_grad = False
model = body; model[2] = nn.Linear(16, 3); optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad])
"""


def test_a_backbone_that_was_trained_in_the_file_and_frozen(written):
    assert from_file(written(FROZEN)).optimizer is not None


EPISODES = """
class Policy(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 2); self.saved = []
    def forward(self, v): return self.f(v).log_softmax(1)
model = Policy(); optimizer = torch.optim.Adam(model.parameters(), lr=1e-2); train_data = range(50); validation_data = None; del loss
returns = []
def train_step(model, batch, optimizer):
    for _ in range(int(torch.randint(3, 30, ()))):
        model.saved.append(model(torch.randn(1, 8))[0, 0])
        returns.append(float(torch.randn(())))
    found = -(torch.stack(model.saved) * torch.tensor(returns)).sum()
    optimizer.zero_grad(); found.backward(); optimizer.step()
    del model.saved[:], returns[:]
    return found
"""


def test_a_step_that_collects_an_episode_in_lists(examined):
    """It is stopped before it empties them, and its loss says nothing of progress."""
    report = examined(EPISODES, budget=5.0)
    assert not [f for f in report.findings if f.severity != "info"]
    assert any("what needs a single loss is not checked" in note for note in report.run.notes)


def test_a_loss_of_probabilities_of_which_no_scaled_output_is_one(probed):
    """Binary cross-entropy fails on numbers below 0, which is no failure of the probe."""
    change = """
model = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid()); optimizer = torch.optim.Adam(model.parameters()); del loss
def step(model, batch): return nn.functional.binary_cross_entropy(model(batch[0])[:, 0], (batch[1] > 0).float())
"""
    assert "zeros_have_no_loss" not in probed(change, constant_targets.probe)


def test_a_language_model_that_shifts_its_labels_by_itself(probed):
    """Its labels are its tokens: each output sees the token at its own place, and is compared with the next one."""
    change = """
ids = torch.randint(0, 30, (80, 12)); del loss
class Words(nn.Module):
    def __init__(self): super().__init__(); self.e, self.r, self.o = nn.Embedding(30, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(8, 30)
    def forward(self, input_ids, labels=None):
        scores = self.o(self.r(self.e(input_ids))[0])
        return {"loss": nn.functional.cross_entropy(scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten()), "logits": scores}
model = Words(); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
train_data = DataLoader([{"input_ids": row, "labels": row} for row in ids], batch_size=20)
"""
    assert "own_value_seen" not in probed(change, own_value.probe)


def test_a_batch_that_is_repeated_counts_once(probed):
    """All data in one batch, as of a differential equation, are no examples that are all alike."""
    change = """
points = torch.linspace(0, 1, 30)[:, None].requires_grad_(); edge = torch.zeros(1, 1); del loss; validation_data = None
train_data = [(edge, points)] * 50; model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters())
def step(model, batch): return model(batch[0]).square().sum() + (model(batch[1]) - batch[1]).square().mean()
"""
    facts = probed(change, data.probe)
    assert "constant_features" not in facts
    assert "same_targets" not in facts


def test_a_step_that_keeps_something_for_each_of_its_examples(examined):
    """No probe hands it more of them than a batch has."""
    change = (
        "kept = torch.randn(20, 3); del loss\ndef step(model, batch): return (model(batch[0]) - kept).square().mean()"
    )
    report = examined(change, budget=5.0)
    assert not any(note.startswith("not checked: ") and "fails" in note for note in report.run.notes)


def test_the_batch_itself_beside_its_input_is_no_second_view(probed):
    change = """
class Wrapped(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 3)
    def forward(self, v, whole): return nn.functional.cross_entropy(self.f(v), whole["y"])
model = Wrapped(); optimizer = torch.optim.Adam(model.parameters()); validation_data = None; del loss
train_data = DataLoader([{"x": x[k], "y": y[k]} for k in range(200)], batch_size=20)
def step(model, batch): return model(batch["x"], batch)
"""
    assert "views_not_compared" not in probed(change, views.probe)


CURVES = """
w = torch.randn(8, 1)
y = (x @ w)[:, 0]; train_data = [(x, y)]; model = nn.Linear(8, 1); optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8); del loss
def train_step(model, batch, optimizer):
    def closure():
        optimizer.zero_grad()
        found = nn.functional.mse_loss(model(batch[0])[:, 0], batch[1])
        found.backward()
        return found
    return optimizer.step(closure)
"""


def test_losses_that_lbfgs_computes_with_are_no_parts_of_the_objective(examined):
    assert not [f for f in examined(CURVES, budget=5.0).findings if f.name == "loss-part-trains-nothing"]


ROWS = """
import numpy as np
x_train, y_train, x_test, y_test = x[:200].double().numpy(), y[:200].numpy(), x[200:].numpy(), y[200:].numpy()
del train_data, validation_data
"""


def test_arrays_of_inputs_and_targets_in_the_place_of_data_sets(written):
    """In the precision of the weights."""
    found = experiment(written(ROWS))
    inputs, targets = next(iter(found.train_data))
    assert (inputs.dtype, targets.dtype) == (torch.float32, torch.int64)
    assert found.validation_data is not None
    assert found.validation_data.examples == 40
    assert "x_train and y_train as train_data, x_test and y_test as validation_data" in " ".join(found.notes)


def test_data_sets_come_before_arrays(written):
    found = experiment(
        written(ROWS.replace("del train_data, validation_data", "train_loader = train_data; del train_data"))
    )
    assert "train_loader as train_data" in " ".join(found.notes)
