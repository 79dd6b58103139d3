"""The model's output cannot bring its loss down, or the loss does not lead to the targets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from nndoctor.analysis.loss_terms import wrong_term
from nndoctor.analysis.output_range import MAX_OUTSIDE, MAX_SHORTFALL, ROUNDING, unreachable
from nndoctor.core.confidence import DIRECT, MEASURED, PLAUSIBLE, SEVERAL_SIGNS, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_SEVERAL = 0.05  # of the examples
MIN_CORRELATION = 0.4  # rank correlation of the output that the loss prefers with the targets
OPPOSITE = -0.9  # the same of a loss of distances, which is bounded below
FAR_BELOW_ZERO = -0.5  # no loss of probabilities goes there
ENDLESS = 3.0  # times the first loss, below zero: a loss that falls so far has no minimum
NUMBERS = {
    "l1_loss": "absolute error",
    "mse_loss": "squared error",
    "smooth_l1_loss": "smooth absolute error",
    "huber_loss": "smooth absolute error",
}
"""Torch's losses for numbers, in words."""
BOUNDED = 0.93  # confidence: the bound was found by trying outputs; an odd loss may go lower at others
TRAINED = ("real_input_loss", "held_loss_after")  # losses that a training of the model has reached


def check(run: Run) -> Iterator[Symptom]:
    """Take the plainest of the ways in which output and loss do not fit."""
    ways = (_not_a_number, _raw, _endless, _term, _several, _range, _stuck, _follows, _mixed, _median, _of_classes)
    found = (way(run) for way in ways)
    yield from islice((symptom for symptom in found if symptom is not None), 1)


def _symptom(
    run: Run, text: str, confidence: float, severity: Severity | None = None, remedies: tuple[str, ...] = ()
) -> Symptom:
    names = ("loss_initial", "loss_reachable", "loss_best", "loss_follows_target")
    evidence = {name: value for name in names if (value := run.known(name)) is not None}
    return Symptom(
        text,
        confidence,
        {**evidence, "last_activation": str(run.fact("output_activation") or "none")},
        place="loss",
        severity=severity,
        remedies=remedies,
    )


def _not_a_number(run: Run) -> Symptom | None:
    if run.fact("loss_is_finite") is not False or run.fact("nonfinite_examples"):
        return None
    return _symptom(
        run,
        "the initial loss is not finite: it takes a logarithm or a ratio of values outside the allowed range",
        MEASURED,
    )


def _raw(run: Run) -> Symptom | None:
    if run.fact("loss_before") != "nll" or _proper(run) or run.number("loss_reachable") >= FAR_BELOW_ZERO:
        return None
    last = str(run.fact("activation_before_loss") or "")
    what = "probabilities" if last == "softmax" else "raw scores"
    return _symptom(
        run,
        f"the loss expects log-probabilities and gets {what}: it falls when all scores rise, whatever the correct class is",
        DIRECT,
    )


def _proper(run: Run) -> bool:
    """Whether a loss of log-probabilities gets them: from a log-softmax, or made otherwise and adding up to 1."""
    made = run.fact("activation_before_loss") == "log-softmax" or bool(run.fact("log_probabilities"))
    return run.fact("loss_before") == "nll" and made


def _endless(run: Run) -> Symptom | None:
    """A loss of classes, or of probabilities, that falls far below zero."""
    reachable, initial = run.known("loss_reachable"), run.known("loss_initial")
    of_classes = run.fact("loss_of_classes") and not _proper(run)  # moved freely, these would be probabilities no more
    if reachable is None or initial is None or not (of_classes or run.fact("target_beyond_output")):
        return None
    if reachable > -max(1.0, ENDLESS * abs(initial)) and not (run.fact("target_beyond_output") and reachable < -1):
        return None
    return _symptom(
        run,
        f"wrong outputs can drive the loss to {number(reachable)} and below: it does not measure what the model should do",
        MEASURED,
    )


def _term(run: Run) -> Symptom | None:
    """What a term of the loss shows by its arguments, or by outputs that are moved."""
    found = wrong_term(run)
    return None if found is None else _symptom(run, found[0], DIRECT, remedies=found[1])


