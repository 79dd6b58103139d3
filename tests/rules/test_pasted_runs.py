"""What people paste of their runs when something is odd: excerpts that are short, begin late or lack a validation loss."""

from __future__ import annotations

import numpy as np
import pytest

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose


def _report(run: Run) -> Report:
    return diagnose(run, RULES)


def _names(run: Run) -> list[str]:
    return [f.name for f in _report(run).findings if f.severity is not Severity.INFO]


def test_a_metric_that_falls_is_reported_without_a_validation_loss() -> None:
    learned = "1.8..0.6*9 0.59..0.4*15"
    falls = Run.drawn(train_loss=learned, validation_map="0.1..0.5*9 0.49..0.3*15")
    level = Run.drawn(train_loss=learned, validation_map="0.1..0.5*9 0.49 0.5 0.48 0.5 0.49 0.5 0.49 0.48 0.5 0.49*6")
    report = _report(falls)
    assert report.primary is not None
    assert report.primary.name == "overtraining"
    assert "validation mAP fell from 0.5 (best, step 8) to 0.3 (step 23)" in report.primary.message
    assert "overtraining" not in _names(level)


def test_a_metric_that_falls_with_training_is_no_overtraining() -> None:
    run = Run.drawn(train_loss="1.8..0.4*9 0.5..1.7*15", validation_map="0.1..0.5*9 0.49..0.3*15")
    assert "overtraining" not in _names(run)


def test_six_values_that_vary_by_a_quarter_are_no_jump() -> None:
    report = _report(Run.drawn(train_loss="0.41 0.46 0.43 0.51 0.41 0.43"))
    assert not [finding for finding in report.findings if "jumped" in finding.message]
    assert "lr-too-high" in _names(Run.drawn(train_loss="2.3 2.2 9.8 9.7 9.9 9.8"))


def test_a_large_loss_of_sequences_is_not_compared_with_guessing() -> None:
    values = {"train_loss": "40 36 34 33 31 30 29.5 29 28.6 28.1", "train_accuracy": "0.03..0.08*10"}
    assert "lr-too-high" not in _names(Run.drawn(**values, train_word_error="0.6..0.55*10"))
    assert "lr-too-high" in _names(Run.drawn(**values))


def test_a_loss_scale_that_settles_high_has_not_collapsed() -> None:
    """DeepSpeed starts at 2^32 where the settings ask for it, and ends where every other run begins."""
    start = "4294967296 2147483648 1073741824 536870912 268435456 134217728 67108864 33554432 16777216 8388608 65536*4"
    assert "loss-scale-collapse" not in _names(Run.drawn(train_loss="2.3..1.1*14", loss_scale=start))


def test_one_and_the_same_accuracy_of_one_half_is_guessing() -> None:
    """A loss that wanders above ln 2 learns nothing, however few digits the accuracy has."""
    loss = "1.36 1.33 1.08 0.77 0.73 1.03 1.31 1.38 1.2 0.95 0.78 0.77 0.8 0.79 0.75"
    assert _names(Run.drawn(train_loss=loss, train_accuracy="0.5*15"))[0] == "stuck-at-chance"
    fits = "0.69 0.6 0.5 0.4 0.35 0.3 0.25 0.2 0.18 0.16 0.14 0.12 0.1 0.09 0.08"
    assert "stuck-at-chance" not in _names(Run.drawn(train_loss=fits, train_accuracy="0.5*15"))


def test_an_area_of_one_half_is_guessing() -> None:
    run = Run.drawn(validation_loss="0.6931 0.69315*19", validation_auc="0.5*20")
    assert "stuck-at-chance" in _names(run)


def test_a_late_excerpt_that_stays_at_the_loss_of_a_thousand_classes_is_guessing() -> None:
    loss = "27 16 12 8.5 8.2 7.1 6.95 6.92 6.915 6.911 6.91 6.909 6.911 6.909 6.908 6.91 6.909 6.91 6.908 6.909"
    run = Run.drawn(train_loss=loss, train_accuracy="0*12 0.005 0*7")
    assert "stuck-at-chance" in _names(run)


def test_a_class_count_is_not_made_up_from_the_loss() -> None:
    """Any loss is the logarithm of something: a number of classes is quoted only where the accuracy agrees, or it is a usual one."""
    run = Run.drawn(
        train_loss="6.9 5.3 6.2 4.4 5.3 5.1 5.2 5.15 5.16 5.17 5.15 5.16", train_accuracy="0.001*8 0.0009*4"
    )
    (found,) = [f for f in _report(run).findings if f.name == "stuck-at-chance"]
    assert "classes" not in found.message


