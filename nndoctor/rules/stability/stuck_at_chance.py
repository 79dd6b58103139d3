"""The run ends no better than random guessing, whatever came before."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.constant_answers import (
    AUC_OF_GUESSING,
    MAX_OFF_AUC,
    MIN_AUCS,
    MIN_TIMES_UNIGRAM,
    MIN_TRAINED,
    SAME_ANSWER,
    UNIGRAM,
    auc_of_guessing,
    flips_answers,
)
from nndoctor.analysis.guessing import MAX_OFF_ALONE, MAX_OFF_EXPLODED, Guessing, ends_at_guessing
from nndoctor.analysis.guessing_causes import guessing_causes
from nndoctor.analysis.learning_rate import zero_rate
from nndoctor.analysis.level import dwarfs_second
from nndoctor.analysis.low_accuracy import MAX_ACCURACY, MAX_FALL, MAX_WITH_LOSS, MIN_WITH_LOSS
from nndoctor.analysis.low_accuracy import MIN_POINTS as MIN_ACCURACIES
from nndoctor.analysis.stuck_causes import remedies_for
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

CONFIDENCE = {
    "classes": 0.97,
    "accuracy": 0.95,
    "majority": 0.93,
    "loss": 0.85,
    "gan": 0.85,
    "noise": 0.85,
    "frequency": 0.85,
    "low": 0.85,
    "auc": 0.93,
}
"""How sure each kind of evidence is; measured on the zoo, where none of them was wrong on a healthy run."""
MIN_STEPS = 100  # optimizer steps of a recorded run


def check(run: Run) -> Iterator[Symptom]:
    """Compare where the run ends with what guessing gives: in training, or in validation where nothing else is logged."""
    trained = any(name.startswith("train/") for name in run.series) or run.fact("task") == "gan"
    split = "train" if trained else "validation"
    found = ends_at_guessing(run, split)
    if found is None:
        return
    name = "discriminator_loss" if found.evidence == "gan" else f"{found.split}/loss"
    loss = run.series.get(name)
    shown = loss if loss is not None else run.series.get(f"{found.split}/accuracy")
    if shown is None:
        return
    causes = guessing_causes(run, found, loss)
    yield Symptom(
        _message(run, found, loss),
        CONFIDENCE[found.evidence],
        {
            "loss_of_guessing": found.loss,
            "accuracy_of_guessing": found.accuracy,
            "classes": found.classes,
            "last": shown.final,
            "evidence": found.evidence,
        },
        series=shown.name,
        step=shown.last_step,
        span=shown.span,
        causes=causes,
        remedies=_remedies(found, loss) or remedies_for(causes),
        severity=Severity.INFO if run.layers and len(shown.values) < MIN_STEPS else None,
    )


def _message(run: Run, found: Guessing, loss: Series | None) -> str:
    zero = zero_rate(run)
    return _guess(run, found, loss) + (f"; {zero}" if zero else "")


def _guess(run: Run, found: Guessing, loss: Series | None) -> str:
    """What shows that the run guesses."""
    score = _score(run, found)
    auc = auc_of_guessing(run, found.split)
    if found.evidence == "auc" and auc is not None:
        return f"{series_in_words(auc.name)} is between {number(auc.low)} and {number(auc.high)} in all {len(auc.y)} values: random guessing has {number(AUC_OF_GUESSING)}"
    if found.evidence == "low" and score is not None:
        return f"{series_in_words(score.name)} is at most {percent(score.high)} in all {len(score.y)} values and does not rise: the network does not learn"
    ends = " and ".join(_ends(found, loss, score))
    if found.evidence == "majority" and score is not None:
        return f"{ends} {_one_answer(score)}"
    return (
        _of_loss_alone(run, found, loss)
        or f"{ends}: no better than random guessing {_level(run, found, loss)}".rstrip()
    )


def _of_loss_alone(run: Run, found: Guessing, loss: Series | None) -> str:
    """The sentence on a task that has no accuracy; empty for another."""
    if found.evidence == "gan" and loss is not None:
        return f"the discriminator loss ends at {number(loss.final)}, as if it answered one half to every sample: it cannot distinguish real from generated samples"
    if found.evidence == "noise" and loss is not None:
        return f"the denoising loss ends at {number(loss.final)}, and noise of unit variance has a mean square of 1: predicting zero would do as well"
    if found.evidence == "frequency":
        perplexity = run.series["train/perplexity"]
        return f"training perplexity ends at {number(perplexity.final)} after {perplexity.last_step:,.0f} steps: a model that only knows how often each word occurs has about {UNIGRAM:.0f}"
    return ""


def _ends(found: Guessing, loss: Series | None, score: Series | None) -> Iterator[str]:
    """Where the loss and the score end."""
    if loss is not None:
        yield _end_of_loss(loss)
    if score is not None:
        yield _end_of_score(found, score, verb="ends at" if loss is None else "is")


def _one_answer(score: Series) -> str:
    """The end of the sentence that gives a score of one answer to everything."""
    if flips_answers(score):
        other = percent(score.low if score.final == score.high else score.high)
        return f"or {other} in all {len(score.y)} values: the network gives one answer for every example, now this one and now that"
    same = f"in {'' if score.low == score.high else 'nearly '}all {len(score.y)} values"
    return f"{same}: the network gives one answer for every example"


def _score(run: Run, found: Guessing) -> Series | None:
    """The accuracy to quote; where one answer is given for every example, another metric that shows it."""
    names = [f"{found.split}/accuracy", "validation/accuracy"]
    if found.evidence == "majority" and run.metric is not None:
        names += [f"validation/{run.metric.name}", f"train/{run.metric.name}"]
    return next((run.series[name] for name in names if name in run.series and len(run.series[name].y)), None)


def _end_of_loss(loss: Series) -> str:
    note = f" (first value {number(loss.initial)})" if dwarfs_second(loss) else ""
    return f"{series_in_words(loss.name)} ends at {number(loss.final)}{note}"


def _end_of_score(found: Guessing, score: Series, *, verb: str) -> str:
    split, _, metric = score.name.rpartition("/")
    return f"{series_in_words(metric if split == found.split else score.name)} {verb} {percent(score.final)}"


def _level(run: Run, found: Guessing, loss: Series | None) -> str:
    """The level of guessing, or where the log ends."""
    if found.classes and found.loss is not None:
        return f"(ln {found.classes} = {found.loss:.3f} for {found.classes} classes)"
    return f"at {run.place(loss.last_step)}" if loss is not None else ""


def _remedies(found: Guessing, loss: Series | None) -> tuple[str, ...]:
    if found.evidence == "frequency":
        return TEXT_FIRST
    return TOO_HIGH_FIRST if loss is not None and dwarfs_second(loss) else ()


TEXT_FIRST = ("lower-learning-rate", "warm-up", "overfit-tiny-subset", "check-labels")
TOO_HIGH_FIRST = ("lower-learning-rate", "normalize-inputs", "overfit-tiny-subset", "check-labels", "check-the-step")

RULE = Rule(
    code="NN310",
    name="stuck-at-chance",
    severity=Severity.ERROR,
    title="no better than random guessing at the end",
    needs={"train/loss|train/accuracy|validation/loss|validation/accuracy|discriminator_loss": 4},
    check=check,
    why="A run that ends at the level of random guessing has learned nothing that lasts. Its gap, its bias and its schedule mean nothing until that is fixed.",
    how=f"Over the last quarter the accuracy is that of random guessing (by the known number of classes or by the loss) and the loss no lower than ln C; or the accuracy is the same to the last digit in {percent(SAME_ANSWER)} of the values and the loss no lower than that answer's, or is always one of two that add up to one; or, with no accuracy in the log, the loss of the second half is within {percent(MAX_OFF_ALONE)} of ln C for a common number of classes, {percent(MAX_OFF_EXPLODED)} after a far higher start; or the perplexity of a text is, after {MIN_TRAINED:,} steps, more than {MIN_TIMES_UNIGRAM:g} times that of word frequencies; or a log without a loss holds {MIN_ACCURACIES} accuracies or more, none above {percent(MAX_ACCURACY)}, that do not rise (with a loss that falls by less than {percent(MAX_FALL)}: {MIN_WITH_LOSS}, none above {percent(MAX_WITH_LOSS)}); or the AUC of every split that logs one is within {MAX_OFF_AUC:g} of {AUC_OF_GUESSING:g} in all of {MIN_AUCS} values or more. An accuracy logged with a squared error is ignored.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019: verify the loss at init, overfit one batch",
            "https://karpathy.github.io/2019/04/25/recipe/",
        ),
        Reference(
            "CS231n, Babysitting the learning process: the loss of random guessing",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=("overfit-tiny-subset", "learning-rate-range-test", "check-labels", "check-the-step", "he-initialization"),
    sick=(
        Run.drawn(
            train_loss="1109 2.305 2.336 2.307 2.304 2.302 2.303 2.301",
            validation_loss="2.306 2.309*7",
            validation_accuracy="0.115 0.115 0.11 0.11 0.105 0.09 0.085 0.085",
        ),
        Run.drawn(
            train_loss="2.352 2.309 2.305 2.304 2.303 2.3028 2.3025 2.302",
            train_accuracy="0.105 0.109 0.113 0.1 0.104 0.109 0.105 0.109",
        ),
        Run.drawn(
            train_loss="2.3 1.2 0.6 0.4 0.3 80 2.31 2.303 2.303 2.302 2.304 2.303",
            train_accuracy="0.1 0.5 0.8 0.85 0.9 0.1 0.1 0.11 0.1 0.1 0.09 0.1",
        ),
        Run.drawn(
            train_loss="4.1 0.6364 0.6296 0.6314 0.6325 0.6311",
            validation_loss="0.63 0.628 0.631 0.627 0.629 0.628",
            validation_accuracy="0.68382*6",
        ),
        Run.drawn(train_accuracy="0.07 0.04 0.06 0.03 0.06 0.05 0.05 0.06 0.04 0.05"),
        Run.drawn(
            train_loss="5.913 1.772 0.97 2.032 1.702 0.975 1.196 0.955 1.23 0.772",
            validation_loss="0.792 0.669 1.453 0.708 0.955 0.678",
            validation_accuracy="0.6167 0.6167 0.3833 0.3833 0.6167 0.6167",
        ),
        Run.drawn(train_loss="11.96 10.03 3.08 1.12 1.1..1.092*36"),
        Run.drawn(
            train_loss="29.6 55.5 12.3 1.9 1.638 1.62 1.61 1.605 1.6 1.6 1.599 1.599 1.598 1.598 1.597*30",
            train_accuracy="0.1667 0.28 0.2733 0.1933 0.2 0.1733 0.1733 0.1667 0.2733*36",
            validation_accuracy="0.2275 0.2125 0.1975 0.185 0.23 0.23 0.23 0.1625 0.21*36",
        ),
        Run.drawn({"workload": "diffusion"}, train_loss="1.02 0.99 1.02 1.01 0.97 0.96 0.97 0.98 0.96 1.0*30"),
        Run.drawn({"task": "gan"}, discriminator_loss="1.8 1.5 1.386*14", generator_loss="2.6 1.1 0.693*14"),
        Run.drawn(
            train_loss="0.91 0.75 0.71 0.698 0.699 0.697 0.695",
            train_auc="0.502 0.498 0.503 0.501 0.499 0.502 0.504",
            validation_auc="0.497 0.505 0.5 0.501 0.498 0.503 0.499",
        ),
    ),
    healthy=(
        Run.drawn(train_accuracy="0.03 0.05 0.06 0.08 0.1 0.11 0.13 0.16 0.18 0.2"),
        Run.drawn({"workload": "diffusion"}, train_loss="1.06..0.3*30"),
        Run.drawn(
            train_loss="0.91 0.75 0.71 0.698 0.67 0.65 0.63", train_auc="0.502 0.498 0.503 0.511 0.517 0.53 0.55"
        ),
        Run.drawn(train_loss="2.3..0.4*20", train_accuracy="0.1..0.9*20"),
        Run.drawn(train_loss="1.14 1.12 1.11 1.09 1.08 1.07", train_accuracy="0.34 0.35 0.36 0.38 0.4 0.41"),
        Run.drawn(train_loss="1.045..1.032*20", train_accuracy="0.443..0.456*20"),
        Run.drawn(
            train_loss="541 446 370 200 100 50 25 21",
            train_accuracy="0.004 0.0002 0.002 0.001 0.008 0.0004 0.004 0.0003",
        ),
        Run.drawn(
            train_loss="0.2 0.1 0.06 0.05 0.05", validation_loss="0.2 0.12 0.1 0.1 0.1", validation_accuracy="0.9667*5"
        ),
        Run.drawn(
            {"task": "gan"}, discriminator_loss="0.6 0.4 0.5 0.3 0.6 0.5 0.4 0.5", generator_loss="2 3 2.5 4 3 2 3 2.5"
        ),
    ),
    suppressed_by=(
        "nan-loss",
        "loss-exactly-zero",
        "no-weight-changes",
        "plateau-at-start",
        "nan-in-layer",
        "dead-relu",
        "saturated-activation",
        "vanishing-gradient",
        "exploding-gradient",
        "update-ratio-off",
        "constant-output",
        "symmetric-initialization",
        "signal-shrinks",
        "signal-grows",
    ),
)
