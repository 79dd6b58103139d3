"""An error in the log that says what the loss says: where it goes on falling, the network learns, whatever is printed as the loss."""

from __future__ import annotations

from nndoctor.core.run import SPLITS, Run

ERRORS = ("mse", "rmse", "mae", "perplexity")  # metrics that say what a loss of regression or of a language model says
STILL_FALLS = 0.9  # times its value at a step; the error of lost weights does not fall


def twin_error_falls(run: Run, since: float) -> bool:
    """Whether an error of any split goes on falling after a step."""
    twins = (run.series_of(f"{split}/{error}") for split in SPLITS for error in ERRORS)
    later = [twin.y[twin.x >= since] for twin in twins if twin is not None]
    return any(len(y) > 1 and 0 < y[-1] < STILL_FALLS * y[0] for y in later)
