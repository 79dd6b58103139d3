"""A dead run is never called healthy, and a healthy one never dead, whatever its classes, units and columns."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nndoctor
from nndoctor.core.finding import Severity
from nndoctor.core.report import Report

CLASSES = (2, 5, 10, 100, 1000)
STUCK = {"stuck-at-chance", "plateau-at-start", "no-weight-changes"}


def report(**columns: object) -> Report:
    """The report on a log with these columns, split and metric joined by an underscore."""
    return nndoctor.diagnose({name: list(values) for name, values in columns.items()})  # type: ignore[call-overload]


def alarms(found: Report) -> list[str]:
    """The names of its errors and warnings, the headline first."""
    return [f.name for f in found.at_least(Severity.WARNING)]


def near(level: float, count: int, scatter: float, seed: int = 0) -> list[float]:
    """Values around a level, as rounded as logs are."""
    noise = np.random.default_rng(seed).standard_normal(count)
    return [round(float(v), 4) for v in level * (1 + scatter * noise)]


def falling(start: float, end: float, count: int) -> list[float]:
    """A curve that settles."""
    x = np.arange(count) / max(count - 1, 1)
    return [round(float(v), 4) for v in end + (start - end) * np.exp(-x / 0.12)]


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_a_run_at_chance_is_an_error(classes, unit):
    """Loss at ln C and accuracy at 1/C, as fractions and as percentages."""
    accuracy = [unit * max(v, 0.0) for v in near(1 / classes, 12, 0.05, 1)]
    found = report(epoch=range(12), train_loss=near(math.log(classes), 12, 0.002), train_accuracy=accuracy)
    assert STUCK & set(alarms(found))
    assert found.at_least(Severity.ERROR)


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("first", [30.0, 1108.7, 2e6])
def test_a_first_value_that_was_thrown_hides_no_run_at_chance(classes, first):
    """Raw pixels make the first loss huge; what follows is guessing."""
    loss = [first, *near(math.log(classes), 11, 0.002)]
    validation = near(math.log(classes) * 1.002, 12, 0.001, 2)
    found = report(epoch=range(12), train_loss=loss, val_loss=validation, val_acc=near(1 / classes, 12, 0.05, 3))
    assert set(alarms(found)) & {*STUCK, "lr-too-high"}


def test_a_run_that_learned_and_collapsed_ends_at_chance():
    """Whatever came before, the end counts."""
    loss = [*falling(2.3, 0.3, 15), 60.0, *near(math.log(10), 14, 0.001)]
    accuracy = [*np.linspace(0.1, 0.9, 15), 0.1, *near(0.1, 14, 0.05)]
    found = report(epoch=range(30), train_loss=loss, train_accuracy=accuracy)
    assert set(alarms(found)) & {"stuck-at-chance", "diverged"}


@pytest.mark.parametrize("share", [0.55, 0.6838, 0.8123])
def test_the_majority_class_is_chance(share):
    """One answer for every example repeats the accuracy to the last digit."""
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    found = report(
        epoch=range(10),
        train_loss=near(entropy, 10, 0.005),
        val_loss=near(entropy, 10, 0.005, 1),
        val_acc=[share + 0.0001] * 10,
    )
    assert STUCK & set(alarms(found))


@pytest.mark.parametrize("classes", CLASSES)
def test_a_run_that_learns_is_not_at_chance(classes):
    """Its accuracy leaves 1/C."""
    accuracy = [round(1 - (1 - 1 / classes) * math.exp(-k / 4), 4) for k in range(20)]
    loss = falling(math.log(classes), 0.1 * math.log(classes), 20)
    found = report(epoch=range(20), train_loss=loss, train_accuracy=accuracy, val_loss=loss, val_acc=accuracy)
    assert not STUCK & set(alarms(found))


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("with_accuracy", [True, False])
def test_labels_that_can_only_be_memorized_are_named(classes, with_accuracy):
    """Validation never beats guessing while training falls: no stopping point helps."""
    chance = math.log(classes)
    columns = {
        "epoch": range(20),
        "train_loss": [round(float(v), 4) for v in np.linspace(chance, 0.75 * chance, 20)],
        "val_loss": [round(float(v), 4) for v in np.linspace(1.004 * chance, 1.2 * chance, 20)],
    }
    if with_accuracy:
        columns["val_acc"] = near(1 / classes, 20, 0.05)
    found = report(**columns)
    assert alarms(found)[0] in ("labels-without-signal", "high-variance")
    assert "labels-without-signal" in alarms(found)
    assert "overtraining" not in alarms(found)


@pytest.mark.parametrize("start", [0, 20, 35])
@pytest.mark.parametrize("shown", ["nan", "zero", "repeat"])
def test_nan_gradients_are_an_error_whatever_the_loss_shows(start, shown):
    """Trainers print 0, or the last loss, in place of NaN."""
    loss = near(1.5, 40, 0.02)
    if shown != "nan":
        loss[start:] = [0.0 if shown == "zero" else loss[max(start - 1, 0)]] * (40 - start)
    norm = [math.nan if k >= start else 1.0 + 0.01 * k for k in range(40)]
    found = report(step=range(0, 400, 10), loss=loss, grad_norm=norm)
    assert set(alarms(found)) & {"gradients-not-finite", "loss-exactly-zero"}
    assert not {"plateau-at-start", "lr-too-low", "not-converged"} & set(alarms(found))


def test_scattered_infinite_gradients_are_a_note():
    """A loss scale that settles skips a step now and then."""
    norm = [math.inf if k in (0, 1, 57) else 1.0 for k in range(200)]
    found = report(step=range(200), loss=falling(3.0, 1.0, 200), grad_norm=norm)
    assert "gradients-not-finite" in [f.name for f in found.findings]
    assert "gradients-not-finite" not in alarms(found)


def test_a_loss_that_drops_to_zero_at_once_is_no_success():
    """0.93, 0.91, 0, 0, 0."""
    found = report(step=range(60), loss=[*near(0.95, 20, 0.03), *[0.0] * 40])
    assert alarms(found)[0] == "loss-exactly-zero"


@pytest.mark.parametrize("loss", [falling(0.9, 0.0, 40), falling(0.9, 0.25, 40)], ids=["to zero", "to a floor"])
def test_a_loss_that_settles_to_the_last_digit_is_healthy(loss):
    """It comes down in smaller and smaller steps."""
    assert "loss-exactly-zero" not in alarms(report(epoch=range(40), loss=loss))


def test_values_that_never_change_are_one_finding():
    """The optimizer has no parameters."""
    found = report(epoch=range(25), train_loss=[1.597] * 25, val_loss=[1.598] * 25, val_acc=[0.295] * 25)
    assert alarms(found) == ["no-weight-changes"]
    assert "epoch" in found.findings[0].message


@pytest.mark.parametrize("metric", ["val_dice", "val_f1", "val_mAP", "val_iou", "val_bleu"])
def test_a_metric_at_zero_throughout_is_named(metric):
    """The loss falls all the while."""
    found = report(epoch=range(12), train_loss=falling(0.7, 0.05, 12), **{metric: [0.0] * 12})
    assert "metric-at-worst" in alarms(found)


@pytest.mark.parametrize("worst", [1.0, 100.0])
def test_a_word_error_rate_of_one_hundred_percent_is_named(worst):
    """As a fraction and in percent."""
    loss = falling(3.2, 2.9, 12)
    assert "metric-at-worst" in alarms(report(epoch=range(12), train_loss=loss, val_loss=loss, val_wer=[worst] * 12))


@pytest.mark.parametrize("accuracy", [[0.0] * 20, near(0.004, 20, 0.5)], ids=["zero", "near zero"])
def test_accuracy_says_nothing_next_to_a_regression(accuracy):
    """Keras counts exact matches."""
    loss, validation = falling(541.0, 21.0, 20), falling(545.0, 24.0, 20)
    found = report(epoch=range(20), loss=loss, accuracy=accuracy, val_loss=validation, val_accuracy=accuracy)
    plain = report(epoch=range(20), loss=loss, val_loss=validation)
    assert alarms(found) == alarms(plain)


def test_an_accuracy_that_is_summed_cannot_be_right():
    """1, 2, 3 … 39."""
    found = report(step=range(40), loss=falling(0.7, 0.1, 40), accuracy=[float(k) for k in range(40)])
    assert "impossible-metric" in alarms(found)


def test_a_sum_has_no_level_of_guessing():
    """CTC losses and reduction='sum' are far above ln C in good health."""
    accuracy = [round(float(v), 3) for v in np.linspace(0.02, 0.93, 20)]
    found = report(epoch=range(20), loss=falling(2020.0, 102.0, 20), acc=accuracy)
    assert not {"lr-too-high", "diverged", *STUCK} & set(alarms(found))


@pytest.mark.parametrize("first", [60_000, 3_000])
def test_an_excerpt_says_nothing_of_its_start(first):
    """A level loss in the middle of a run is no plateau at the start."""
    found = report(step=range(first, first + 300, 10), loss=near(2.85, 30, 0.006))
    assert alarms(found) == []
    assert any("starts at step" in note for note in found.run.notes)


def test_an_explosion_inside_the_first_row_is_seen_without_accuracy():
    """6 million, then 2.17, beside a validation loss of 2.9."""
    loss = [6176146.0, *falling(2.17, 2.13, 16)]
    found = report(epoch=range(17), loss=loss, val_loss=[2.93, *falling(2.14, 2.13, 16)])
    assert set(alarms(found)) & {"lr-too-high", "stuck-at-chance"}


def test_a_high_first_value_that_was_overcome_is_healthy():
    """The network went on to learn."""
    found = report(epoch=range(20), loss=[40.0, *falling(1.3, 0.1, 19)], val_loss=falling(1.3, 0.12, 20))
    assert "lr-too-high" not in alarms(found)


def test_a_loss_that_jumps_and_stays_up_has_diverged():
    """Half of what was learned is lost for good."""
    loss = [*falling(2.0, 0.2, 18), 1.9, *near(0.95, 12, 0.02)]
    assert "diverged" in alarms(report(epoch=range(31), loss=loss))


def test_annealing_a_part_of_the_loss_is_no_divergence():
    """The KL term's weight grows, and with it the total."""
    beta = np.linspace(0, 1, 30)
    total = [round(float(20 + 40 * b), 3) for b in beta]
    found = report(epoch=range(30), loss=total, recon_loss=falling(60.0, 20.0, 30), beta=beta)
    assert "diverged" not in alarms(found)


