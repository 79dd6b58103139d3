"""Where a log leaves a question open, the report says so, ranks what it may be, and calls nothing clear."""

from __future__ import annotations

import numpy as np
import pytest

from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

FLOOR = "90 40 25 20 18 17.6 17.5 17.4 17.4 17.4"


def _report(run: Run) -> Report:
    return diagnose(run, RULES)


def _causes(report: Report) -> str:
    return "; ".join(cause.name for finding in report.findings for cause in finding.causes)


def test_a_floor_without_a_target_is_left_to_the_prognosis() -> None:
    """A settled loss may be at the data's floor or the network's: nothing is reported, and a wider network has a probability."""
    report = _report(Run.drawn(train_loss=FLOOR, validation_loss=FLOOR.replace("17", "18")))
    assert report.primary is None
    assert 0 < next(entry.helps for entry in report.prognosis if entry.change == "wider") < 0.5


@pytest.mark.parametrize(("target", "found"), [(0.16, []), (0.0, ["high-bias"])])
def test_a_target_settles_it(target: float, found: list[str]) -> None:
    """With a target the same training error is fine, or high bias."""
    error = "0.8 0.4 0.25 0.2 0.17 0.16 0.16 0.16 0.16 0.16"
    report = _report(Run.drawn({"target_error": target}, train_error=error, train_loss="2.3 1 0.7 0.55 0.5 0.48*5"))
    assert [f.name for f in report.findings if f.code.startswith("NN1")] == found


def test_causes_weigh_one_in_all() -> None:
    """The weights of a finding's causes are shares."""
    report = _report(Run.drawn(train_loss="2.3025*3 2.3024*20"))
    assert report.findings[0].name == "plateau-at-start"
    assert sum(cause.weight for cause in report.findings[0].causes) == pytest.approx(1, abs=0.03)


def test_an_unseen_warmup_is_named_by_how_the_loss_falls() -> None:
    """A loss that falls faster and faster shows a warmup, unless the log has the learning rate."""
    loss = " ".join(f"{2.3 - 0.0003 * k * k:.4f}" for k in range(40))
    unseen, seen = _report(Run.drawn(train_loss=loss)), _report(Run.drawn(train_loss=loss, lr="0.1*40"))
    assert unseen.primary is not None
    assert unseen.primary.name == "warmup-unfinished"
    assert "from 2.3 to 1.844" in unseen.primary.message
    assert "warmup-unfinished" not in [finding.name for finding in seen.findings]


def test_labels_learned_by_heart_are_among_the_causes() -> None:
    """Validation that never does better than guessing, while training falls, questions the labels."""
    run = Run.drawn(
        {"num_classes": 10},
        train_loss="2.4 2.2 2.0 1.7 1.4 1.1 0.8 0.6",
        validation_loss="2.32 2.35 2.4 2.5 2.6 2.8 3.0 3.2",
        train_accuracy="0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8",
        validation_accuracy="0.1 0.11 0.1 0.09 0.1 0.11 0.1 0.1",
    )
    assert "labels without signal" in _causes(_report(run))


def test_validation_that_follows_training_to_nothing_is_remarked() -> None:
    """Two losses that go to a thousandth side by side may be of the same examples; a validation floor is none."""
    loss = 2.3 * np.exp(-np.arange(40) / 5) + 0.001

    def names(held_out: np.ndarray) -> list[str]:
        both = {"train/loss": loss, "validation/loss": held_out}
        return [f.name for f in _report(Run({k: Series.of(k, v, np.arange(40.0)) for k, v in both.items()})).findings]

    assert "validation-equals-train" in names(loss * 1.01)
    assert "validation-equals-train" not in names(loss + 0.05)


def test_a_lone_spike_of_a_long_run_counts_however_high_the_first_loss() -> None:
    """A rise eight times any other is a spike, though the first loss dwarfs it."""
    loss = np.concatenate([[14.0], 0.5 * np.exp(-np.arange(99) / 20) + 0.1])
    loss[70] += 1.0
    run = Run({"train/loss": Series.of("train/loss", loss, np.arange(100.0))})
    assert [f.name for f in _report(run).findings if f.code == "NN303"] == ["loss-spikes"]


