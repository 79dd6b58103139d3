"""Losses and gradients that are huge from the first row on and do not fall: the run exploded before its log begins."""

from __future__ import annotations

from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MIN_LOSS = 1e6  # no normalized target gives such a loss; that of raw prices falls at first
MIN_NORM = 1e4  # norm of the gradient next to it
MIN_POINTS = 5
NO_SQUARE = 1.8e19  # the square of a larger number is infinite in float32
MIN_HUGE = 3  # such values
ENDS = ((0.0, 0.3), (0.7, 1.0))  # shares of the run whose levels are compared
MIN_LEFT = 0.9  # share of the first level at which a loss that does not fall ends


@once
def out_of_scale(run: Run) -> tuple[float, float] | None:
    """The usual loss and gradient norm of a run in which both are huge throughout and the loss does not fall; else None."""
    loss, norm = run.series_of("train/loss", MIN_POINTS), run.series_of("grad_norm", MIN_POINTS)
    if loss is None or norm is None or loss.low < MIN_LOSS or norm.low < MIN_NORM:
        return None
    start, end = (loss.level(*part) for part in ENDS)
    return (median(loss.y), median(norm.y)) if end > MIN_LEFT * start else None


@once
def beyond_squares(run: Run) -> Series | None:
    """The loss of a policy or its values that is so large in all rows that float32 cannot hold its squares; else None.

    Targets in units of their own may give such a loss to other networks.
    """
    losses = (run.series_of(name, MIN_HUGE) for name in ("value_loss", "total_loss"))
    return next((loss for loss in losses if loss is not None and float(abs(loss.y).min()) > NO_SQUARE), None)