def _several(run: Run) -> Symptom | None:
    """Examples of several classes under a softmax, which divides one among them."""
    share = run.number("several_classes")
    if share <= MAX_SEVERAL:
        return None
    text = f"{percent(share)} of the examples belong to several classes at once, and softmax lets the probabilities of all classes add up to 1: use a sigmoid for each class and binary cross-entropy"
    return _symptom(run, text, DIRECT, remedies=("fit-loss-to-output",))


def _range(run: Run) -> Symptom | None:
    """What the outputs cannot reach, whatever the weights are."""
    text = unreachable(run)
    remedies = ("match-the-range",) if run.fact("bound_of") else ()
    return None if text is None else _symptom(run, text, BOUNDED, remedies=remedies)


def _stuck(run: Run) -> Symptom | None:
    first, ended, reachable = (run.known(n) for n in ("loss_initial", "loss_descended", "loss_reachable"))
    if first is None or ended is None or reachable is None or run.fact("loss_still_falls") is True:
        return None
    if first - reachable <= ROUNDING * max(abs(first), abs(reachable)):
        return None
    share = (ended - reachable) / (first - reachable)
    trained = [value for name in TRAINED if (value := run.known(name)) is not None]
    if share <= MAX_SHORTFALL or (1 - share > MAX_SHORTFALL and min(trained, default=ended) < ended):
        return None  # weights that all outputs share take the rest of them, too, to where they have a gradient
    return _symptom(
        run,
        f"gradient descent on the outputs alone, without the model, stops at a loss of {number(ended)}, although {number(reachable)} is possible: the loss has no gradient where the outputs are (a clamp, or values outside its range)",
        SEVERAL_SIGNS,
    )


def _follows(run: Run) -> Symptom | None:
    follows = run.known("loss_follows_target")
    if follows is None or follows >= MIN_CORRELATION or run.fact("loss_least_at_target") is True:
        return None  # a loss of separated sources takes them in any order
    reachable = run.known("loss_reachable")
    if follows <= OPPOSITE and reachable is not None and reachable > -ROUNDING:
        return None  # outputs are distances, and targets say what belongs together
    return _symptom(
        run,
        f"the outputs that minimize this loss are unrelated to the targets (correlation {number(follows)}): it is the wrong loss for this task",
        SEVERAL_SIGNS,
    )


def _mixed(run: Run) -> Symptom | None:
    if run.fact("loss_adds") != "mixed" or not run.fact("loss_of_classes"):
        return None
    return _symptom(
        run,
        "the loss of a batch is neither the mean nor the sum of its examples' losses: a softmax or mean is taken over the batch instead of the classes (check dim=)",
        TYPICAL,
    )


def _median(run: Run) -> Symptom | None:
    binary = run.fact("target_whole") and run.known("target_low") == 0 and run.known("target_high") == 1
    if not binary or run.fact("loss_before") != "absolute error" or run.fact("loss_of_classes"):
        return None
    return _symptom(
        run,
        "on targets of 0 and 1 the absolute error is smallest if the more frequent value is always predicted; use binary cross-entropy",
        PLAUSIBLE,
        Severity.WARNING,
    )


def _of_classes(run: Run) -> Symptom | None:
    """A loss for numbers on targets that name classes."""
    loss = NUMBERS.get(str(run.fact("loss_function") or ""))
    if not run.fact("target_one_hot") or loss is None:
        return None
    why = (
        "its gradient does not grow with the error, and it is smallest if the most frequent class is always predicted"
        if loss == "absolute error"
        else "after a softmax its gradient vanishes where the model is confidently wrong"
        if run.fact("activation_before_loss") == "softmax"
        else "it also penalizes correct scores that are large"
    )
    return _symptom(
        run,
        f"the loss is {loss} on one-hot targets, a classification: {why}; use cross-entropy",
        TYPICAL,
        Severity.WARNING,
    )


