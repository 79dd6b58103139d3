"""When a training is not worth going on with."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch", reason="trainings need torch")

from nndoctor.treatment.pruning import ReferenceTraining, behind, failure, loss_to_reach, slowed, too_slow
from nndoctor.treatment.trial import Trial


def trial(*losses):
    """A training with these losses, a training loss before each."""
    steps = list(range(len(losses)))
    return Trial("", 0, steps, list(losses), steps, list(losses), [0.1] * len(losses))


@pytest.mark.parametrize(
    ("losses", "slow"),
    [
        ((2.0, 1.99, 1.98), True),  # at this pace 1.89 at the end
        ((2.0, 1.8, 1.6), False),  # 0 at the end
        ((2.0, 1.99, 1.98, 1.7), False),  # the last step may be the beginning of a fall
        ((2.0, 2.1, 2.2), True),
        ((0.4, 0.41, 0.42), False),  # there already
        ((2.0, 2.0), False),  # too early
    ],
)
def test_a_trial_is_too_slow_where_its_pace_does_not_bring_it_to_the_best(losses, slow):
    """Twelve evaluations in all, the best loss 0.5."""
    assert too_slow(trial(*losses), 0.5, 12) is slow


def test_the_pace_is_that_of_the_evaluations_that_are_left():
    """Of 20 steps all are evaluated, of 12 fewer are left."""
    losses = (2.0, 1.92, 1.84)
    assert too_slow(trial(*losses), 0.5, 12)
    assert not too_slow(trial(*losses), 0.5, 20)


def test_nothing_is_too_slow_before_two_trials_have_ended():
    """Failed ones do not count."""
    assert loss_to_reach([0.5, math.inf]) == math.inf
    assert loss_to_reach([0.5, math.inf, 0.4]) == 0.4
    assert not too_slow(trial(2.0, 2.0, 2.0), math.inf, 12)


def test_a_finished_trial_is_cut_where_it_was_too_slow():
    """What follows is left out; one that was fast enough stays whole."""
    cut = slowed(trial(2.0, 1.99, 1.98, 0.1), 0.5, 12)
    assert cut.losses == [2.0, 1.99, 1.98]
    assert cut.final == math.inf
    whole = trial(2.0, 1.0, 0.6, 0.5)
    assert slowed(whole, 0.5, 12) is whole


def test_a_trial_clearly_behind_half_way_keeps_its_distance():
    """Its expected loss is as far behind the file as it is; before half-way nothing is given up."""
    curve = ReferenceTraining((1.0,) * 12, 0.9, margin=0.2)
    assert behind(trial(*(1.5,) * 5), curve) is None
    assert behind(trial(*(1.5,) * 6), curve) == pytest.approx(1.4)
    assert behind(trial(*(1.1,) * 6), curve) is None


def test_a_training_fails_at_a_loss_that_is_not_finite_or_three_times_the_first():
    """Three values at least for the latter."""
    assert failure(trial(1.0, math.nan)) == "the loss is not finite"
    assert failure(trial(1.0, 9.0, 9.0)).startswith("the loss exceeds")
    assert not failure(trial(1.0, 9.0))
