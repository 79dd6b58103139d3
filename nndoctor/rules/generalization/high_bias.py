"""The training error itself is high, and has settled there."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.bias import EXPLAINED_BY, TrainingError, knows_best, slow, stuck, target_error, training_error
from nndoctor.analysis.chance import chance_loss, classes, guesses
from nndoctor.analysis.convergence import FALL, course, reach, steadier, stopped, sureness
from nndoctor.analysis.layers import is_trial
from nndoctor.analysis.unlogged_causes import no_signal
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

GAP = 0.05  # training error above the known target; Ng's worked examples call 7 points high and 1 point fine
UNKNOWN = 0.14  # above an assumed target near zero: the courses' 15 % is high bias, their 1 % is not
LIKELY = 0.22  # less is mostly the noise of the data, in the zoo, whose runs log a loss: information without a target
THIRD = 1 / 3  # up to here, where the error has halved since the first reading
FEW = 5  # points, where no target is given
MANY = 20  # classes; beyond, few tasks can be learned to the last example, and guesses about the target are worth less
UNKNOWN_MANY = 0.40
LOSS = 0.45  # of the loss of guessing, where only the loss is logged
GUESSES = 0.93  # of the loss of guessing
ALIKE = 0.06  # points between the errors
CONFIDENT = 0.15  # of the reach, between the losses
HALF = 0.5  # of the first reading
OWN_SHARE = 0.5  # bias smaller than this part of the variance is not what to mend first


def check(run: Run) -> Iterator[Symptom]:
    """Compare the training error with the target, or the loss with that of guessing where no error is logged."""
    loss = run.series.get("train/loss")
    if loss is not None and len(loss.y) >= 5 and (_still_falling(run, loss) or _still_guesses(run, loss)):
        return
    if not knows_best(run):
        return
    error = training_error(run)
    if error is not None:
        yield from _by_error(run, error)
    elif loss is not None and len(loss.y) >= 6:
        yield from _by_loss(run, loss)


def _still_guesses(run: Run, loss: Series) -> bool:
    """Whether the loss is still about that of guessing: what has not learned yet says nothing of its capacity."""
    chance = chance_loss(run) if classes(run) else None
    return guesses(run) or (chance is not None and loss.last > GUESSES * chance)


def _still_falling(run: Run, loss: Series) -> bool:
    loss = steadier(run)
    way = course(run, loss)
    unfinished = way.late_fall > FALL * reach(run) and way.ahead > way.much_ahead * reach(run)
    return unfinished and not stopped(run, loss)


def _by_error(run: Run, error: TrainingError) -> Iterator[Symptom]:
    target, gap = target_error(run), error.gap
    number_of = classes(run)
    assumed = UNKNOWN_MANY if number_of and number_of > MANY else UNKNOWN
    limit = GAP if target is not None else assumed
    if target is None and len(error.curve.y) < FEW:
        return
    bias = error.end - (target or 0.0)
    if bias < limit or bias < OWN_SHARE * gap or (target is None and _learns_by_heart(run, gap)):
        return
    rests = (
        f"{percent(target)} wanted"
        if target is not None
        else "a target near 0 % assumed; say --target-error if it is higher"
    )
    yield Symptom(
        f"training error is {percent(error.end)} and has settled ({rests})",
        sureness(bias, limit, 3 * limit) * (1.0 if target is not None else 0.9),
        {"train_error": error.end, "target_error": target, "bias": bias, "gap": gap},
        series=f"train/{run.metric.name}" if run.metric else None,
        step=float(error.curve.x[-1]),
        span=(float(error.curve.x[len(error.curve.x) * 3 // 4]), float(error.curve.x[-1])),
        causes=_causes(run, known=target is not None),
        severity=Severity.INFO if target is None and _may_be_noise(run, error, bias) else None,
    )


def _may_be_noise(run: Run, error: TrainingError, bias: float) -> bool:
    """Whether data with noise leave such an error, too: a small one, or one that is less than half of what it was."""
    small = bias < LIKELY or (bias < THIRD and bias < HALF * error.curve.first)
    return small and "train/loss" in run.series


def _learns_by_heart(run: Run, gap: float) -> bool:
    """A gap in loss where there is hardly one in error: the network fits more than can be known, so noise sets its error."""
    train, validation = run.series.get("train/loss"), run.series.get("validation/loss")
    if train is None or validation is None or not len(train.y) or not len(validation.y):
        return False
    return gap < ALIKE and validation.last - train.last > CONFIDENT * reach(run)


def _by_loss(run: Run, loss: Series) -> Iterator[Symptom]:
    chance = chance_loss(run) if classes(run) else None
    other = run.series.get("validation/loss")
    error = run.error("validation") if run.judged_by_share else None
    apart = other.last - loss.last if other is not None and len(other.y) else None
    if error is not None and len(error.y) and apart is not None:
        together = abs(apart) < 0.1 * reach(run)
        target = target_error(run) or 0.0
        high = error.last - target > (UNKNOWN_MANY if target_error(run) is None else GAP)
        words = (
            f"validation error is {percent(error.last)} and the two losses lie together ({number(loss.last)}, {number(other.last)})"
            if other
            else ""
        )
    elif chance is not None and (apart is None or apart < 0.15 * reach(run)):
        together, high = True, loss.last > LOSS * chance
        words = f"training loss settled at {number(loss.last)}, {percent(loss.last / chance)} of the loss of guessing"
    else:
        return
    if together and high:
        yield Symptom(
            f"{words}: the network cannot fit its training data",
            0.6,
            {
                "train_loss": loss.last,
                "chance_loss": chance,
                "validation_error": error.last if error is not None and len(error.y) else None,
            },
            series="train/loss",
            step=float(loss.x[-1]),
            span=(float(loss.x[len(loss.x) * 3 // 4]), float(loss.x[-1])),
            causes=_causes(run, known=False),
            severity=Severity.INFO if is_trial(run) else None,
        )


def _causes(run: Run, *, known: bool) -> tuple[Cause, ...]:
    loss = run.series.get("train/loss")
    settled = (slow(run, loss),) if loss is not None and len(loss.y) >= FEW else ()
    noise = Cause(
        "labels partly wrong" if known else "noise that no network can fit",
        0.25 if known else 0.35,
        "a log cannot show the error that an ideal predictor would make",
        "let a person label 100 examples, and give that error as --target-error",
    )
    return (
        Cause(
            "network too small or too simple",
            0.4,
            "the loss has settled and no gap opened",
            "one run four times as wide: training error falls",
        ),
        Cause(
            "regularization too strong",
            0.25,
            "dropout, weight decay and augmentation all raise the training error",
            "one run without them: training error falls",
        ),
        noise,
        *settled,
        *(stuck(loss) if loss is not None and len(loss.y) else ()),
        *no_signal(run),
    )


RULE = Rule(
    code="NN101",
    name="high-bias",
    severity=Severity.WARNING,
    title="training error is high",
    needs={"train/metric|train/loss": 1},
    check=check,
    why="A network that cannot fit the examples it was shown will not do better on new ones. More data will not help; more capacity or less regularization will.",
    how="Training error less the target (human level, --target-error) is 5 points or more; 14 with a target near 0 assumed (without a target and with a loss in the log information up to 22, and up to 33 where the error has halved), 40 beyond 20 classes; and the loss has settled. With no error in the log, a loss at 45 % of guessing or more.",
    sources=(
        Reference("Ng, Machine Learning Yearning, chapters 20-27"),
        Reference(
            "CS231n: a small gap at low accuracy: 'your model capacity is not high enough'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=("larger-network", "less-regularization", "train-longer", "other-architecture", "set-target-error"),
    sick=(
        Run.drawn({"target_error": 0.0}, train_error="0.15", validation_error="0.16"),
        Run.drawn({"target_error": 0.0}, train_error="0.15", validation_error="0.30"),
        Run.drawn(
            train_loss="2.3 1.2 1.0 0.95 0.93 0.92 0.92 0.92", train_accuracy="0.3 0.5 0.6 0.63 0.65 0.66 0.66 0.66"
        ),
    ),
    healthy=(
        Run.drawn({"target_error": 0.0}, train_error="0.01", validation_error="0.11"),
        Run.drawn({"target_error": 0.0}, train_error="0.005", validation_error="0.01"),
        Run.drawn({"target_error": 0.14}, train_error="0.15", validation_error="0.16"),
    ),
    yields_to=EXPLAINED_BY,
)