def test_no_validation_accuracy_at_all_leads_where_training_is_right() -> None:
    run = Run.drawn(train_loss="0.9..0.1*8", train_accuracy="0.55..0.97*8", validation_accuracy="0*8")
    assert "metric-at-worst" in _names(run)


def test_a_total_loss_of_reinforcement_learning_may_be_nan() -> None:
    run = Run.drawn({"task": "reinforcement-learning"}, total_loss="0.2..0.3*9 nan*3", entropy="7.4*9 nan*3")
    assert _names(run)[0] == "nan-loss"


def test_a_single_value_is_not_called_all_values() -> None:
    (found, *_) = _report(Run.drawn(train_loss="nan")).findings
    assert found.message == "training loss is NaN in its only value"


def test_a_jump_at_a_reported_resume_is_that_of_the_resume() -> None:
    run = Run.drawn(
        {"resumed_at": (6.0,)}, train_loss="4.61 4.52 4.49 4.43 4.4 4.37 9.8 7.3 6.2 5.6 5.3 5.1 5 4.9 4.8 4.75"
    )
    assert _names(run) == ["resume-jump"]


def test_a_score_that_never_changes_while_the_loss_moves_is_reported() -> None:
    losses = {"train_loss": "0.69..0.55*14", "validation_loss": "0.68..0.6*14"}
    same = _report(Run.drawn(**losses, train_accuracy="0.5..0.53*14", validation_accuracy="0.57318*14"))
    assert same.primary is not None
    assert same.primary.name == "metric-at-worst"
    assert "validation accuracy is 0.5732 in all 14 evaluations" in same.primary.message
    few = Run.drawn(**losses, train_accuracy="0.6..0.85*14", validation_accuracy="0.625*14")  # five of eight examples
    assert "metric-at-worst" not in _names(few)


def test_three_evaluations_at_the_worst_value_are_a_remark() -> None:
    report = _report(Run.drawn(train_loss="3.9 3.1 2.9", validation_loss="3.5 3.1 3.0", validation_word_error="1 1 1"))
    (found,) = [f for f in report.findings if f.name == "metric-at-worst"]
    assert found.severity is Severity.INFO


def test_a_validation_loss_alone_that_leaves_its_first_value_for_good_has_diverged() -> None:
    report = _report(Run.drawn(validation_loss="4.1 9.3 8.2 7.9 7.7 8.8 9.1"))
    assert report.primary is not None
    assert report.primary.name == "diverged"
    assert "rose from 4.1 at step 0 to 9.1, and never came back below 7.7" in report.primary.message
    assert "diverged" not in _names(Run.drawn(validation_loss="4.1 4.9 4.6 4.2 4.4 4.3 4.5"))


def test_a_loss_that_is_zero_at_once_has_nothing_to_learn() -> None:
    report = _report(Run.drawn(train_loss="6.9 3.1 0 0 0 0", train_accuracy="0 0.9 1 1 1 1"))
    assert report.primary is not None
    assert report.primary.name == "loss-exactly-zero"
    assert "there is only one class" in report.primary.message
    assert "loss-exactly-zero" not in _names(Run.drawn(train_loss="0.2 0.1 0 0 0", train_accuracy="0.9 0.99 1 1 1"))


def test_the_first_tenth_of_an_epoch_shows_no_plateau() -> None:
    start = {"train_loss": "6.9 6.91 6.9 6.89 6.91 6.9 6.9 6.91 6.9 6.9", "train_accuracy": "0.001 0.0012*9"}
    assert "plateau-at-start" in _names(Run.drawn(**start)) or "stuck-at-chance" in _names(Run.drawn(**start))
    assert not _names(Run.drawn({"steps_per_epoch": 4000}, **start))


def test_tokens_are_not_two_classes() -> None:
    """Four tokens in ten are right at a perplexity of 22: that is not the guessing of one class among two."""
    run = Run.drawn(
        train_loss="3.11 3.05 3.24 3.09 3.13 3.06 3.19 2.96 3.2 3.06 3.2 3.19 3.36",
        train_perplexity="22.4 21.1 25.5 22.1 22.9 21.3 24.3 19.4 24.4 21.5 24.6 24.3 28.8",
        train_accuracy="0.422 0.434 0.409 0.425 0.422 0.433 0.421 0.448 0.42 0.434 0.414 0.419 0.426",
    )
    assert "stuck-at-chance" not in _names(run)


