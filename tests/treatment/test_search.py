"""A search: short trials over a wide range, then longer ones over what is left of it, and what a sweep says of them."""

from __future__ import annotations

import json
import math
from textwrap import dedent

import pytest

torch = pytest.importorskip("torch", reason="a search trains models")

from nndoctor.cli.entry import run  # noqa: E402
from nndoctor.core.errors import UsageError  # noqa: E402
from nndoctor.treatment.ranges import Range, ranges_of  # noqa: E402
from nndoctor.treatment.search import (  # noqa: E402
    ROUNDS,
    SearchLimits,
    SearchResult,
    TrialSettings,
    one,
    run_search,
)
from nndoctor.treatment.trial import Job  # noqa: E402

MODEL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
x = torch.randn(200, 6)
y = (x[:, :2].sum(1, keepdim=True) + 0.1 * torch.randn(200, 1))
train_data = DataLoader(TensorDataset(x[:150], y[:150]), batch_size=30, shuffle=True)
validation_data = DataLoader(TensorDataset(x[150:], y[150:]), batch_size=50)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
loss = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)
"""
STEPS, TRIALS = 40, 16
TIME = 1e6  # seconds: the trials decide where a search ends
LOW = 1e-5  # a learning rate of the file from which the best lies beyond the first range


@pytest.fixture
def optuna():
    """Optuna, which the searches keep their trials in."""
    return pytest.importorskip("optuna", reason="a search needs Optuna")


def model_file(folder, lr):
    """A small regression at a learning rate."""
    path = folder / "model.py"
    path.write_text(dedent(MODEL.format(lr=lr)), encoding="utf-8")
    return str(path)


def search(path, storage, trials=TRIALS, seed=0):
    """A search of so many trials, and the lines that it shows."""
    torch.set_num_threads(1)
    outcome, lines = SearchResult(path, STEPS), []
    run_search(outcome, storage, SearchLimits(trials, TIME, seed, "cpu"), lines.append)
    return outcome, lines


@pytest.fixture(scope="module")
def low(tmp_path_factory):
    """A search from a learning rate that is far too low, its lines, and where its trials are kept."""
    optuna = pytest.importorskip("optuna", reason="a search needs Optuna")
    storage = optuna.storages.InMemoryStorage()
    return (*search(model_file(tmp_path_factory.mktemp("low"), LOW), storage), storage)


def test_trials_get_longer_from_round_to_round(low):
    """Half of them a quarter as long as the file's own training, the last at full length."""
    steps = [length for _, length, _ in low[0].trials]
    rounds = [round(STEPS * share) for share, _ in ROUNDS]
    assert sorted(set(steps)) == rounds
    assert steps == sorted(steps)
    assert steps.count(rounds[0]) == TRIALS * ROUNDS[0][1]


def test_the_best_trial_is_one_of_the_longest(low):
    """And better than the file as it is."""
    best = low[0].best
    assert best is not None
    assert best[1] == STEPS
    assert best[2] < 0.5 * low[0].reference


def test_the_range_moves_beyond_its_edge_to_a_good_learning_rate(low):
    """The first range ends at a hundred times the file's own, below all good ones."""
    first = ranges_of(low[0].path)["lr"]
    assert low[0].ranges["lr"].high > 3 * first.high
    assert low[0].best[0]["lr"] > first.high


def test_a_search_that_ended_draws_nothing_twice(low):
    """The same storage goes on: all trials are known, none is trained again."""
    again, lines = search(low[0].path, low[2])
    assert lines == []
    assert again.trials == low[0].trials


def test_a_range_narrows_around_the_good_values():
    """With room around them; the rest is left out."""
    held = Range(1e-4, 1e0).narrowed([8e-3, 1e-2, 2e-2], best=1e-2)
    assert 1e-3 < held.low < 8e-3
    assert 2e-2 < held.high < 1e-1


def test_a_range_widens_where_the_best_value_is_the_largest_tried():
    """Few trials leave the range's own edge far away."""
    assert Range(1e-4, 1e0).narrowed([1e-2, 2e-2], 2e-2, tried=[1e-3, 1e-2, 2e-2]).high == pytest.approx(2.0)