def test_a_plateau_quotes_the_last_value_of_the_log():
    """The number in the headline is the one that the plot ends at."""
    values = (
        "0.60843 0.60355 0.60147 0.60026 0.59992 0.59970 0.59980 0.59979 0.59957 0.59952 0.59969 0.59953 "
        "0.59995 0.59925 0.59950 0.59963 0.59951 0.59981 0.59978 0.59946 0.59968 0.59936 0.59958 0.59956 "
        "0.59931 0.59967 0.59927 0.59942 0.59967 0.59930 "
    )
    found = report(loss=map(float, values.split()))
    assert found.primary is not None
    assert found.primary.name == "plateau-at-start"
    assert "stays at 0.5993:" in found.primary.message


def test_one_answer_to_everything_is_no_network_that_had_learned_before():
    """Clipped probabilities hold the loss at 14.4; an accuracy that never changes rules out a log that begins late."""
    found = report(
        epoch=range(15),
        loss=[14.355, *[14.428 + 1e-6 * (k % 3) for k in range(14)]],
        accuracy=[0.1087, *[0.1049] * 14],
        val_loss=[14.667] * 15,
        val_accuracy=[0.09] * 15,
    )
    assert found.primary is not None
    assert found.primary.severity is Severity.ERROR
    assert "had learned before" not in found.primary.message


