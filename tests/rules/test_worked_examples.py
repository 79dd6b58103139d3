"""The worked examples of every course, and the look-alikes that other tools cry wolf on."""

from __future__ import annotations

import numpy as np
import pytest

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Fact, Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

EPOCHS = np.arange(40)


def report(facts: dict[str, Fact] | None = None, **curves: np.ndarray) -> Report:
    """The report on curves given by name, the first underscore after the split for the slash."""
    names = {
        key.replace("_", "/", 1) if key.split("_")[0] in ("train", "validation") else key: y
        for key, y in curves.items()
    }
    return diagnose(Run({n: Series.of(n, y) for n, y in names.items()}, facts or {}), RULES)


def alarms(found: Report) -> list[str]:
    """The names of the errors and warnings."""
    return [f.name for f in found.findings if f.severity is not Severity.INFO]


def errors(train: float, validation: float, target: float | None = None) -> list[str]:
    """The alarms of a run whose errors settle at these."""
    down = 0.5 * 0.5**EPOCHS
    facts = {} if target is None else {"target_error": Fact(target)}
    return sorted(alarms(report(facts, train_error=train + down, validation_error=validation + down)))


@pytest.mark.parametrize("target", [None, 0.0])
@pytest.mark.parametrize(
    ("train", "validation", "expected"),
    [
        (0.15, 0.16, ["high-bias"]),
        (0.01, 0.11, ["high-variance"]),
        (0.15, 0.30, ["high-bias", "high-variance"]),
        (0.005, 0.01, []),
    ],
)
def test_the_four_cases_of_every_course(train, validation, expected, target):
    """15/16 is bias, 1/11 variance, 15/30 both, 0.5/1 neither, with human-level error near 0 (Ng)."""
    assert errors(train, validation, target) == expected


def test_the_target_decides_what_is_bias():
    """15 % training error is no bias where humans make 14 %."""
    assert errors(0.15, 0.16, target=0.14) == []


def test_without_a_target_the_verdict_on_bias_says_what_it_rests_on():
    """The message names the assumed target and the option that sets it."""
    down = 0.5 * 0.5**EPOCHS
    (finding,) = report(train_error=0.15 + down, validation_error=0.16 + down).findings
    assert "--target-error" in finding.message


def test_overtraining_names_the_epoch_to_have_stopped_at():
    """The best step is the validation loss's lowest."""
    t = EPOCHS / 40
    validation = 0.6 + 1.7 * np.exp(-t / 0.08) + 0.8 * t
    primary = report(train_loss=2.3 * np.exp(-t / 0.15), validation_loss=validation).primary
    assert primary is not None
    assert primary.name == "overtraining"
    assert abs(primary.evidence["best_step"] - int(np.argmin(validation))) <= 1  # of the smooth curve


def test_a_symptom_is_not_reported_next_to_its_cause():
    """A run that ends in NaN is neither overtrained nor unfinished."""
    train = np.where(EPOCHS < 30, 2.3 - 0.05 * EPOCHS, np.nan)
    assert alarms(report(train_loss=train, validation_loss=train)) in (
        ["nan-loss"],
        ["nan-loss", "validation-equals-train"],
    )


def schedule(kind: str) -> np.ndarray:
    """A learning rate over 40 epochs."""
    u = EPOCHS / 40
    return {
        "cosine": 0.05 * (1 + np.cos(np.pi * u)),
        "steps": np.where(u < 0.5, 0.1, np.where(u < 0.75, 0.01, 0.001)),
        "warm-up": 0.1 * np.minimum(1, (EPOCHS + 1) / 5),
        "restarts": 0.05 * (1 + np.cos(np.pi * (EPOCHS % 10) / 10)),
        "constant": np.full(40, 0.1),
    }[kind]


@pytest.mark.parametrize("kind", ["cosine", "steps", "warm-up", "restarts", "constant"])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_healthy_run_is_left_alone_under_every_schedule(kind, noise):
    """Warm-up, restarts, step decay and a constant rate are no faults."""
    rng = np.random.default_rng(0)
    fall = 2.2 * np.exp(-np.cumsum(schedule(kind)) / 0.3)
    train = 0.05 + fall + noise * rng.normal(size=40)
    validation = 0.09 + fall + noise * rng.normal(size=40)
    assert alarms(report(train_loss=train, validation_loss=validation, lr=schedule(kind))) == []


@pytest.mark.parametrize(
    "curve",
    [
        pytest.param(lambda t: 5.0 - 8 * (1 - np.exp(-t / 0.1)), id="negative-likelihood"),
        pytest.param(lambda t: -0.3 - 0.6 * (1 - np.exp(-t / 0.1)), id="dice"),
        pytest.param(lambda t: 4e9 * np.exp(-t / 0.08) + 1e7, id="huge-scale"),
        pytest.param(lambda t: np.maximum(0.7 * np.exp(-t / 0.02), 1e-9), id="loss-goes-to-zero"),
        pytest.param(lambda t: 0.9 + 1.4 * np.exp(-t / 0.1), id="noise-floor"),
        pytest.param(lambda t: np.where(t == 0, 40.0, 0.1 + 2 * np.exp(-t / 0.1)), id="one-high-first-step"),
    ],
)
def test_a_healthy_curve_of_an_odd_kind_is_left_alone(curve):
    """Negative, huge, vanishing and floored losses, and one high first step, raise no alarm."""
    t = EPOCHS / 40
    span = float(np.ptp(curve(t)[1:]))
    assert alarms(report(train_loss=curve(t), validation_loss=curve(t) + 0.02 * span)) == []