@pytest.mark.parametrize(("best", "beyond"), [(1.2e-4, lambda r: r.low < 1e-5), (0.9, lambda r: r.high > 10)])
def test_a_range_widens_where_the_best_value_is_at_its_edge(best, beyond):
    """By half its width in logarithms, on the side of that edge only."""
    held = Range(1e-4, 1e0).narrowed([best, 1e-2], best)
    assert beyond(held)
    assert (held.low < 1e-5) != (held.high > 10)


def test_whole_numbers_stay_at_least_one():
    """A batch has an example."""
    assert Range(1.0, 8.0, whole=True).narrowed([1.0, 1.0], 1.0).low == 1.0


def test_a_trial_past_three_times_its_first_loss_is_stopped(tmp_path):
    """Long before its end."""
    path = model_file(tmp_path, 0.01)
    trial = one(TrialSettings(Job(path, "", 0, 400, "cpu", pruner=True), {"lr": 0.6, "factor": 60.0}))
    assert trial.cut in {"the loss exceeds 3× its first value", "the loss is not finite"}
    assert len(trial.train_losses) < 200
    assert trial.final == math.inf


def test_a_stopped_trial_is_pruned_and_counted(optuna, tmp_path):
    """It has no loss that another could be compared with."""
    storage = optuna.storages.InMemoryStorage()
    outcome, lines = search(model_file(tmp_path, 0.3), storage, trials=8)
    failed = [settings for settings, _, loss in outcome.trials if math.isinf(loss)]
    assert failed
    assert outcome.stopped >= len(failed)
    assert sum("stopped" in line for line in lines) == outcome.stopped
    assert min(settings["lr"] for settings in failed) > outcome.best[0]["lr"]


def test_a_trial_too_slow_to_reach_the_best_one_is_stopped(tmp_path):
    """A third into it at the earliest; one that falls fast enough goes on."""
    path = model_file(tmp_path, 0.01)
    slow, fast = (
        one(TrialSettings(Job(path, "", 0, 120, "cpu", target_loss=0.3), {"lr": 0.01 * factor, "factor": factor}))
        for factor in (1e-3, 1.0)
    )
    assert slow.cut == "too slow to reach the best trial"
    assert len(slow.train_losses) == 30
    assert fast.final < 0.3


def test_a_learning_rate_of_zero_is_no_place_to_start(tmp_path):
    """One line."""
    with pytest.raises(UsageError, match="needs one above 0 to start from"):
        ranges_of(model_file(tmp_path, 0.0))


def test_ctrl_c_keeps_the_trials_that_ended(optuna, tmp_path):
    """The same storage goes on."""
    storage = optuna.storages.InMemoryStorage()
    outcome, seen = SearchResult(model_file(tmp_path, 0.01), STEPS), []

    def see(line):
        seen.append(line)
        if len(seen) == 3:
            raise KeyboardInterrupt

    run_search(outcome, storage, SearchLimits(8, TIME, 0, "cpu"), see)
    assert outcome.interrupted
    again, lines = search(outcome.path, storage, trials=8)
    assert len(again.trials) == len(lines) + 3


def test_the_command_ends_with_the_sweeps_verdict(optuna, tmp_path, monkeypatch, capsys):
    """As JSON: the sweep's report of all trials, and the search beside it."""
    del optuna
    monkeypatch.chdir(tmp_path)
    path = model_file(tmp_path, 1e-4)
    words = ["search", path, "--steps", "8", "--trials", "12", "--budget", "9h", "--device", "cpu", "-q"]
    assert run([*words, "-f", "json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["search"]["best"]["steps"] == 8
    assert set(held["search"]["ranges"]) == {"lr", "weight_decay", "batch_size"}
    assert len(held["search"]["trials"]) == 12
    assert {setting["name"] for setting in held["search"]["settings"]} >= {"lr", "weight_decay"}
    assert "findings" in held["runs"][0]
    assert run(words) == 0
    text = capsys.readouterr().out
    assert held["search"]["verdict"] in " ".join(text.split())
    assert "verify the best with nndoctor treat" in text