def test_two_accuracies_that_take_turns_are_quoted_both():
    """Of two classes now one, now the other is the answer to every example."""
    found = report(
        epoch=range(10),
        loss=[5.913, 1.772, 0.97, 2.032, 1.702, 0.975, 1.196, 0.955, 1.23, 0.772],
        val_accuracy=[0.6167, 0.6167, 0.3833, 0.6167, 0.3833, 0.3833, 0.6167, 0.6167, 0.3833, 0.6167],
    )
    assert found.primary is not None
    assert found.primary.name == "stuck-at-chance"
    assert "62% or 38% in all 10 values" in found.primary.message


def test_an_evaluation_that_each_line_repeats_shows_no_weights_at_rest():
    """Step logs print the last evaluation again and again; at the end of training the loss only fluctuates."""
    found = report(
        step=range(100, 800, 100), train_loss=[2.86, 2.91, 2.84, 2.89, 2.85, 2.9, 2.87], val_loss=[2.861] * 7
    )
    assert "no-weight-changes" not in alarms(found)


CAME_BACK = [307.1, 3_167_272.2, 158_604.5, 46.33, 2.542, 1.96, 1.806, 1.793, 1.684, 1.626, 1.533, 1.586, 1.641, 1.735]
HITS = [0.27, 0.22, 0.4, 0.28, 0.41, 0.41, 0.16, 0.28, 0.28, 0.28, 0.41, 0.41, 0.41, 0.22]


