"""The validation loss was best long ago and has risen since, while training went on."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.chance import chance_loss
from nndoctor.analysis.convergence import has_moved, reach, sureness
from nndoctor.analysis.unlogged_causes import no_signal
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

RISE = 0.10  # of the distance that the losses covered; 15 % is certain, 5 % may be luck
ROUGH = 3.0  # times the validation loss's own noise
SLIGHT = 0.09  # of a positive loss: a smaller rise, where it is no large part of the way either, is information
PLAIN = 0.3  # of the distance: no small rise
PART = 0.3  # of training's way down, where validation was best at once
LATEST = 0.8  # the best lies before this share of the run


def check(run: Run) -> Iterator[Symptom]:
    """Compare the end of the validation loss with its best, and see that training kept falling in between."""
    validation, train = run.series["validation/loss"], run.series.get("train/loss")
    train = train if train is not None and len(train.y) >= 4 else None
    end = median(validation.y[-max(3, len(validation.y) // 10) :])
    rise = end - validation.best
    scale = _covered(run, train, validation)
    at = validation.best_step
    if not has_moved(run) or validation.share_of_run(at) > LATEST or rise < max(RISE * scale, ROUGH * validation.noise):
        return
    if train is not None and not _kept_falling(train, at, scale):
        return
    floor = min(s.best for s in (train, validation) if s is not None)
    slight = validation.low > 0 and rise < SLIGHT * end and rise < PLAIN * scale
    points = int((validation.x > at).sum())
    yield Symptom(
        f"validation loss was best at step {step(at)} ({number(validation.best)}) and is {number(end)} now: "
        f"stopping there would have saved {points} of {len(validation.y)} evaluations"
        + (f" and {percent(rise / (end - floor))} of the excess loss" if train is not None else ""),
        sureness(rise / scale, RISE, 0.4) * (1.0 if train is not None else 0.8),
        {
            "best": validation.best,
            "best_step": at,
            "last": end,
            "rise": rise,
            "rise_share": rise / scale,
            "evaluations_after": points,
        },
        series="validation/loss",
        step=at,
        span=(at, float(validation.x[-1])),
        causes=no_signal(run),
        severity=Severity.INFO if slight else None,
    )


def _kept_falling(train: Series, at: float, scale: float) -> bool:
    """Whether the training loss went on falling from a step to the end."""
    after = train.y[train.x >= at]
    return len(after) >= 2 and float(after[: max(1, len(after) // 10)].mean()) - train.last >= 0.02 * scale


def _covered(run: Run, train: Series | None, validation: Series) -> float:
    """How far the validation loss came down, from its start or from chance; where it never did, a part of training's way."""
    first = validation.first if train is None else max(validation.first, train.first)
    start = min(max(first, chance_loss(run) or first), reach(run) + validation.best)
    part = 0.0 if train is None else PART * (train.first - train.best)
    return max(start - validation.best, part, 1e-12)


RULE = Rule(
    code="NN103",
    name="overtraining",
    severity=Severity.WARNING,
    title="validation loss has risen since its best",
    needs={"validation/loss": 4},
    check=check,
    why="Past its best epoch a network only learns its training examples by heart: the steps after it cost time and make the model worse.",
    how="The validation loss ends above its best by 10 % of the distance covered and three times its noise; the best lies before 80 % of the run, and the training loss kept falling. Information where the rise is under 9 % of a positive loss and 30 % of the distance.",
    sources=(
        Reference("Prechelt, Early Stopping - But When?, 1998"),
        Reference(
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 7.8",
            "https://www.deeplearningbook.org/contents/regularization.html",
        ),
    ),
    remedies=("early-stopping", "weight-decay", "dropout", "augmentation", "more-data"),
    sick=(
        Run.drawn(train_loss="2.3..0.05*30", validation_loss="2.3..0.9*8 0.92..1.6*22"),
        Run.drawn(train_loss="3.5..1.5*10", validation_loss="3.77..6.7*10"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3..0.05*30", validation_loss="2.3..0.9*15 0.9..0.91*15"),
        Run.drawn(train_loss="2.3..0.02*30", validation_loss="2.3..0.05*20 0.05..0.06*10"),
    ),
    free=True,
    yields_to=("nan-loss", "diverged", "plateau-at-start"),
)