def test_a_settled_error_is_named_for_the_split_that_it_is_of() -> None:
    run = Run.drawn(
        train_loss="0.69 0.62 0.61 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6",
        train_accuracy="0.5 0.52 0.53 0.53 0.54 0.53 0.54 0.53 0.54 0.54 0.54 0.54",
        validation_loss="0.6 0.58 0.57 0.56 0.56 0.56 0.56 0.56 0.56 0.56 0.56 0.56",
        validation_accuracy="0.7 0.71 0.72 0.71 0.72 0.71 0.72 0.72 0.71 0.72 0.72 0.71",
        lr="0.01*12",
    )
    expected = [f.message for f in _report(run).findings if f.name == "high-bias"]
    assert len(expected) == 1
    assert expected[0].startswith("validation error has settled at 28%")


def test_a_text_model_worse_than_word_frequencies_has_learned_nothing() -> None:
    perplexity = [9000.0, 31000.0, 42000.0, 24000.0, 9700.0, 3800.0, 2900.0, 16000.0, 21000.0, 12000.0]
    steps = np.arange(20_000.0, 20_500.0, 50.0)
    series = {
        "train/perplexity": Series.of("train/perplexity", np.array(perplexity), steps),
        "train/loss": Series.of("train/loss", np.log(perplexity), steps),
    }
    report = _report(Run(series, axis="step"))
    assert report.primary is not None
    assert report.primary.name == "stuck-at-chance"
    assert "ends at 12000 after 20,450 steps" in report.primary.message
    early = {name: Series.of(name, s.values, s.steps - 19_900.0) for name, s in series.items()}
    assert "stuck-at-chance" not in _names(Run(early, axis="step"))


def test_validation_at_guessing_among_six_is_reported_while_training_falls() -> None:
    report = _report(
        Run.drawn(
            train_loss="2.35 2.06 1.95 1.93 1.88 1.83 1.8 1.79 1.73",
            train_accuracy="0.14 0.16 0.18 0.21 0.19 0.24 0.24 0.25 0.27",
            validation_loss="1.8 1.85 1.82 1.805 1.81 1.797 1.81 1.8 1.79",
            validation_accuracy="0.16 0.22 0.21 0.19 0.22 0.19 0.21 0.2 0.19",
        )
    )
    assert report.primary is not None
    assert report.primary.name == "labels-without-signal"


def test_an_f1_that_goes_to_zero_is_at_its_worst_though_the_background_is_right() -> None:
    losses = {"train_loss": "21.7 18.3 17.2 16.4 16 14.9 14.2", "train_accuracy": "0.91 0.92 0.93 0.93 0.92 0.92 0.93"}
    gone = Run.drawn(
        **losses, validation_accuracy="0.92 0.95 0.95 0.95 0.95 0.95 0.95", validation_f1="0.006 0.0005 0*5"
    )
    report = _report(gone)
    assert "metric-at-worst" in _names(gone)
    assert any("in the last 5 values" in f.message for f in report.findings)
    found = Run.drawn(**losses, validation_accuracy="0.92 0.95 0.95 0.95 0.95 0.95 0.95", validation_f1="0.2 0.1 0*5")
    assert "metric-at-worst" not in _names(found)


def test_a_gap_in_loss_is_a_remark_while_the_word_error_rate_still_improves() -> None:
    losses = {
        "train_loss": "0.75 0.24 0.13 0.19 0.09 0.06 0.04 0.03 0.02 0.015 0.012 0.011",
        "validation_loss": "0.27 0.26 0.24 0.24 0.24 0.25 0.23 0.24 0.23 0.25 0.24 0.24",
    }
    improves = "0.143 0.125 0.124 0.115 0.112 0.106 0.107 0.104 0.102 0.099 0.097 0.095"
    level = "0.143 0.125 0.124 0.115 0.112 0.106 0.107 0.104 0.104 0.105 0.104 0.105"
    assert "high-variance" not in _names(
        Run.drawn({"workload": "fine-tuning"}, **losses, validation_word_error=improves)
    )
    assert "high-variance" in _names(Run.drawn({"workload": "fine-tuning"}, **losses, validation_word_error=level))


def test_a_gap_of_a_few_hundredths_of_a_nat_is_no_memorized_text() -> None:
    small = {
        "train_loss": "0.26 0.06 0.04 0.02 0.01 0.005 0.003 0.003",
        "validation_loss": "0.47 0.08 0.07 0.067 0.06 0.05 0.052 0.054",
    }
    large = {
        "train_loss": "2.6 0.6 0.4 0.2 0.1 0.05 0.03 0.03",
        "validation_loss": "4.7 0.8 0.7 0.67 0.6 0.5 0.52 0.54",
    }
    assert "high-variance" not in _names(Run.drawn({"workload": "fine-tuning"}, **small))
    assert "high-variance" in _names(Run.drawn({"workload": "fine-tuning"}, **large))


