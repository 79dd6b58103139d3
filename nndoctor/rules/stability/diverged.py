"""The training loss left its best level for good: it ends far above, or past three times its start."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from nndoctor.analysis.chance import at_chance
from nndoctor.analysis.convergence import confidence_between, lr_share, reach, roughness
from nndoctor.analysis.loss_explosion import comes_back
from nndoctor.analysis.loss_rise import reweighted, rises_for_good
from nndoctor.analysis.unlogged_causes import not_reset
from nndoctor.analysis.value_explosion import value_explosion
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent, place
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import quantile

LOST = 0.6  # share of what was learned that is lost at the end; a step of bad luck loses less, and comes back
NOISES = 8.0  # the rise must stand out of the curve's own noise by this much: the best of many levels lies 2 to 3 below
UNSURE = 4.0  # points; the noise of few is known badly, so that more is asked of them
LENGTH = 12  # readings
CLIMBED = 1.1  # times the first loss
MATERIAL = 0.01  # of the first loss: a loss that moves by less stands still
TREMOR = 0.03  # of the rise
GROWS = 1.3  # times, from one fifth of the run to the next
EXPLODED_RANGE = 0.3  # of the loss range: a smaller rise of a loss that hardly moved is no explosion
EXPLODED = 0.97  # confidence where the rise is a multiple of the decrease; no healthy run of the zoo does that
LARGEST_RATIO = 1e9  # a rise over almost nothing learned is infinite, which JSON cannot spell
FACTOR = 3.0  # CS231n: "if the cost is ever > 3 * original cost, break out early"

VALUES = (
    Cause(
        "learning rate too high",
        0.4,
        "each step overshoots, and the next target is computed from the result",
        "one run with a tenth of the learning rate",
    ),
    Cause(
        "target network updated too fast",
        0.35,
        "without a slow target network, errors reinforce themselves",
        "one run with a target network updated ten times as slowly",
    ),
    Cause(
        "rewards or discount too large",
        0.25,
        "values are sums of rewards over about 1 / (1 - discount) steps",
        "one run with rewards divided by their standard deviation",
    ),
)


def check(run: Run, lost: float = LOST) -> Iterator[Symptom]:
    """Compare the level at the end with the best level before it."""
    if workload(run) is Workload.REINFORCEMENT:
        yield from _values(run)
        return
    loss = run.series.get("train/loss")
    if loss is None:
        return
    rise = loss.last - loss.best
    if rise < MATERIAL * abs(loss.first) and loss.high - loss.low < MATERIAL * abs(loss.first):
        return
    learned = max(loss.first - loss.best, 0.0)
    rises = _rises(loss, rise)
    at_once = not rises and _at_once(loss)
    exploded = at_once or _multiplies(run, loss, rise, learned)
    gone = learned > 0 and rise > lost * max(learned, 0.5 * reach(run))
    for_good = rises_for_good(run)
    plain = (at_once or rises) and (exploded or gone)
    if not plain and for_good is None:
        return
    if at_chance(run) or comes_back(loss) or reweighted(run):
        return
    best = int(np.argmin(loss.y))
    yield Symptom(
        _message(run, loss, at_once=at_once),
        EXPLODED if exploded else confidence_between(rise / reach(run), lost / 2, 1.0),
        {
            "first": float(loss.y[0]),
            "best": loss.low,
            "best_step": float(loss.x[best]),
            "last": float(loss.y[-1]),
            "rise_over_learned": min(rise / learned, LARGEST_RATIO) if learned > 0 else LARGEST_RATIO,
        },
        series="train/loss",
        step=float(loss.x[best]),
        span=(float(loss.x[best]), float(loss.x[-1])),
        causes=_causes(run, loss),
        remedies=BOOSTING if workload(run) is Workload.BOOSTING else STEP_FIRST if _piles_up(loss) else (),
    )


def _rises(loss: Series, rise: float) -> bool:
    """Whether the loss ends clearly above its best, and stays there."""
    return rise > 0 and _stands_out(loss, rise) and _stays(loss)


def _multiplies(run: Run, loss: Series, rise: float, learned: float) -> bool:
    """Whether the loss rose by a multiple of its decrease; where it never fell, of its first value."""
    far = rise > FACTOR * learned if learned > 0 else rise > abs(loss.first)
    return far and rise > EXPLODED_RANGE * reach(run)


def _values(run: Run) -> Iterator[Symptom]:
    """Value estimates that grow without bound: each target is made from the last, too large one."""
    found = value_explosion(run)
    if found is None:
        return
    beyond = "" if found.bound is None else f", although no return exceeds {number(found.bound)}"
    yield Symptom(
        f"{found.series.column} grows from {number(float(found.series.y[0]))} to {number(float(found.series.y[-1]))}{beyond}: the value estimates diverge",
        DIRECT,
        {"first": float(found.series.y[0]), "last": float(found.series.y[-1]), "largest_return": found.bound},
        series=found.series.name,
        step=float(found.series.x[-1]),
        span=(float(found.series.x[0]), float(found.series.x[-1])),
        causes=VALUES,
        remedies=("lower-learning-rate", "slower-targets", "scale-rewards", "clip-gradients"),
    )


def _at_once(loss: Series) -> bool:
    """Whether three readings in four of the second half lie above three times the very first, however wildly they swing."""
    start = float(loss.y[0])
    return len(loss.y) >= LENGTH and quantile(loss.y[len(loss.y) // 2 :], 0.25) > FACTOR * start > 0


def _stands_out(loss: Series, rise: float) -> bool:
    """Whether a rise is more than the noise of the last tenth's level, or nearly all of the second half lies far above the start."""
    late = quantile(loss.y[len(loss.y) // 2 :], 0.25)
    noises = NOISES * (1 + UNSURE / len(loss.y))
    return rise > noises * loss.noise / max(len(loss.y) / 10, 1.0) ** 0.5 or late > 2.0 * loss.first > 0


def _stays(loss: Series) -> bool:
    """Whether the readings before the last lie above, too, so that one high last value does not count."""
    if len(loss.y) >= 4 and bool(np.all(np.diff(loss.y[-4:]) > 0)) and loss.y[-4] > loss.first:
        return True  # it still climbs, however steeply
    middle = loss.best + 0.3 * (loss.last - loss.best)
    tenth = loss.y[len(loss.y) * 9 // 10 :]
    if (
        len(tenth) >= 5
        and float(np.mean(tenth > loss.best + 0.1 * (loss.last - loss.best))) >= 0.8
        and float(tenth.min()) > loss.first
    ):
        return True
    if len(tenth) >= 5 and float(np.quantile(tenth, 0.2)) - loss.best > FACTOR**2 * (loss.first - loss.best) > 0:
        return True  # however far it jumps up there
    return len(loss.y) >= 4 and loss.level(0.8, 0.9) > middle and float(loss.smooth[-1]) > middle


def _message(run: Run, loss: Series, *, at_once: bool) -> str:
    first, last, best = float(loss.y[0]), float(loss.y[-1]), int(np.argmin(loss.y))
    times = f", {number(last / first)}× as high" if last > 2 * first > 0 and last < 1000 * first else ""
    if at_once or best == 0:
        return f"training loss rose from {number(first)} (first value) to {number(last)}{times} and does not come back"
    back = f", above its first value ({number(first)})" if last > first else ", and does not come back"
    return f"training loss was best at {place(run.axis, float(loss.x[best]))} ({number(loss.low)}) and ends at {number(last)}{back}"


def _piles_up(loss: Series) -> bool:
    """Whether the loss grows from its start on, fifth by fifth: a rate that is too high throws it up at once."""
    levels = [loss.level(k / 5, (k + 1) / 5) - loss.best for k in range(5)]
    grows = all(after > GROWS * max(before, 1e-12) for before, after in pairwise(levels[1:]))
    return len(loss.y) >= 20 and loss.share_of_run(loss.best_step) < 0.2 and grows


def _calm(loss: Series) -> bool:
    """Whether a loss that ends no higher than it began rose smoothly to where it stands."""
    return loss.last < CLIMBED * loss.first and roughness(loss, 0.5) < TREMOR * (loss.last - loss.best)


def _causes(run: Run, loss: Series) -> tuple[Cause, ...]:
    if workload(run) is Workload.BOOSTING:
        return BOOSTED
    turn = loss.share_of_run(loss.best_step)
    lr = lr_share(run, max(turn - 0.05, 0.0), min(turn + 0.1, 1.0))
    because = "a loss that climbs and stays high points to steps too large for the local curvature"
    if lr is not None and lr > 0.5:
        because += "; the learning rate was near its peak when the loss turned"
    shrunk = (
        Cause(
            "regularization too strong",
            0.5,
            "the loss climbed smoothly and then stayed constant, as it does when weight decay drives all weights to zero",
            "one run without weight decay",
        ),
    )
    return (
        Cause("learning rate too high", 0.8, because, "one run with a tenth of the learning rate"),
        *((not_reset(0.5),) if _piles_up(loss) else ()),
        *(shrunk if _calm(loss) else ()),
        Cause(
            "a bad batch or a change of data",
            0.2,
            "a single large gradient can ruin the weights",
            "log the gradient norm, or clip it at 1",
        ),
    )


BOOSTED = (
    Cause(
        "class weights counted twice, or an objective that is not the metric",
        0.5,
        "the objective falls while the metric that is logged rises",
        "one run without scale_pos_weight, is_unbalance or sample weights",
    ),
    Cause(
        "learning rate too high",
        0.3,
        "trees that overshoot make each round worse",
        "one run with a tenth of the learning rate",
    ),
)
BOOSTING = ("weigh-classes", "lower-learning-rate", "check-labels")
STEP_FIRST = ("zero-gradients", "lower-learning-rate", "clip-gradients", "warm-up")

RULE = Rule(
    code="NN302",
    name="diverged",
    severity=Severity.ERROR,
    title="the training loss rose for good",
    needs={"train/loss|value_loss|total_loss": 4},
    check=check,
    why="A training loss is what the optimizer lowers. When it rises and stays high, the steps are too large or the gradients wrong, and training longer does not help.",
    how=f"In the last tenth of the run the loss is above its best level by more than three times its total decrease, or has lost more than {percent(LOST)} of it, far outside the noise; or three in four values of the second half are more than three times the first value; or the loss jumps by 30% of its total decrease and stays high, or climbs by 35% of it until the end, or ends 1.4 times as high as it began without ever falling below its first value. In reinforcement learning: the value loss grows more than a thousandfold, or a hundredfold in steady growth while the reward does not improve, or values exceed five times the largest return.",
    sources=(
        Reference(
            "CS231n: 'if the cost is ever > 3 * original cost, break out early'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023", "https://github.com/google-research/tuning_playbook"
        ),
    ),
    remedies=("lower-learning-rate", "warm-up", "clip-gradients", "check-finite-data"),
    sick=(
        Run.drawn({"task": "reinforcement-learning"}, value_loss="2..7e18*30", reward="-120..-200*30"),
        Run.drawn({"task": "reinforcement-learning"}, total_loss="1.4..730*40", reward="-31..-27*40"),
        Run.drawn(train_loss="2.3 1.2 0.9 1.5 2.4 3.0 7.3 7.2 7.5"),
        Run.drawn(train_loss="2.3..0.3*30 2.2*20"),
        Run.drawn(train_loss="1 3 9 27 81 240 700"),
        Run.drawn(train_loss="2 18 35 40 28 52 21 45 12 33 19 41 24 15 37 22 29 14"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3 1.2 0.9 0.8 3.1 0.8 0.7"),
        Run.drawn(train_loss="2.3..0.01*30 0.012*4"),
        Run.drawn({"task": "reinforcement-learning"}, total_loss="0.15..1.6*25 1.6..0.03*15", reward="-31..5*40"),
        Run.drawn(train_loss="-1.0 -1.8 -2.2 -2.4 -2.5 -2.5"),
    ),
    suppressed_by=("nan-loss", "sawtooth-epochs", "resume-jump", "codebook-collapse"),
    limits={"lost": LOST},
)