def test_a_loss_that_swings_at_the_level_of_guessing_is_no_plateau() -> None:
    """A plateau gives the same loss again and again; swings of both losses are a rate too high."""
    dice = np.random.default_rng(2)
    level = 1.3 + dice.normal(0, 0.2, 80)
    both = {"train/loss": level, "validation/loss": level + dice.normal(0, 0.05, 80)}
    names = [f.name for f in _report(Run({k: Series.of(k, v, np.arange(80.0)) for k, v in both.items()})).findings]
    assert names[0] == "lr-too-high"
    assert "plateau-at-start" not in names


def test_an_explosion_that_jumps_by_powers_of_ten_is_a_divergence() -> None:
    """The last value may lie far below the peak: it is lost all the same."""
    dice = np.random.default_rng(1)
    loss = np.concatenate([1.5 * np.exp(-np.arange(60) / 30), 10 ** (np.arange(40) / 2 + dice.normal(0, 1, 40))])
    loss[-1] = 1e15
    run = Run({"train/loss": Series.of("train/loss", loss, np.arange(100.0))})
    primary = _report(run).primary
    assert primary is not None
    assert primary.name == "diverged"


def test_a_training_error_that_data_often_have_is_no_warning() -> None:
    """16 % next to a settled loss may be noise or bias."""
    error = "0.8 0.4 0.25 0.2 0.17 0.16*5"
    run = Run.drawn(train_error=error, validation_error=error, train_loss="2.3 1 0.7 0.55 0.5 0.48*5")
    assert _report(run).primary is None


def test_a_spike_that_was_got_over_stands_behind_what_is_wrong_to_the_end() -> None:
    """A run that spiked once and overfits is first of all a run that overfits."""
    train = 2.3 * np.exp(-np.arange(60) / 8) + 0.02
    train[40] += 1.5
    held_out = 1.0 + 1.3 * np.exp(-np.arange(60) / 4) + 0.02 * np.arange(60)
    both = {"train/loss": train, "validation/loss": held_out}
    names = [f.name for f in _report(Run({k: Series.of(k, v, np.arange(60.0)) for k, v in both.items()})).findings]
    assert names[0] == "overtraining"
    assert "loss-spikes" in names[1:]


def test_a_gap_that_jumps_is_less_sure_than_a_steady_one() -> None:
    """Noise of a single evaluation may be much of it."""
    train = 2.3 * np.exp(-np.arange(40) / 6) + 0.3
    gap, jumps = 2 * (1 - np.exp(-np.arange(40) / 5)), np.random.default_rng(0).standard_normal(40)
    sure = []
    for size in (0.02, 0.5):
        curves = {"train/loss": train, "validation/loss": train + gap + size * jumps}
        found = _report(Run({k: Series.of(k, v, np.arange(40.0)) for k, v in curves.items()})).findings
        sure.append(next(f.confidence for f in found if f.name == "high-variance"))
    assert sure[0] > sure[1]


@pytest.mark.parametrize(("until", "every", "printed"), [(10, 1, True), (36, 1, False), (40, 10, False)])
def test_validation_that_stops_long_before_training_does_is_reported(until: int, every: int, *, printed: bool) -> None:
    """An evaluation that is only rare does not stop."""
    train = Series.of("train/loss", [2.4 * 0.9**k for k in range(40)])
    seen = list(range(0, until, every))
    held = Series.of("validation/loss", [2.5 * 0.9**k for k in seen], [float(k) for k in seen])
    report = _report(Run({"train/loss": train, "validation/loss": held}, {}, axis="epoch"))
    found = [f.message for f in report.findings if f.name == "no-validation"]
    assert found == (["validation stops at epoch 9, training continues to epoch 39"] if printed else [])
