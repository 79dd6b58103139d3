"""How the size of the signal changes through a network as it begins: what the rules on shrinking and growing share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.layers import Layers, first, from_powers, late, learned, powers
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import rough
from nndoctor.core.statistics import Array

RECOVERED = 1.0  # powers of ten at the end of the run, at most
CERTAIN = 3.0  # powers of ten
MIN_LAYERS = 3  # layers: two make no trend


def signal_symptom(
    layers: Layers, way: int, least: float, doubtful: float, passed: Callable[[str], float] = lambda _path: np.inf
) -> Symptom | None:
    """The deviation of the hidden weight layers' outputs, where it changes by `least` powers of ten; None where it is calm.

    `way` is 1 for a signal that grows and -1 for one that shrinks, `doubtful` the powers of ten of a mere guess, and
    `passed` the most that the layer behind a path lets through. Where training has corrected it, it is information.
    """
    hidden = list(filter(layers.is_hidden, layers.seen))
    paths, sizes = layers.levels(hidden, "std", first)
    _, ends = layers.levels(hidden, "std", late)
    cap: Array = np.array(list(map(passed, paths)))
    sizes, ends = np.minimum(sizes, cap), np.minimum(ends, cap)
    trend = way * powers(sizes)
    if len(paths) < MIN_LAYERS or trend < least or sizes[-1] <= 0:
        return None
    factor = from_powers(way * trend / (len(paths) - 1))
    corrected = way * powers(ends) < RECOVERED and learned(layers.run)
    series = layers.run.series[f"layer:{paths[-1]}/std"]
    return Symptom(
        f"the signal {'grows' if way > 0 else 'shrinks'} with depth: its standard deviation is {rough(sizes[0])} at "
        f"{layers.named(paths[0])} and {rough(sizes[-1])} at {layers.named(paths[-1])}, {rough(factor)}× per layer"
        + ("; training has corrected it" if corrected else ""),
        confidence_between(trend, doubtful, CERTAIN),
        {
            "first_std": float(sizes[0]),
            "last_std": float(sizes[-1]),
            "per_layer": round(factor, 3),
            "layers": len(paths),
        },
        series=series.name,
        step=series.first_step,
        layer=paths[-1],
        severity=Severity.INFO if corrected else None,
    )
