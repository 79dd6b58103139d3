"""Fragments of runs that people paste: of dead ones, and of the first steps of live ones."""

from __future__ import annotations

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Fact, Run
from nndoctor.core.series import Series
from nndoctor.core.verdict import headline
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose


def _report(run: Run) -> Report:
    return diagnose(run, RULES)


def _names(run: Run) -> list[str]:
    return [f.name for f in _report(run).findings if f.severity is not Severity.INFO]


def test_a_low_accuracy_that_never_rises_is_no_high_bias() -> None:
    flat = Run.drawn(train_accuracy="0.065 0.04 0.065 0.025 0.06 0.055 0.045 0.06 0.05 0.065 0.055 0.06 0.04")
    rises = Run.drawn(train_accuracy="0.02 0.03 0.05 0.06 0.08 0.09 0.11 0.12 0.13 0.15 0.16 0.18 0.19")
    report = _report(flat)
    assert report.primary is not None
    assert report.primary.name == "stuck-at-chance"
    assert "at most 6.5% in all 13 values" in report.primary.message
    assert "high-bias" not in _names(flat)
    assert "stuck-at-chance" not in _names(rises)


def test_the_first_steps_of_a_warmup_are_no_unfinished_warmup() -> None:
    rising = " ".join(f"{k}e-8" for k in range(1, 10))
    assert "warmup-unfinished" not in _names(
        Run.drawn(train_loss="15 15.4 14.8 15.1 14.9 15.3 14.7 15.2 15", lr=rising)
    )
    longer = " ".join(f"{k}e-8" for k in range(1, 31))
    assert "warmup-unfinished" in _names(Run.drawn(train_loss="15..14.1*30", lr=longer))


def test_a_discriminator_whose_loss_never_changes_no_longer_learns() -> None:
    generator = "16.745 17.254 16.371 14.244 17.944 20.372"
    constant = Run.drawn({"task": "gan"}, discriminator_loss="50*6", generator_loss=generator)
    assert "no-weight-changes" in _names(constant)
    moving = Run.drawn({"task": "gan"}, discriminator_loss="0.5 0.6 0.5 0.6 0.5 0.5", generator_loss=generator)
    assert "no-weight-changes" not in _names(moving)


def test_a_loss_that_is_printed_the_same_in_four_digits_is_not_updated() -> None:
    printed = Run.drawn({"printed_digits": 4}, train_loss="0.2*6")
    assert "no-weight-changes" in _names(printed)
    assert "no-weight-changes" not in _names(Run.drawn(train_loss="0.2*6"))


def test_a_validation_loss_that_is_nan_after_a_rising_training_loss_asks_for_a_lower_rate() -> None:
    rising = Run.drawn(train_loss="1.2 1.8 1.9 1.7 1.6 2.4", validation_loss="nan*6", lr="0.003*6")
    falling = Run.drawn(train_loss="2.4 1.9 1.6 1.4 1.3 1.2", validation_loss="nan*6", lr="0.003*6")
    for run, lower in ((rising, True), (falling, False)):
        report = _report(run)
        assert report.primary is not None
        assert report.primary.name == "nan-loss"
        assert (report.primary.remedies[0].name == "lower-learning-rate") is lower


def test_the_verdict_says_that_a_loss_goes_nowhere() -> None:
    flat = _report(Run.drawn(train_loss="2.19 2.07 2.1 2.21 2.08 2.14 2.2 2.08 2.12"))
    assert "Training loss stays between 2.07 and 2.21." in headline(flat)[0]
    falls = _report(Run.drawn(train_loss="2.3 2.1 1.9 1.7 1.5 1.4 1.3 1.2 1.1"))
    assert "stays between" not in headline(falls)[0]


def test_several_metrics_at_zero_late_in_a_run_are_more_than_a_remark() -> None:
    def run(first: int) -> Run:
        steps = range(first, first + 3)
        names = ("validation/precision", "validation/recall", "validation/map50")
        loss = Series.of("train/loss", [9.1, 7.4, 6.2], steps)
        return Run({"train/loss": loss, **{n: Series.of(n, [0, 0, 0], steps) for n in names}}, {}, "log", axis="epoch")

    assert "metric-at-worst" in _names(run(13))
    assert "metric-at-worst" not in _names(run(1))


