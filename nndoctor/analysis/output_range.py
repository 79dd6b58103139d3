"""What outputs cannot reach: losses below what they allow, and targets beyond their ends."""

from __future__ import annotations

import math

from nndoctor.core.formatting import number, percent
from nndoctor.core.run import Run

MAX_SHORTFALL = 0.2  # share of the way from the first loss to the best that is missing; label smoothing leaves less
MAX_OUTSIDE = 0.3  # of the targets that no output can reach; outliers are fewer
ROUNDING = 1e-6  # share of a loss that is no difference


def unreachable(run: Run) -> str | None:
    """What is out of reach, in a sentence; None where nothing is."""
    return _shortfall(run) or _outside(run)


def _shortfall(run: Run) -> str | None:
    first, reachable, best = (run.known(n) for n in ("loss_initial", "loss_reachable", "loss_best"))
    if first is None or reachable is None or best is None or reachable - best <= ROUNDING * abs(first):
        return None
    share = (reachable - best) / max(first - best, ROUNDING)
    if share <= MAX_SHORTFALL:
        return None
    last = str(run.fact("output_activation") or "the last layer")
    single = last == "softmax" and run.fact("output_width") == 1
    ends = " of a single value, which is always 1" if single else _range(run, "output_low", "output_high", " ({})")
    goals = (
        "" if run.fact("loss_of_classes") else _range(run, "target_low", "target_high", "; the targets range from {}")
    )
    return f"with {last}{ends} at the end of the model, the loss cannot fall below {number(reachable)} (it starts at {number(first)}){goals}"


def _outside(run: Run) -> str | None:
    """Targets beyond the ends of the outputs, whatever bounds these."""
    share, low, high = run.number("targets_outside"), run.known("bound_low"), run.known("bound_high")
    if share <= MAX_OUTSIDE or low is None or high is None:
        return None
    ends = " and ".join(
        f"{word} {number(float(f'{v:.3g}'))}" for word, v in (("below", high), ("above", low)) if math.isfinite(v)
    )
    generator, named = run.fact("bound_of"), run.fact("bound_output")
    what, goals = (
        (f"what {generator} makes stays", "values of the real examples")
        if generator
        else (f"the output {named!r} stays" if named else "the outputs stay", "targets")
    )
    return f"{what} {ends} whatever the weights of the last layer, and {percent(share)} of the {goals} lie outside"


def _range(run: Run, low: str, high: str, text: str) -> str:
    """Two facts as a range within a text; nothing where one of them is not known."""
    first, last = run.known(low), run.known(high)
    return "" if first is None or last is None else text.format(f"{number(first)} to {number(last)}")
