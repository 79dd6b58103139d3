"""What scripts of tutorials do that a check-up must take as it is."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.experiment.experiment import experiment  # noqa: E402
from nndoctor.sanity.probes import constant_targets, own_value  # noqa: E402
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