def test_an_exploding_loss_does_not_stay_where_it_started():
    """A loss that doubles at every step has diverged, and is no plateau."""
    assert alarms(report(train_loss=2.3 * 2.0 ** np.arange(20))) == ["diverged", "lr-too-high"]


def test_a_step_decay_after_each_level_is_not_too_early():
    """A rate cut by ten once the loss has levelled off is the standard recipe: the fall comes after the cut, because of it."""
    epochs = np.arange(90)
    rng = np.random.default_rng(1)
    floor, height = np.array([0.9, 0.35, 0.25])[epochs // 30], np.array([1.4, 0.5, 0.1])[epochs // 30]
    train = floor + height * np.exp(-(epochs % 30) / 4) + 0.01 * rng.normal(size=90)
    assert alarms(report(train_loss=train, validation_loss=train + 0.05, lr=0.1 * 0.1 ** (epochs // 30))) == []


def test_a_rate_decayed_to_nothing_ends_the_run_on_purpose():
    """Warm-up, stable, decay: what the last fifth wins by the decay is not extrapolated."""
    i = np.arange(2000)
    loss = 2 + 4 * (i + 5.0) ** -0.4 - 0.15 * np.clip((i - 1600) / 400, 0, None)
    loss = loss + 0.04 * np.random.default_rng(0).normal(size=2000)
    lr = 1e-3 * np.minimum(1, (i + 1) / 50) * np.clip((2000 - i) / 400, 0, 1)
    curves = {name: Series.of(name, y, 10.0 * i) for name, y in (("train/loss", loss), ("lr", lr))}
    assert alarms(diagnose(Run(curves, {}), RULES)) == []


def test_overtraining_is_seen_without_training_values():
    """A validation loss that falls and rises again says enough."""
    e = np.arange(50)
    assert alarms(report(validation_loss=0.4 + 0.3 * np.exp(-e / 4) + 0.015 * np.clip(e - 8, 0, None))) == [
        "overtraining"
    ]


def test_a_slow_but_steady_fall_is_no_plateau_next_to_an_accuracy():
    """Accuracy columns do not turn a low learning rate into a flat loss."""
    e = np.arange(50)
    found = alarms(report(train_loss=2.30 - 0.002 * e, train_accuracy=0.1 + 0.001 * e))
    assert found in (["lr-too-low"], ["lr-too-low", "not-converged"])


@pytest.mark.parametrize("points", [120, 250, 300, 390, 1100])
def test_a_straight_fall_is_one_at_any_length(points):
    """The end of a curve counts as much as its middle, whatever its length is divided by: a line has not levelled off."""
    loss = 520 - 90 * np.arange(points) / points + np.random.default_rng(0).normal(0, 1, points)
    found = report(train_loss=loss)
    assert set(alarms(found)) <= {"lr-too-low", "not-converged"}
    helps = {entry.change: entry.helps for entry in found.prognosis}
    assert max(helps["lr*10"], helps["steps*4"]) > helps["lr/10"]


@pytest.mark.parametrize("period", [8, 25, 50])
def test_a_sawtooth_is_reported_by_its_own_period(period):
    """Two and three periods on a wave is as like itself as after one: the shortest is the epoch."""
    step = np.arange(18 * period)
    noise = np.random.default_rng(1).normal(0, 0.03, len(step))
    loss = 0.5 + 1.8 * np.exp(-step / len(step) / 0.15) + 0.3 * (step % period) / period + noise
    found = [f for f in report(train_loss=loss).findings if f.name == "sawtooth-epochs"]
    assert [f.evidence["period_steps"] for f in found] == [period]


def test_a_loss_that_fell_within_its_first_hundredth_has_left_its_start():
    """A long log of a network that is quickly done is flat nearly all along, and healthy."""
    step = np.arange(5000)
    loss = 3 + 7 * np.exp(-step / 10) + np.random.default_rng(1).normal(0, 0.05, 5000)
    assert alarms(report(train_loss=loss)) == []


@pytest.mark.parametrize("level", [-50.0, -2000.0])
def test_a_likelihood_is_not_measured_by_its_size(level):
    """Of a loss that goes below zero no level is small: what it fell, it learned."""
    noise = np.random.default_rng(2).normal(0, 0.01, (2, 60))
    down = np.exp(-np.arange(60) / 7)
    assert alarms(report(train_loss=level + down + noise[0], validation_loss=level + 0.02 + down + noise[1])) == []


@pytest.mark.parametrize("seed", range(8))
def test_the_noise_of_a_flat_loss_is_no_divergence(seed):
    """The best of many noisy levels lies below the last one: by chance, not because anything was learned and lost."""
    draw = np.random.default_rng(seed)
    loss = 3e4 * (1 + draw.normal(0, 0.01, draw.choice([30, 120, 250])))
    assert alarms(report(train_loss=loss)) == ["plateau-at-start"]


@pytest.mark.parametrize(
    ("rate", "first"), [(15.0, "learning rate too high"), (1.0, "numbers outside the loss's range")]
)
def test_a_rate_that_no_optimizer_takes_explains_a_loss_that_was_never_finite(rate, first):
    """L-BFGS, Adadelta and optimizers that set their own rate are given 1."""
    found = report(train_loss=np.full(8, np.nan), lr=np.full(8, rate)).primary
    assert found is not None
    assert found.name == "nan-loss"
    assert found.causes[0].name == first
    assert (found.remedies[0].name == "lower-learning-rate") == (rate > 1)
