"""A planted fault is named; the sound program is not."""

from __future__ import annotations

from pathlib import Path

import pytest

FAULTS = {
    "softmax-before-cross-entropy": "model = nn.Sequential(*model, nn.Softmax(dim=1)); optimizer = torch.optim.Adam(model.parameters())",
    "inputs-not-normalized": "train_data = DataLoader(TensorDataset(x * 300 + 500, y), batch_size=20); optimizer = torch.optim.SGD(model.parameters(), 0.1)",
    "inputs-not-finite": "x[3, 2] = float('nan')",
    "unshuffled-batches": "o = y.argsort(); train_data = DataLoader(TensorDataset(x[o], y[o]), batch_size=20)",
    "labels-out-of-range": "train_data = DataLoader(TensorDataset(x, y + 1), batch_size=20)",
    "train-validation-overlap": "validation_data = DataLoader(TensorDataset(x[150:], y[150:]), batch_size=40)",
    "train-validation-shift": "validation_data = DataLoader(TensorDataset(x[200:] * 9 + 4, y[200:]), batch_size=40)",
    "optimizer-misses-parameters": "optimizer = torch.optim.Adam(model[0].parameters())",
    "loss-scales-with-batch": "loss = nn.CrossEntropyLoss(reduction='sum'); optimizer = torch.optim.SGD(model.parameters(), 0.3)",
    "output-unfit-for-loss": "loss = nn.NLLLoss()",
    "parameter-without-gradient": "model.spare = nn.Linear(3, 3); model.forward = lambda v: model[2](model[1](model[0](v)))\noptimizer = torch.optim.Adam(model.parameters())",
    "missing-nonlinearity": "y = (x[:, 0] * x[:, 1] > 0).long(); train_data = DataLoader(TensorDataset(x, y), batch_size=20)\nmodel = nn.Sequential(nn.Linear(8, 32), nn.Linear(32, 3)); optimizer = torch.optim.Adam(model.parameters())",
    "normalization-misplaced": "model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.3), nn.BatchNorm1d(32), nn.Linear(32, 3)); optimizer = torch.optim.Adam(model.parameters())",
    "sigmoid-in-hidden-layers": "model = nn.Sequential(nn.Linear(8, 32), nn.Sigmoid(), nn.Linear(32, 32), nn.Sigmoid(), nn.Linear(32, 32), nn.Sigmoid(), nn.Linear(32, 3)); optimizer = torch.optim.SGD(model.parameters(), 0.1)",
}


def test_a_sound_program_gets_no_error_and_no_warning(examined):
    """Nothing is found in a small healthy program."""
    report = examined()
    assert report.primary is None, report.primary


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(examined, name):
    """Each fault alone is named among errors and warnings."""
    report = examined(FAULTS[name])
    assert name in {f.name for f in report.findings if f.severity != "info"}


def test_a_fault_that_does_no_harm_is_a_remark(examined):
    """A linear model for a task that is linear: the trial with a ReLU ends no better."""
    change = "model = nn.Sequential(nn.Linear(8, 32), nn.Linear(32, 3)); optimizer = torch.optim.Adam(model.parameters(), 3e-3)"
    (found,) = [f for f in examined(change).findings if f.name == "missing-nonlinearity"]
    assert found.severity == "info"
    assert "harm here: after" in found.message


def test_a_finding_points_at_the_line_of_the_layer(examined):
    """The layer's path and the line that makes it are told."""
    report = examined("model = nn.Sequential(\n    nn.Linear(8, 32),\n    nn.Linear(32, 3),\n)\noptimizer = None")
    (found,) = [f for f in report.findings if f.name == "missing-nonlinearity"]
    assert found.location.layer == "1"
    lines = Path(found.location.path).read_text(encoding="utf-8").splitlines()
    assert "nn.Linear(32, 3)" in lines[found.location.line - 1]
