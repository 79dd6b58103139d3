"""The learning rate went to nothing while the loss was still falling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor import curve
from nndoctor.finding import Severity, Symptom
from nndoctor.progress import sureness
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.wording import number, percent, step

SMALL = 0.05  # of the peak: below this the weights hardly move
EARLY = 0.7  # the rate is that small for at least the last 30 % of the run
GAIN = 0.25  # of the fall so far: what the curve, at its course before the decay, would still have gained


def check(run: Run) -> Iterator[Symptom]:
    """Find when the rate became small, and where the loss was heading then."""
    loss, lr = run.series["train/loss"], run.series["lr"]
    peak = float(lr.y.max())
    if peak <= 0:
        return
    large = np.flatnonzero(lr.y > SMALL * peak)
    if large[-1] >= len(lr.y) - 1 or np.any(np.diff(lr.y[: large[-1] + 1]) > 0.5 * peak) and large[0] > 0:
        return
    end = float(lr.x[large[-1]])
    share = loss.share_of_run(end)
    before = loss.x <= end
    if not 0.01 < share < EARLY or before.sum() < 4 or (~before).sum() < 3:
        return
    x, y = loss.x[before], loss.y[before]
    fall = float(y[0] - np.median(y[-max(1, len(y) // 10) :]))
    falling = float(np.median(y[len(y) // 2 : max(len(y) // 2 + 1, 3 * len(y) // 4)]) - np.median(y[-max(1, len(y) // 5) :]))
    ahead = curve.forecast(*curve.bins(x, y))
    gained_after = float(np.median(y[-max(1, len(y) // 10) :])) - loss.last
    missed = loss.last - (ahead.at_four_times if ahead is not None else loss.last)
    noise = loss.noise / max(len(y) / 10, 1.0) ** 0.5
    if fall <= 0 or falling < max(0.08 * fall, 3 * noise) or missed < GAIN * fall or gained_after > 0.5 * fall:
        return
    yield Symptom(
        f"the learning rate fell below {percent(SMALL)} of its peak at step {step(end)} ({percent(share)} of the run), while training loss was still falling; it has stood near {number(loss.last)} since",
        sureness(missed / fall, GAIN, 0.6),
        {"peak_lr": peak, "last_lr": float(lr.y[-1]), "decayed_at": end, "share_of_run": round(share, 3), "missed": missed},
        series="train/loss",
        step=end,
        span=(end, float(loss.x[-1])),
    )


RULE = Rule(
    code="NN203",
    name="lr-decayed-too-early",
    severity=Severity.WARNING,
    title="the learning rate was decayed too early",
    needs={"train/loss": 8, "lr": 4},
    check=check,
    why="With a rate near zero the weights stand still: whatever the curve would still have won is not won, and the flat tail looks like convergence.",
    how="The rate is under 5 % of its peak for the last 30 % of the run or more; when it got there the loss was falling, and its course would have gained another quarter of the fall.",
    sources=(Reference("CS231n, Annealing the learning rate: 'decay it too aggressively and the system will cool too quickly'", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("decay-later", "train-longer"),
    sick=(Run.drawn(train_loss="2.3..1.5*8 1.49*24", lr="0.1*8 0.001*24"),),
    healthy=(
        Run.drawn(train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.38*20", lr="0.1*8 0.001*20"),
        Run.drawn(train_loss="2.3..0.3*30", lr="0.1..0.0001*30"),
    ),
    yields_to=("nan-loss", "diverged", "plateau-at-start"),
)
