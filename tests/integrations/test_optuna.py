"""Optuna's pruner, with the real package."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("optuna")

import optuna

import nndoctor

pytestmark = pytest.mark.filterwarnings("ignore")  # Optuna's own


def values(rate):
    """Forty validation losses: a healthy fall, one that diverges, one that becomes NaN."""
    for k in range(40):
        if rate == "high":
            yield 2.3 * 0.9 ** min(k, 5) * 1.6 ** max(k - 5, 0)
        elif rate == "lost":
            yield math.nan if k > 8 else 2.3 * 0.9**k
        else:
            yield 0.3 + 2 * 0.9**k + 0.002 * (k % 3)


def objective(trial):
    """Reports as a training would."""
    rate = trial.suggest_categorical("rate", ["fine", "high", "lost"])
    for step, value in enumerate(values(rate)):
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value


def test_failing_trials_are_pruned_and_healthy_ones_are_not():
    """NaN and divergence end a trial early."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search = {"rate": ["fine", "high", "lost"]}
    study = optuna.create_study(
        sampler=optuna.samplers.GridSampler(search), pruner=nndoctor.integrations.optuna.OptunaPruner()
    )
    study.optimize(objective, n_trials=3)
    ended = {trial.params["rate"]: (trial.state.name, len(trial.intermediate_values)) for trial in study.trials}
    assert ended["fine"] == ("COMPLETE", 40)
    assert ended["lost"] == ("PRUNED", 10)
    assert ended["high"][0] == "PRUNED"
    assert ended["high"][1] < 40


def test_another_pruner_decides_about_the_rest():
    """`then` prunes what does not fail."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = nndoctor.integrations.optuna.OptunaPruner(then=optuna.pruners.ThresholdPruner(upper=1.0))
    study = optuna.create_study(sampler=optuna.samplers.GridSampler({"rate": ["fine"]}), pruner=pruner)
    study.optimize(objective, n_trials=1)
    assert len(study.trials[0].intermediate_values) == 1