def test_losses_that_leave_their_first_values_for_good_diverged() -> None:
    """The first steps ruined a pretrained model; that the loss then falls a little is no comfort."""
    losses = {"train_loss": "1.2 2.2 2.1 1.9 1.8", "validation_loss": "2.5 3.6 3.9 4.2 4.4 4.1 4.0 3.9 3.9 3.8"}
    report = _report(Run.drawn({"workload": "fine-tuning"}, **losses))
    assert report.primary is not None
    assert report.primary.name == "diverged"
    assert "plateau-at-start" not in _names(Run.drawn({"workload": "fine-tuning"}, **losses))
    back = Run.drawn({"workload": "fine-tuning"}, **{**losses, "train_loss": "1.2 2.2 2.1 1.5 1.1"})
    assert "diverged" not in _names(back)


def test_three_evaluations_show_a_gap_that_is_nearly_all_of_the_validation_loss() -> None:
    train = "1.9 1.1 0.6 0.4 0.25 0.15 0.1 0.07 0.05 0.04 0.03 0.03"
    clear = Run.drawn({"workload": "fine-tuning"}, train_loss=train, validation_loss="0.93 0.91 0.94")
    falls = Run.drawn({"workload": "fine-tuning"}, train_loss=train, validation_loss="1.9 1.2 0.94")
    assert "high-variance" in _names(clear)
    assert "high-variance" not in _names(falls)


def test_batch_losses_of_a_late_excerpt_show_no_jump_from_the_start() -> None:
    """The start of the run is not in the log."""
    losses = [0.283, 0.372, 0.755, 0.345, 0.712, 0.7, 0.61, 0.55, 0.41, 0.5, 0.49, 0.564]
    steps = np.arange(208.0, 220.0)
    assert "lr-too-high" not in _names(Run({"train/loss": Series.of("train/loss", losses, steps)}))
    assert "lr-too-high" in _names(Run({"train/loss": Series.of("train/loss", losses, steps - 208)}))


def test_an_accuracy_that_still_rises_shows_no_high_bias_without_a_target() -> None:
    assert "high-bias" not in _names(Run.drawn(train_accuracy="0*6 0.02 0.03 0.05 0.08 0.12 0.14 0.16"))
    assert "high-bias" in _names(Run.drawn(train_accuracy="0 0.02 0.05 0.1 0.14 0.15 0.16*7"))


def test_where_updates_have_no_effect_no_rate_is_named() -> None:
    assert _names(Run.drawn(train_loss="5.7183 5.7257*3", train_accuracy="0.6442 0.6448*3")) == ["no-weight-changes"]


@pytest.mark.parametrize(
    ("validation", "improves"),
    [([1.0346, 1.0337, 1.0355, 1.0384, 1.0387, 1.0335], False), ([1.2, 1.16, 1.12, 1.09, 1.06, 1.03], True)],
)
def test_a_gap_waits_for_a_validation_loss_that_improves_by_more_than_its_noise(validation, improves) -> None:
    """A gap of 14 points between errors, at the end of a long run whose rate has decayed to nothing."""
    curves = {
        "train/loss": [0.92, 0.925, 0.927, 0.926, 0.923, 0.92],
        "train/accuracy": [0.66] * 6,
        "validation/loss": validation,
        "validation/accuracy": [0.52] * 6,
    }
    run = Run({name: Series.of(name, y, np.arange(236.0, 242.0)) for name, y in curves.items()}, axis="epoch")
    assert ("high-variance" in _names(run)) is not improves


def test_a_spike_where_a_run_was_resumed_is_none() -> None:
    curve = "2.3..0.9*10 0.9*25 1.4 1.2 1..0.2*30"
    assert _names(Run.drawn({"resumed_at": (35.0,)}, train_loss=curve)) == []
    assert "loss-spikes" in _names(Run.drawn(train_loss=curve))


def test_a_jump_that_the_whole_curve_makes_unlikely_is_no_warning() -> None:
    level = 5.45 + 0.1 * np.abs(np.random.default_rng(0).normal(size=200))
    level[0], level[100] = 4.67, 6.7
    found = _report(Run({"train/loss": Series("train/loss", np.arange(1.0, 201.0), level)}, {})).findings
    jumps = [f for f in found if f.name == "lr-too-high"]
    assert all(f.severity is Severity.INFO for f in jumps if f.confidence < 0.4)