@pytest.mark.parametrize(
    ("losses", "hits", "found"),
    [
        (CAME_BACK, HITS, True),
        ([*CAME_BACK[:9], 0.9, 0.5, 0.3, 0.2, 0.1], [*HITS[:9], 0.6, 0.8, 0.9, 0.92, 0.93], False),  # learned after all
        ([100 * v / 1.5 for v in CAME_BACK[4:]], HITS[4:], False),  # a sum over a batch
        ([25.0, 2.0, 1.0, 0.6, 0.4, 0.3, 0.25, 0.2], [0.5, 0.7, 0.8, 0.85, 0.9, 0.91, 0.92, 0.93], False),  # raw pixels
    ],
)
def test_a_run_that_exploded_and_stayed_poor_is_not_called_fine(losses, hits, found):
    """The loss came back to an ordinary size, but the weights are lost; the validation loss shows it, too."""
    assert ("lr-too-high" in alarms(report(epoch=range(len(losses)), loss=losses, val_acc=hits))) is found


def test_a_loss_that_ends_at_exactly_ln_2_is_that_of_one_answer_and_no_lost_nan() -> None:
    loss = [0.6773, 2.4587, 5.3353, 1.0234, 10.6901, 1.9899, 3.5713, 0.6869, *[0.6931] * 15]
    finding = next(f for f in report(train_loss=loss).findings if f.name == "loss-exactly-zero")
    assert "the loss of random guessing among 2 classes" in finding.message
    assert "NaN" not in finding.message


def test_the_loss_of_a_policy_gradient_may_fall_below_zero():
    """Its size grows with the returns; no value estimates diverge."""
    loss = [-1e-6 * 3.0**k for k in range(14)]
    found = report(episode=range(14), reward=near(-20, 14, 0.05), loss=loss)
    assert "diverged" not in alarms(found)


