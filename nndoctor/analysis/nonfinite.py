"""Where the numbers of a recorded run stopped being finite, and how wild it was before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.layers import ZERO_WEIGHTS, Layers
from nndoctor.analysis.liveness import NotFinite
from nndoctor.core.finding import Cause, ranked
from nndoctor.core.formatting import rough
from nndoctor.core.run import Run
from nndoctor.core.statistics import TINY

WILD_STEP = 0.3  # share of a weight's size in one step
WILD_GROWTH = 1e3  # times a gradient's first norm
WILD_START = 300.0  # times the layer's weights; healthy networks begin under 3, unscaled targets reach 250


@dataclass(frozen=True, slots=True)
class Birth:
    """Where numbers first stopped being finite in the sampled steps, and the step at which the loss was lost before it.

    `side` is `forward`, `gradient` or `weight`; `spread` counts the layers that were not finite then; `lost` is None
    where the layer was seen first.
    """

    layer: str
    side: str
    step: float
    spread: int
    lost: float | None

    @property
    def what(self) -> str:
        """The part of the layer, as one says it."""
        return {"forward": "output", "gradient": "gradient", "weight": "weights"}.get(self.side, self.side)


def birth(run: Run) -> Birth | None:
    """What the recorder noted at the first sample that held a NaN or an infinity; None where none did."""
    layer, side, at = (run.fact(f"nonfinite:{key}") for key in ("layer", "side", "step"))
    if not isinstance(layer, str) or not isinstance(side, str) or not isinstance(at, (int, float)):
        return None
    loss = run.series.get("train/loss")
    bad = loss.steps[~np.isfinite(loss.values)] if loss is not None else np.empty(0)
    lost = float(bad[0]) if len(bad) and float(bad[0]) < at else None
    return Birth(layer, side, float(at), int(run.known("nonfinite:layers") or 1), lost)


@dataclass(frozen=True, slots=True)
class Pace:
    """How wild the training was up to a step: the largest share of a weight moved at once, the most a gradient grew.

    `begins` is the largest first gradient, in units of its own layer's weights; `measured` whether any was recorded.
    """

    fastest: float
    grown: float
    begins: float
    measured: bool

    @property
    def wild(self) -> bool:
        """Whether that alone can make numbers overflow."""
        return self.fastest > WILD_STEP or self.grown > WILD_GROWTH

    @property
    def born_wild(self) -> bool:
        """Whether the gradient was huge before any step: no usual learning rate would have been small enough."""
        return self.begins > WILD_START

    @property
    def summary(self) -> str:
        """In words."""
        moved, grown = (rough(v) for v in (self.fastest, self.grown))
        return (
            f"before it, one step changed the weights by up to {moved} of their size, and gradients grew {grown}-fold"
        )

    def causes(self) -> tuple[Cause, Cause]:
        """The rate and the initialization as causes of numbers out of range, each weighed by what speaks for it."""
        huge = f"the first gradient of a layer is {rough(self.begins)} times its weights"
        return (
            Cause(
                "learning rate too high",
                0.15 if not self.wild else 0.3 if self.born_wild else 0.75,
                self.summary,
                "one run with a tenth of the learning rate",
            ),
            Cause(
                "weights too large at the start",
                0.75 if self.born_wild else 0.05,
                f"{huge}, before any step" if self.born_wild else huge,
                "one run with He (ReLU) or Xavier (tanh) initialization; orthogonal for recurrent weights",
            ),
        )


def wildness(run: Run, until: float) -> Pace:
    """The steps and gradients of the weighted layers up to a step."""
    layers = Layers(run)
    fastest, grown, begins, measured = 0.0, 1.0, 0.0, False
    for path in layers.weighted:
        ratio, norm = layers.series(path, "update_ratio"), layers.series(path, "grad_norm")
        if ratio is not None and (ratio.x <= until).any():
            fastest = max(fastest, float(ratio.y[ratio.x <= until].max()))
        if norm is not None and (norm.x <= until).any():
            grown, measured = max(grown, float(norm.y[norm.x <= until].max() / max(norm.initial, TINY))), True
            size = layers.series(path, "weight_norm")
            if size is not None and size.initial > ZERO_WEIGHTS:
                begins = max(begins, float(norm.initial / size.initial))
    return Pace(fastest, grown, begins, measured)


def gradient_causes(worst: NotFinite) -> tuple[Cause, ...]:
    """Why the gradients of a run are not finite, the likeliest first."""
    return ranked(
        Cause(
            "overflow in half precision",
            0.45 if worst.from_start else 0.4,
            "values above 65,504 are infinite in float16, and their gradients NaN",
            "a few hundred steps in float32 or bfloat16",
        ),
        Cause(
            "NaN in the data, or labels that are all masked",
            0.35,
            "a mean over no label at all is 0/0, and one NaN in a batch makes every gradient NaN",
            "run isfinite over the inputs, and count the labels of every batch",
        ),
        Cause(
            "learning rate too high",
            0.1 if worst.from_start else 0.3,
            "gradients that explode overflow in the end",
            "one run with a tenth of the learning rate",
        ),
    )