def test_a_low_accuracy_and_a_loss_that_hardly_falls_are_no_healthy_run() -> None:
    accuracy = "0.028 0.023 0.029 0.036 0.032 0.033 0.027"
    stuck = Run.drawn(train_loss="5.2 5.09 5.02 5.01 5.0 5.01 5.03", train_accuracy=accuracy)
    learns = Run.drawn(train_loss="5.2 4.9 4.6 4.2 3.9 3.6 3.3", train_accuracy="0.02 0.04 0.06 0.07 0.08 0.09 0.1")
    regression = Run.drawn(train_loss="0.52 0.51 0.5 0.505 0.5 0.5 0.5", train_accuracy=accuracy)
    assert "stuck-at-chance" in _names(stuck)
    assert "stuck-at-chance" not in _names(learns)
    assert "stuck-at-chance" not in _names(regression)


def test_a_short_log_that_jumps_far_above_its_first_value_diverged() -> None:
    """Four rows are enough where all later ones are a hundred times as high; one high value in between is not."""
    assert _names(Run.drawn(train_loss="0.2 31000 12000 54000")) == ["diverged"]
    assert "diverged" not in _names(Run.drawn(train_loss="0.2 31000 0.19 0.18"))


def test_a_loss_that_float32_cannot_square_exploded() -> None:
    """Three rows of values show that; the targets of another network may be in units of their own."""
    play = {"task": "reinforcement-learning"}
    report = _report(Run.drawn(play, total_loss="4e22 7e21 9e24", reward="-400 -310 -350"))
    assert report.primary is not None
    assert report.primary.name == "diverged"
    assert "value estimates have exploded" in report.primary.message
    assert "diverged" not in _names(Run.drawn(train_loss="5e24 2e24 9e23 8e23"))


def test_a_few_equal_means_in_the_middle_of_a_run_are_no_standstill() -> None:
    """The mean of thousands of steps, printed with three digits, stays the same for a dozen more."""
    steps = [float(k) for k in range(1800, 1815)]
    few = Series.of("train/loss", [0.162] * 15, steps)
    assert _names(Run({"train/loss": few}, {})) == []
    exact = Series.of("train/loss", [0.162345] * 15, steps)
    assert _names(Run({"train/loss": exact}, {})) == ["no-weight-changes"]


def test_a_best_return_in_the_middle_of_a_run_is_no_missing_signal() -> None:
    """A constant return from the start on is one."""
    play = {"task": "reinforcement-learning"}
    solved = Series.of("reward", [195.0] * 8, [float(k) for k in range(80000, 88000, 1000)])
    assert _names(Run({"reward": solved}, {"task": Fact("reinforcement-learning")})) == []
    assert _names(Run.drawn(play, reward="195*8")) == ["no-reward-signal"]
    rare = Series.of("reward", [0.02] * 8, [float(k) for k in range(80000, 88000, 1000)])
    assert _names(Run({"reward": rare}, {"task": Fact("reinforcement-learning")})) == ["no-reward-signal"]


def test_a_discriminator_that_is_always_right_has_won() -> None:
    """Six rows with its accuracy show that, in percent or not; that of a balanced game is lower."""
    gan = {"task": "gan"}
    rows = {"discriminator_loss": "0.004 0.003 0.006 0.002 0.005 0.003", "generator_loss": "5.1 6.2 5.7 4.9 6.3 5.8"}
    assert "discriminator-wins" in _names(Run.drawn(gan, **rows, discriminator_accuracy="100*6"))
    assert "discriminator-wins" not in _names(Run.drawn(gan, **rows))
    balanced = {"discriminator_loss": "0.6*6", "generator_loss": "5.1 6.2 5.7 4.9 6.3 5.8"}
    assert "discriminator-wins" not in _names(Run.drawn(gan, **balanced, discriminator_accuracy="71*6"))


def test_a_norm_beyond_all_others_that_ends_a_log_is_no_remark() -> None:
    """What the loss does after it is not in the log; within the log it shows that nothing came of it."""
    loss = "1.4 1.2 1.6 1.1 1.5 1.6 1.3 1.4 1.5"
    assert _names(Run.drawn(train_loss=loss, grad_norm="9 8 7 9 8 5 8 7 21000")) == ["gradient-norm-explodes"]
    assert _names(Run.drawn(train_loss=loss, grad_norm="9 8 7 9 21000 5 8 7 6")) == []


def test_one_update_that_costs_the_reward_is_too_large() -> None:
    """A fall of the reward that is made up again; without one, a single divergence is none."""
    play = {"task": "reinforcement-learning"}
    kl = "0.01*12 0.31 0.01*6"
    lost = _report(Run.drawn(play, approx_kl=kl, reward="0..90*12 41 60..95*6"))
    assert "policy-update-too-large" in [f.name for f in lost.findings]
    assert "policy-update-too-large" not in _names(Run.drawn(play, approx_kl=kl, reward="0..95*19"))