FRAUD = {
    "epoch": range(1, 13),
    "train_loss": [0.896, 0.711, 0.575, 0.468, 0.385, 0.322, 0.277, 0.246, 0.226, 0.212, 0.203, 0.197],
    "val_loss": [0.785, 0.634, 0.519, 0.429, 0.361, 0.312, 0.28, 0.258, 0.244, 0.236, 0.23, 0.226],
    "val_precision": [0.062, 0.046, 0.026] + 9 * [0.0],
    "val_recall": [0.847, 0.237, 0.016] + 9 * [0.0],
}


def test_a_recall_that_falls_to_zero_next_to_an_accuracy_that_repeats_is_the_majority_class():
    found = report(
        **FRAUD, val_acc=[0.242, 0.665, 0.905, 0.939] + 8 * [0.941], val_f1=[0.117, 0.077, 0.021] + 9 * [0.0]
    )
    assert found.primary.name == "metric-at-worst"
    assert found.primary.causes[0].name == "one trivial answer for every example"
    assert "validation accuracy is 0.941 in the last 8" in found.primary.message


def test_a_recall_that_was_zero_for_some_epochs_only_is_no_finding():
    recovers = {"val_f1": [0.117, 0.077, 0.021] + 6 * [0.0] + [0.2, 0.3, 0.4], "val_recall": [0.8, 0.2, 0.02] + 6 * [0.0] + [0.2, 0.3, 0.4]}  # fmt: skip
    found = report(**{**FRAUD, **recovers, "val_precision": 3 * [0.06] + 6 * [0.0] + 3 * [0.5]}, val_acc=[0.242, 0.665, 0.905] + 6 * [0.941] + [0.95, 0.955, 0.96])  # fmt: skip
    assert "metric-at-worst" not in alarms(found)


LOST = {
    "epoch": range(1, 13),
    "train_loss": [1.727, 2.368, 2.4, 2.399, 2.424, 2.403, 2.407, 2.42, 2.374, 2.385, 2.41, 2.407],
    "train_acc": [0.482, 0.218, 0.115, 0.082, 0.102, 0.081, 0.098, 0.092, 0.096, 0.1, 0.102, 0.1],
}


def test_what_was_learned_and_lost_again_shows_a_learning_rate_that_is_too_high():
    found = report(**LOST).primary
    assert found.name == "stuck-at-chance"
    assert found.causes[0].name == "learning rate too high"
    assert "1.727 at epoch 1" in found.causes[0].because
    assert found.remedies[0].name == "lower-learning-rate"


def test_a_number_of_classes_is_not_quoted_where_a_usual_one_fits_as_well():
    assert "classes" not in report(**LOST).primary.message


def test_a_loss_that_never_left_chance_may_have_a_learning_rate_that_is_too_low():
    flat = report(epoch=range(1, 13), train_loss=near(2.303, 12, 0.001), train_acc=[0.1, 0.11, 0.09] * 4)
    assert flat.primary.causes[0].name == "learning rate too low"


def test_two_zeros_are_enough_where_the_gradient_norm_is_lost():
    found = report(loss=[2.31, 1.94, 1.71, 0.0, 0.0], grad_norm=[1.2, 1.1, 0.9, math.nan, math.nan])
    assert alarms(found)[0] == "loss-exactly-zero"
    assert "from step 4 on, after 1.71, and the gradient norm is NaN" in found.findings[0].message


@pytest.mark.parametrize(
    ("loss", "norm"),
    [
        ([2.31, 1.94, 1.71, 0.0, 0.0], [1.2, 1.1, 0.9, 0.8, 0.7]),
        ([2.31, 1.94, 1.71, 1.52, 1.44], [1.2, 1.1, 0.9, math.nan, math.nan]),
        ([2.31, 1.94, 1.71, 0.0, 0.0], [1.2, 1.1, 0.9, 0.8, math.nan]),
    ],
    ids=["two zeros", "a scale that adapts", "one NaN"],
)
def test_either_alone_in_two_rows_is_no_alarm(loss, norm):
    assert "loss-exactly-zero" not in alarms(report(loss=loss, grad_norm=norm))
