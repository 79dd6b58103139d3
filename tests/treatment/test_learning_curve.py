"""Learning curves over the training-set size: from trainings and from tables."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

torch = pytest.importorskip("torch", reason="learning curves need torch")

from nndoctor.cli.entry import run  # noqa: E402
from nndoctor.core.errors import UsageError  # noqa: E402
from nndoctor.reporters.learning_curve import as_json, render, verdict  # noqa: E402
from nndoctor.reporters.page import Style  # noqa: E402
from nndoctor.treatment.learning_curve import LearningCurve, Point, from_table, measured  # noqa: E402
from nndoctor.treatment.trainings import ComputeTarget  # noqa: E402

MODEL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
x = torch.randn(320, 30)
y = (x[:, 0] + 1.5 * torch.randn(320) > 0).long()
train_data = DataLoader(TensorDataset(x[:160], y[:160]), batch_size=16, shuffle=True)
validation_data = DataLoader(TensorDataset(x[160:], y[160:]), batch_size=160)
model = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 2))
loss = nn.CrossEntropyLoss()
optimizer = lambda params: torch.optim.Adam(params, lr=0.01)
"""


def curve(train, validation, sizes=(100, 200, 400, 800)):
    """A curve from a function of the size for each split."""
    return LearningCurve("table.csv", "error", tuple(Point(n, 0, train(n), validation(n)) for n in sizes))


def test_a_network_that_memorizes_noise_has_high_variance(tmp_path):
    """Really trained: it fits the training set and not the validation set."""
    torch.set_num_threads(1)
    path = tmp_path / "model.py"
    path.write_text(dedent(MODEL), encoding="utf-8")
    found = measured(str(path), 120, seeds=2, place=ComputeTarget("cpu"))
    assert found.sizes == [10, 20, 40, 80, 160]
    assert found.measure == "error"
    assert found.high_variance
    assert verdict(found).startswith("High variance")


def test_a_power_law_is_extrapolated_to_twice_the_data():
    """0.05 + 2 n^-0.5 at 1600 is 0.1."""
    mean, low, high = curve(lambda n: 0.01 + 0 * n, lambda n: 0.05 + 2 * n**-0.5).doubled()
    assert mean == pytest.approx(0.1, rel=0.05)
    assert low <= mean <= high


@pytest.mark.parametrize(("seeds", "message"), [(1, "(no range from one seed)"), (3, "(90% range ")])
def test_a_range_is_given_only_where_seeds_were_repeated(seeds, message):
    """One training of each size says nothing of the noise."""
    points = (Point(n, k, 0.1, 0.1 + 2 / n + 0.01 * k) for n in (50, 100, 200, 400) for k in range(seeds))
    found = LearningCurve("table.csv", "error", tuple(points))
    assert message in " ".join(render(found, Style()).split())
    assert (json.loads(as_json(found))["doubled"]["low"] is None) == (seeds == 1)


def test_errors_that_have_met_want_a_better_model():
    """More data gains nothing."""
    message = verdict(curve(lambda n: 0.30 - 1 / n, lambda n: 0.30 + 1 / n))
    assert "more data will not help" in message


@pytest.mark.parametrize("names", ["size,train_error,validation_error", "m,train_loss,val_loss", "n,train,cv_error"])
def test_a_table_of_results_is_read(tmp_path, capsys, names):
    """Under the names that people and courses use."""
    path = tmp_path / "results.csv"
    rows = "".join(f"{n},{0.1},{0.1 + 20 / n}\n" for n in (50, 100, 200, 400))
    path.write_text(f"{names}\n{rows}", encoding="utf-8")
    assert run(["learning-curve", str(path), "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["doubled"]["size"] == 800


def test_another_table_is_refused():
    """With what was expected."""
    with pytest.raises(UsageError, match="expected columns such as size"):
        from_table([{"epoch": "1", "loss": "2"}], "run.csv")
