"""Training and validation inputs differ in mean or spread."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED, SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_SHIFT = 0.5  # standard deviations of the training inputs between the two means
MAX_RATIO = 2.0  # between the two standard deviations
MAX_UNSEEN = 0.05  # of the validation examples
CODES, RANGES = 3, 4  # numbers that are known of the codes, and of the ranges of targets
MAX_NEW_CODES = 0.3  # of the validation examples, more than by chance
LEARNED = 0.3  # of the first loss, by which that of held-out training examples falls
FOLLOWS = 0.4  # of that fall, which the loss of validation examples shares at least
ERRORS = 4.0  # standard errors of the mean that chance is allowed on top


def check(run: Run) -> Iterator[Symptom]:
    """Compare the classes of both, then their inputs, then what a training does for them."""
    unseen = run.number("unseen_class_share")
    if unseen > MAX_UNSEEN:
        text = f"{percent(unseen)} of the validation examples have a class that no training example read has: split the examples at random, or by class"
        yield Symptom(text, MEASURED, {"unseen": unseen}, place="validation_data")
        return
    yield from _codes(run) or _targets(run) or _inputs(run) or _losses(run)


def _codes(run: Run) -> list[Symptom]:
    """Compare the codes that an input has in both, against those of two halves of the training examples."""
    found = run.numbers("unseen_codes")
    if len(found) != CODES or found[1] <= found[2] + MAX_NEW_CODES:
        return []
    place, unseen, expected = found
    text = f"{percent(unseen)} of the validation examples have a code in input {place:.0f} that no training example read has ({percent(expected)} would by chance): what the model knows of it is as it was initialized; split the examples at random, or within each code"
    return [Symptom(text, MEASURED, {"unseen": unseen, "by_chance": expected}, place="validation_data")]


def _targets(run: Run) -> list[Symptom]:
    """Compare the ranges of the targets."""
    found = run.numbers("targets_apart")
    if len(found) != RANGES:
        return []
    low, high, least, most = found
    text = f"the targets of the validation examples are between {_loss(least)} and {_loss(most)}, all outside the range of the training targets, {_loss(low)} to {_loss(high)}: the examples were divided in the order of their targets; shuffle them before"
    return [Symptom(text, MEASURED, {"lowest": least, "highest": most}, place="validation_data")]


def _losses(run: Run) -> list[Symptom]:
    """Compare what a training does for both."""
    names = ("held_loss_before", "held_loss_after", "validation_loss_before", "validation_loss_after")
    found = [run.known(name) for name in names]
    if any(value is None for value in found):
        return []
    begun, ended, before, after = (float(value or 0.0) for value in found)
    fall = begun - ended
    if fall < LEARNED * abs(begun) or before - after > FOLLOWS * fall or after <= ended:
        return []
    moved = "rises" if after > before else "falls only"
    text = f"a training of {run.number('fit_steps'):.0f} steps takes the loss of training examples that it does not see from {_loss(begun)} to {_loss(ended)}, and that of the validation examples {moved} from {_loss(before)} to {_loss(after)}: are their inputs and targets prepared in the same way?"
    return [Symptom(text, SEVERAL_SIGNS, dict(zip(names, found, strict=True)), place="validation_data")]


def _loss(value: float) -> str:
    return number(float(f"{value:.3g}"))


def _inputs(run: Run) -> list[Symptom]:
    """Compare mean and deviation of all input values."""
    if run.known("shift_mean") is None:
        return []
    mean, error = (run.number(n) for n in ("shift_mean", "shift_mean_error"))
    scale = run.number("shift_scale")
    ratio = max(scale, 1 / scale) if scale > 0 else float("inf")
    if mean > MAX_SHIFT + ERRORS * error or ratio > MAX_RATIO * (1 + ERRORS * error):
        text = f"the mean of the validation inputs differs from that of the training inputs by {number(mean)} standard deviations, and their spread is {number(scale)} times as large: is the preprocessing the same?"
        return [Symptom(text, SEVERAL_SIGNS, {"means_apart": mean, "spread_ratio": scale}, place="validation_data")]
    return []


RULE = Rule(
    code="NN609",
    name="train-validation-shift",
    severity=Severity.WARNING,
    title="validation examples are distributed differently from training examples",
    needs={
        "fact:shift_mean|fact:unseen_class_share|fact:validation_loss_after|fact:unseen_codes|fact:targets_apart": 1
    },
    check=check,
    why="A network sees inputs that it was not trained on when one split is normalized and the other is not, or when each is normalized by its own mean.",
    how=f"The means of all input values differ by more than {MAX_SHIFT:g} standard deviations, or the standard deviations by more than a factor of {MAX_RATIO:g}, and by {ERRORS:g} standard errors more; or more than {percent(MAX_UNSEEN)} of the validation examples are of classes that the training set lacks; or codes in an input are new in {percent(MAX_NEW_CODES)} more of them than between two halves of the training examples; or all their targets lie outside the range of the training targets; or a short training on three quarters of the training batches lowers the loss of the last quarter by more than {percent(LEARNED)} and that of the validation examples, which stays the higher one, by less than {percent(FOLLOWS)} of that.",
    sources=(Reference("Ng, Machine Learning Yearning, chapters 40 to 43"),),
    remedies=("same-preparation",),
    sick=(
        Run.drawn({"unseen_class_share": 1.0}),
        Run.drawn({"unseen_codes": (1, 0.9, 0.05)}),
        Run.drawn({"targets_apart": (-2.0, 0.8, 0.8, 4.1)}),
        Run.drawn(
            {
                "held_loss_before": 1.1,
                "held_loss_after": 0.1,
                "validation_loss_before": 1.1,
                "validation_loss_after": 2.9,
                "fit_steps": 300,
            }
        ),
        Run.drawn({"shift_mean": 2.4, "shift_scale": 3.1, "shift_mean_error": 0.05}),
    ),
    healthy=(
        Run.drawn({"unseen_class_share": 0.0}),
        Run.drawn({"unseen_codes": (2, 0.3, 0.2)}),
        Run.drawn(
            {
                "held_loss_before": 1.1,
                "held_loss_after": 0.1,
                "validation_loss_before": 1.1,
                "validation_loss_after": 0.5,
                "fit_steps": 300,
            }
        ),
        Run.drawn({"shift_mean": 0.02, "shift_scale": 1.01, "shift_mean_error": 0.05}),
    ),
)