def test_a_loss_and_its_parts_that_are_zero_in_two_rows_are_empty() -> None:
    """A sum of zeros may be left with a rounding error; a loss alone that prints as 0 twice may be fitted."""
    empty = Run.drawn(train_loss="-6e-20*2", train_box_loss="0*2", train_cls_loss="0*2")
    assert _names(empty) == ["loss-exactly-zero"]
    assert _names(Run.drawn(train_loss="0*2")) == []


def test_a_loss_that_climbs_in_nearly_every_row_diverges() -> None:
    """By less than it jumps elsewhere, but steadily; a scattered loss of the same range does not."""
    climbs = "1.31 1.27 1.28 1.29 1.31 1.3 1.33 1.36 1.37 1.41 1.4 1.46 1.49"
    assert _names(Run.drawn(train_loss=climbs)) == ["diverged"]
    assert "diverged" not in _names(
        Run.drawn(train_loss="1.31 1.27 1.4 1.29 1.46 1.3 1.36 1.28 1.41 1.33 1.49 1.31 1.4")
    )


def test_evaluations_that_repeat_under_a_zero_rate_are_of_the_same_weights() -> None:
    """Two of them, with two metrics of five digits; a rate that is not zero, or a metric that moves, says otherwise."""
    rows = {"train_loss": "3.9 4.0 3.8 4.1", "validation_perplexity": "48.217*2", "validation_accuracy": "0.36127*2"}
    assert _names(Run.drawn(**rows, lr="0*4")) == ["no-weight-changes"]
    assert "no-weight-changes" not in _names(Run.drawn(**rows, lr="0.001*4"))
    moved = {**rows, "validation_accuracy": "0.36127 0.36131"}
    assert "no-weight-changes" not in _names(Run.drawn(**moved, lr="0*4"))


def test_one_high_value_of_a_short_log_is_a_spike_and_no_high_rate() -> None:
    """With values on both sides of it; more than one are another matter."""
    assert _names(Run.drawn(train_loss="0.71 0.84 3.9 0.8 0.62 0.77")) == ["loss-spikes"]
    assert "loss-spikes" not in _names(Run.drawn(train_loss="0.71 0.84 3.9 0.8 3.1 0.77"))


def test_an_auc_that_falls_to_guessing_is_a_fault_of_its_computation() -> None:
    """While the training loss falls on; two evaluations show it, but not where the second is merely lower."""
    loss = "0.4 0.3 0.25 0.22 0.2 0.19 0.18 0.17"
    lost = _report(Run.drawn(train_loss=loss, validation_auc="0.951 0.488"))
    assert lost.primary is not None
    assert lost.primary.name == "loss-and-metric-disagree"
    assert "from 0.951" in lost.primary.message
    assert _names(Run.drawn(train_loss=loss, validation_auc="0.951 0.902")) == []


def test_words_that_are_all_wrong_after_many_epochs_are_no_slow_start() -> None:
    """In both splits; at the start of a run of a recognizer they always are."""
    rows = {"train_loss": "210 190 240", "train_word_error": "1*3", "validation_loss": "250 248 251"}
    late = Run.drawn({"epochs": 14.0}, **rows, validation_word_error="1*3")
    early = Run.drawn({"epochs": 3.0}, **rows, validation_word_error="1*3")
    assert "metric-at-worst" in _names(late)
    assert "metric-at-worst" not in _names(early)


def test_one_step_down_at_the_only_border_of_an_excerpt_is_a_staircase() -> None:
    """Under a constant rate, with flat epochs on both sides; a fall all along is none, and neither is a cut of the rate."""
    parts = [1.8, 1.85, 1.9, 1.95, 2.02, 2.07, 2.12, 2.17, 2.22, 2.27]

    def excerpt(loss: str, lr: str) -> list[str]:
        values = {"train/loss": loss.split(), "lr": lr.split()}
        series = {name: Series.of(name, map(float, found), parts) for name, found in values.items()}
        return _names(Run(series, {}, axis="epoch", epochs=Series.of("epoch", parts, parts)))

    steps = "0.61 0.6 0.62 0.61 0.57 0.38 0.37 0.39 0.38 0.37"
    assert "memorization-staircase" in excerpt(steps, "2e-4 " * 10)
    assert "memorization-staircase" not in excerpt(steps, "2e-4 " * 5 + "2e-5 " * 5)
    assert "memorization-staircase" not in excerpt("0.7 0.66 0.62 0.58 0.54 0.5 0.46 0.42 0.38 0.34", "2e-4 " * 10)
