"""The loss swings instead of settling: the steps are too large."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.bias import training_error
from nndoctor.chance import GUESSING, UNLEARNED, chance_loss, classes
from nndoctor.curve import noise_level, quantile
from nndoctor.finding import Cause, Severity, Symptom
from nndoctor.layers import pace
from nndoctor.progress import lr_share, reach, roughness, sureness
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.series import Series
from nndoctor.throws import comes_back, thrown, thrown_unseen
from nndoctor.wording import number, percent, step

SWING = 0.16  # of the reach: what the level still moves from one sixtieth of the run to the next
BRIEF = 0.2  # of the readings
FEW_JUMPS = 2
MADE_GOOD = 0.15  # of the climb: what may be left of it at the end
NOISES = 6.0  # by which a climb stands out of the noise of the smooth curve
WHITE = 1.8  # times what independent noise would leave in those levels: small batches alone do not wander
FEW = 8  # points: a swing is seen three times at least
FITTING = 0.03  # of the weights' size in a step of the second half: smaller steps are not what makes a loss swing
GROWTH = 5.0  # times: the noise of the last third against that of the first
CLIMB = 0.25  # of the reach, kept up by a tenth of the run
WORSE = 1.3  # times the loss of guessing
POOR = 0.25  # training error
FEW_WRONG = 4  # readings


def check(run: Run) -> Iterator[Symptom]:
    """Measure how far the reduced curve still swings in the second half, or how high it was thrown."""
    loss = run.series["train/loss"]
    found = _thrown(run, loss) or _thrown_before(run, loss) or _worse_than_guessing(run, loss) or _wandered(run, loss)
    if found is not None:
        yield found
        return
    swing = _swing(run, loss)
    if swing > SWING:
        swing = min(_swing(run, series) for series in _both(run, loss))
    end = lr_share(run, 0.9, 1.0)
    if len(loss.y) >= FEW and swing > SWING and _wanders(loss) and (end is None or end > 0.2) and not _fitting(run):
        yield Symptom(
            f"training loss still swings by {percent(swing)} of all it has learned from one reading to the next, and does not settle",
            sureness(swing, SWING, 0.4),
            {"swing": round(swing, 4), "reach": reach(run), "noise": loss.noise, "best": loss.best, "last": loss.last},
            series="train/loss",
            step=float(loss.x[-1]),
            span=(float(loss.x[len(loss.x) // 2]), float(loss.x[-1])),
            causes=_causes(run),
        )


def _fitting(run: Run) -> bool:
    """Whether recorded layers show steps so small that the swings are those of the batches."""
    moved = pace(run)
    return moved is not None and moved <= FITTING


def _swing(run: Run, series: Series) -> float:
    """How far a loss moves between readings of its second half, as a share of its own way down, or from chance."""
    own = max(series.first, chance_loss(run) or series.first) - series.best
    late = series.y[len(series.y) // 2 :]
    rough = noise_level(late) if series.name.startswith("validation") else roughness(series, 0.5)
    guessing = chance_loss(run) or 0.0  # all that there is to learn, where that is known
    return rough / max(own, 0.5 * reach(run), UNLEARNED * guessing)


def _wanders(loss: Series) -> bool:
    """Whether the level moves by more than independent noise would leave in it, or the noise itself grew."""
    points = max(len(loss.y) // 60, 1)
    if points == 1 or _worsens(loss):
        return True
    left = max(loss.noise / points**0.5 * 1.25, 1e-12)
    return bool(roughness(loss, 0.5) / left / WHITE >= 1.0)


def _worsens(loss: Series) -> bool:
    """Whether the noise itself grew many times over: the noise of small batches shrinks as a run learns."""
    third = len(loss.y) // 3
    return noise_level(loss.y[-third:]) > GROWTH * max(noise_level(loss.y[:third]), 1e-9 * abs(loss.last))


def _thrown(run: Run, loss: Series) -> Symptom | None:
    """The loss was thrown far above its start, and never went far below it again."""
    peak = thrown(loss)
    if peak is None:
        return None
    where, start = float(loss.x[peak]), float(loss.y[0])
    return Symptom(
        f"training loss was thrown from {number(start)} up to {number(float(loss.y[peak]))} and has won little since ({number(loss.last)} at the end)",
        0.85,
        {"first": start, "peak": float(loss.y[peak]), "last": loss.last},
        series="train/loss",
        step=where,
        span=(where, float(loss.x[-1])),
        causes=_causes(run),
    )


def _thrown_before(run: Run, loss: Series) -> Symptom | None:
    """The first reading dwarfs all others, and the network has learned little since: it exploded before it was logged."""
    error = training_error(run)
    if not thrown_unseen(loss) or error is None or len(loss.y) < FEW or error.end < POOR:
        return None
    return Symptom(
        f"the first reading of the training loss, {number(float(loss.y[0]))}, dwarfs the second, {number(float(loss.y[1]))}, "
        f"and training error has stayed at {percent(error.end)}: the weights were thrown before anything was logged",
        0.8,
        {"first": float(loss.y[0]), "second": float(loss.y[1]), "train_error": error.end},
        series="train/loss",
        step=float(loss.x[0]),
        span=(float(loss.x[0]), float(loss.x[-1])),
        causes=_causes(run),
    )


def _worse_than_guessing(run: Run, loss: Series) -> Symptom | None:
    """A cross-entropy that ends far above that of guessing: confident, and wrong, about the very examples it learns from."""
    chance, accuracy = chance_loss(run), run.series.get("train/accuracy")
    if chance is None or accuracy is None or len(loss.y) < FEW_WRONG or not len(accuracy.y):
        return None
    limit = WORSE * (chance if classes(run) is not None else GUESSING)
    if quantile(loss.y[len(loss.y) // 2 :], 0.25) < limit:
        return None
    return Symptom(
        f"training loss ends at {number(loss.last)}, far above the {number(limit / WORSE)} that guessing gives: the weights were thrown",
        sureness(loss.last, limit, 3 * limit),
        {"last": loss.last, "guessing": limit / WORSE},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[len(loss.x) // 2]), float(loss.x[-1])),
        causes=_causes(run),
    )


def _wandered(run: Run, loss: Series) -> Symptom | None:
    """The level itself climbed far above what had been reached, stayed up for a while, and came back."""
    climbs = [_climb(series) for series in _both(run, loss)]
    height = min(climb for climb, _ in climbs) / reach(run)
    climb, where = climbs[0]
    if height < CLIMB or climb < NOISES * loss.noise / _averaged(loss) ** 0.5 or len(loss.y) < FEW:
        return None
    if comes_back(loss) or _only_spikes(run, loss):
        return None
    return Symptom(
        f"training loss climbed by {percent(climb / reach(run))} of all it has learned around step {step(where)} before it came down again",
        sureness(height, CLIMB, 0.6),
        {"climb": climb, "reach": reach(run), "last": loss.last},
        series="train/loss",
        step=where,
        span=(where, float(loss.x[-1])),
        causes=_causes(run),
    )


def _averaged(loss: Series) -> float:
    """Points whose median makes one point of the smooth curve."""
    return max(len(loss.y) / 20, 1.0)


def _only_spikes(run: Run, loss: Series) -> bool:
    """Whether most of the climb was one jump that is made good, or the loss was up for a few readings only."""
    above = loss.y - np.minimum.accumulate(loss.y)
    left = loss.last - loss.best
    jumps = np.diff(loss.y)
    alone = float(jumps.max()) > 0.5 * float(above.max()) and int(np.sum(jumps > 0.25 * above.max())) <= FEW_JUMPS
    jumped = alone and left < MADE_GOOD * float(above.max())
    brief = float(np.mean(above > 0.5 * CLIMB * reach(run))) <= BRIEF and left < 0.05 * reach(run)
    return jumped or brief


def _climb(series: Series) -> tuple[float, float]:
    """The highest level over the lowest before it that a tenth of the run's points keep up, and its step."""
    y = series.smooth
    above = y - np.minimum.accumulate(y)
    height = quantile(above, 0.9)
    return height, float(series.reduced[0][int(np.argmax(above))])