RULE = Rule(
    code="NN703",
    name="output-unfit-for-loss",
    severity=Severity.ERROR,
    title="the output does not fit the loss",
    needs={"fact:loss_is_finite|fact:targets_outside": 1},
    check=check,
    why="A loss fits an output if better outputs have a lower loss, the best output is possible, and the gradient leads there. A sigmoid with targets of 100, a softmax over one value and a logarithm of raw scores do not fit, and training cannot correct that.",
    how=f"No more than {percent(MAX_SEVERAL)} of the rows of zeros and ones under a softmax may name several classes. The loss is minimized over the outputs directly, without the network: its initial value, its minimum, its minimum with the last activation (an error if that misses {percent(MAX_SHORTFALL)} of the way or more), where gradient descent ends, and whether the best output follows the targets. Each output of the model is also moved far up and down: a loss that falls both ways with the square of the distance has no minimum. Where the targets are numbers, the last layer's weights are multiplied by large numbers of both signs: an error if the outputs stay within ends beyond which more than {percent(MAX_OUTSIDE)} of the targets lie.",
    sources=(
        Reference(
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2",
            "https://www.deeplearningbook.org/contents/mlp.html",
        ),
        Reference("Cao et al., DeepFD, ICSE 2022", "https://doi.org/10.1145/3510003.3510099"),
    ),
    remedies=("fit-loss-to-output", "drop-last-activation", "guard-the-loss"),
    sick=(
        Run.drawn(
            {
                "loss_is_finite": True,
                "loss_initial": 3400.0,
                "loss_reachable": 3300.0,
                "loss_best": 0.0,
                "output_activation": "sigmoid",
                "output_low": 0.0,
                "output_high": 1.0,
                "target_low": 0.0,
                "target_high": 100.0,
            }
        ),
        Run.drawn({"loss_is_finite": True, "targets_outside": 0.9, "bound_low": -0.1, "bound_high": 0.1}),
        Run.drawn({"targets_outside": 0.9, "bound_low": 0.0, "bound_high": 1.0, "bound_of": "generator"}),
        Run.drawn({"loss_is_finite": False}),
        Run.drawn({"loss_is_finite": True, "not_log_probabilities": "kl_div"}),
        Run.drawn({"loss_is_finite": True, "trained_with_target": ("teacher.weight",)}),
        Run.drawn({"loss_is_finite": True, "derivatives_without_graph": 1}),
        Run.drawn({"loss_is_finite": True, "log_softmax_over_examples": True}),
        Run.drawn({"loss_is_finite": True, "rest_of_right": 1.0, "rest_of_wrong": 0.2, "rest_beside": "cross_entropy"}),
        Run.drawn({"loss_is_finite": True, "log_det_unused": True}),
        Run.drawn({"loss_is_finite": True, "target_without_loss": 0.0}),
        Run.drawn({"loss_is_finite": True, "zero_derivatives": 1}),
        Run.drawn({"loss_is_finite": True, "labels_of_one_distribution": 3}),
        Run.drawn({"loss_is_finite": True, "symbols_sum_to_one": False}),
        Run.drawn({"loss_is_finite": True, "targets_too_long": 0.9}),
        Run.drawn({"loss_is_finite": True, "endless_output": 1, "endless_distance": 100.0, "endless_fall": 4e4}),
        Run.drawn({"loss_is_finite": True, "loss_function": "l1_loss", "target_one_hot": True}),
        Run.drawn({"loss_is_finite": True, "several_classes": 0.4}),
        Run.drawn(
            {
                "loss_is_finite": True,
                "loss_initial": 116.3,
                "loss_reachable": 4.9,
                "loss_best": 4.9,
                "loss_descended": 116.3,
                "held_loss_after": 0.0,
            }
        ),
        Run.drawn(
            {
                "loss_is_finite": True,
                "loss_before": "nll",
                "loss_reachable": -90.0,
                "loss_initial": 0.1,
                "loss_of_classes": True,
            }
        ),
    ),
    healthy=(
        Run.drawn(
            {
                "loss_is_finite": True,
                "loss_initial": 2.3,
                "loss_reachable": 0.0,
                "loss_best": 0.0,
                "loss_descended": 0.01,
                "loss_adds": "mean",
                "loss_of_classes": True,
            }
        ),
        Run.drawn(
            {
                "loss_is_finite": True,
                "loss_initial": 0.7,
                "loss_reachable": 0.0,
                "loss_best": 0.0,
                "loss_descended": 0.0,
                "loss_follows_target": 0.99,
            }
        ),
        Run.drawn(
            {
                "loss_is_finite": True,
                "loss_initial": 0.16,
                "loss_reachable": 0.0,
                "loss_best": 0.0,
                "loss_descended": 0.07,
                "held_loss_after": 0.02,
                "loss_follows_target": 0.57,
            }
        ),
    ),
    suppressed_by=("softmax-before-cross-entropy", "labels-out-of-range"),
)
