"""Excerpts from the middle of a run, and rows from early on that show less than what is to come."""

from __future__ import annotations

from pathlib import Path

import nndoctor
from nndoctor.core.finding import Severity
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

HILL = (61.2, 93.7, 151.3, 212.8, 131.4, 118.9, 92.4, 66.1, 51.7, 47.9, 39.6, 41.2, 35.3, 38.8)


def _alarms(**columns: object) -> list[str]:
    report = nndoctor.diagnose({name: list(values) for name, values in columns.items()})  # type: ignore[call-overload]
    return [found.name for found in report.at_least(Severity.WARNING)]


def _names(run: Run) -> list[str]:
    return [f.name for f in diagnose(run, RULES).findings if f.severity is not Severity.INFO]


def test_a_hill_in_the_middle_of_a_run_is_a_spike() -> None:
    late, first = range(900, 956, 4), range(0, 56, 4)
    assert _alarms(step=late, train_loss=HILL) == ["loss-spikes"]
    assert "loss-spikes" not in _alarms(step=first, train_loss=HILL)
    assert "loss-spikes" not in _alarms(step=late, train_loss=[0.5 * v if v > 150 else v for v in HILL])


def test_a_gap_that_was_open_before_the_excerpt_is_high_variance() -> None:
    train = [1.02 - 0.016 * k for k in range(12)]
    validation = [2.91, 2.88, 2.95, 2.9, 2.97, 2.93, 2.99, 2.94, 3.01, 2.98, 3.04, 3.02]
    late = range(400, 520, 10)
    assert "high-variance" in _alarms(epoch=late, train_loss=train, val_loss=validation)
    assert "high-variance" not in _alarms(epoch=late, train_loss=train, val_loss=validation[::-1])
    assert "high-variance" not in _alarms(epoch=late, train_loss=[1.0] * 6 + [1.01] * 6, val_loss=validation)


def test_a_loss_that_climbs_with_its_gradient_has_diverged() -> None:
    loss = "9.8 7.1 4.4 2.2 0.9 1.6 5.1 5.9"
    assert "diverged" in _names(Run.drawn(train_loss=loss, grad_norm="21 12 9 5 4 9 14 48"))
    assert "diverged" not in _names(Run.drawn(train_loss=loss, grad_norm="21 12 9 5 4 9 14 18"))


def test_an_error_has_not_settled_before_half_of_the_planned_epochs(tmp_path: Path) -> None:
    loss = (1.93, 1.81, 1.42, 1.19, 1.08, 1.03, 0.962, 0.934, 0.921, 0.917)
    accuracy = (0.601, 0.622, 0.648, 0.682, 0.704, 0.712, 0.723, 0.7301, 0.7335, 0.7338)
    found = {}
    for planned in (10, 100):
        rows = [
            f"Epoch {k}/{planned}\n200/200 [====] - 9s 45ms/step - loss: {a} - acc: {b}"
            for k, (a, b) in enumerate(zip(loss, accuracy, strict=True), 1)
        ]
        log = tmp_path / f"{planned}.log"
        log.write_text("\n".join(rows))
        found[planned] = [f.name for f in nndoctor.diagnose(log).at_least(Severity.WARNING)]
    assert "high-bias" in found[10]
    assert "high-bias" not in found[100]


def test_a_dice_of_zero_far_into_a_run_needs_two_values(tmp_path: Path) -> None:
    rows = (
        "2021-03-02 10:00:0{k}.5: \nepoch:  {epoch} \n2021-03-02 10:00:0{k}.6: train loss : {loss:.4f} \n"
        "2021-03-02 10:00:0{k}.7: validation loss: {loss:.4f} \n"
        "2021-03-02 10:00:0{k}.8: Average global foreground Dice: [0.0, 0.0] \n"
    )
    found = {}
    for begin in (0, 120):
        log = tmp_path / f"{begin}.log"
        log.write_text("".join(rows.format(k=k, epoch=begin + k, loss=-0.31 - 0.02 * k) for k in range(2)))
        found[begin] = [f.name for f in nndoctor.diagnose(log).at_least(Severity.WARNING)]
    assert found == {0: [], 120: ["metric-at-worst"]}


def test_a_discriminator_that_is_always_fooled_teaches_nothing() -> None:
    fooled = "13.9 12.1 9.31 7.24 14.2 15.1 14.7"
    assert "mode-collapse" in _names(
        Run.drawn(
            {"task": "gan"}, generator_loss="0.0004 0.0021 0.0009 0.12 0.0003 0.0001 0.0008", discriminator_loss=fooled
        )
    )
    assert "mode-collapse" not in _names(
        Run.drawn({"task": "gan"}, generator_loss="2.1 1.8 0.9 0.6 1.3 1.6 1.1", discriminator_loss=fooled)
    )


def test_one_batch_with_a_low_loss_before_scattered_ones_is_no_level_to_rise_from() -> None:
    scattered = [0.004, 0.21, 0.013, 0.062, 0.009, 0.11, 0.031, 0.018, 0.27, 0.024, 0.052, 0.15, 0.016, 0.044]
    assert "diverged" not in _alarms(step=range(81_200, 81_214), train_loss=scattered)
    far_below = [0.0004, *scattered[1:]]
    assert "diverged" in _alarms(step=range(81_200, 81_214), train_loss=far_below)