def _both(run: Run, loss: Series) -> list[Series]:
    """Both losses where validation has points enough: weights that swing show in both, small batches in one."""
    validation = run.series.get("validation/loss")
    return [loss, validation] if validation is not None and len(validation.y) >= FEW else [loss]


def _causes(run: Run) -> tuple[Cause, ...]:
    lr = run.series.get("lr")
    rate = f" ({number(lr.last)} at the end)" if lr is not None and len(lr.y) else ""
    return (
        Cause(
            "learning rate too high",
            0.75,
            f"the level itself wanders, and the rate{rate} has not been decayed",
            "one run with a tenth of the learning rate, or decay it: the swings shrink with it",
        ),
        Cause(
            "batch too small", 0.25, "a noisy gradient swings at any rate", "one run with a batch four times as large"
        ),
    )


RULE = Rule(
    code="NN202",
    name="lr-too-high",
    severity=Severity.WARNING,
    title="the loss swings and does not settle",
    needs={"train/loss": 6},
    check=check,
    why="Steps larger than the valley is wide bounce between its walls: the loss gets stuck at a poor floor, and any step may throw it out.",
    how="Levels of sixtieths of the run swing by more than 16 % of the reach in its second half, more than independent noise would explain; or the loss was thrown to three times its start and won little after; or its first reading is ten times the second, and the training error stays at 25 % or more.",
    sources=(
        Reference(
            "CS231n: high rates 'decay the loss faster, but get stuck at worse values of loss'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference(
            "Bengio, Practical Recommendations for Gradient-Based Training, 2012, section 3.1",
            "https://arxiv.org/abs/1206.5533",
        ),
    ),
    remedies=("lower-learning-rate", "decay-learning-rate", "larger-batch", "warm-up"),
    sick=(
        Run.drawn(train_loss="2.3 1.9 2.6 1.7 2.4 1.6 2.5 1.8 2.3 1.6 2.6 1.7 2.2 1.5"),
        Run.drawn(
            train_loss="52 0.92 0.8 0.74 0.72 0.71 0.7 0.7 0.7",
            train_accuracy="0.35 0.5 0.58 0.6 0.61 0.62 0.62 0.62 0.62",
        ),
        Run.drawn(train_loss="2.29 6000 63000 2.1 2.5 33000 2.2 2.3 2.0 1.95"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3 1.4 1.1 0.9 0.95 0.8 0.78 0.8 0.74 0.72 0.73 0.7"),
        Run.drawn(train_loss="2.3 1.2 0.9 0.8 3.1 0.8 0.7"),
    ),
    yields_to=("nan-loss", "diverged", "sawtooth-epochs", "plateau-at-start"),
)
