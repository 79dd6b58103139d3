"""The model waits for its data."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MIN_SHARE = 0.4  # share of a step spent waiting; with enough workers the wait is under 5 %
WARM_UP = 0.1  # share of the run in which caches are cold
MIN_POINTS = 5
MILLISECONDS = 1e-3


def check(run: Run) -> Iterator[Symptom]:
    """Compare the time that a step waits for its batch with the time of the step."""
    data, whole = run.series["data_time"], run.series["step_time"]
    if min(len(data.y), len(whole.y)) < MIN_POINTS:
        return
    wait, all_of_it = (_level(s) for s in (data, whole))
    share = wait / all_of_it if all_of_it > 0 else 0.0
    if not MIN_SHARE <= share <= 1.0:
        return
    yield Symptom(
        f"each step spends {percent(share)} of its time waiting for data ({data.column} {number(median(data.y))}, {whole.column} {number(median(whole.y))}): "
        "the data loader is the bottleneck",
        MEASURED,
        {"data_time": wait, "step_time": all_of_it, "share": share},
        series="data_time",
        step=data.last_step,
        span=data.span,
        causes=(
            Cause(
                "too few workers",
                0.5,
                "a single process decodes while the GPU waits",
                "one epoch with twice the workers",
            ),
            Cause("slow storage", 0.3, "many small files on a network disk", "read the same files from a local disk"),
            Cause(
                "heavy preprocessing",
                0.2,
                "decoding and augmentation take CPU time",
                "time the loader alone, without the model",
            ),
        ),
    )


def _level(series: Series) -> float:
    """The median after the start, in seconds as far as the column says so."""
    unit = MILLISECONDS if series.column.lower().rstrip(")").endswith("ms") else 1.0
    return unit * median(series.y[int(WARM_UP * len(series.y)) :])


RULE = Rule(
    code="NNP06",
    name="data-loader-bottleneck",
    severity=Severity.WARNING,
    title="the model waits for its data",
    needs={"data_time": MIN_POINTS, "step_time": MIN_POINTS},
    check=check,
    why="Time that the model spends waiting for data is wasted.",
    how=f"The median wait for a batch is {percent(MIN_SHARE)} of the median time of a step or more, after the first {percent(WARM_UP)} of the run.",
    sources=(
        Reference(
            "PyTorch performance tuning guide: asynchronous data loading",
            "https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html",
        ),
        Reference(
            "Mohan et al., Analyzing and Mitigating Data Stalls in DNN Training, 2021",
            "https://arxiv.org/abs/2007.06775",
        ),
    ),
    remedies=("more-loader-workers", "cache-preprocessed-data", "pin-memory"),
    sick=(Run.drawn(data_time="0.4*20", step_time="0.6*20", train_loss="3..2*20"),),
    healthy=(Run.drawn(data_time="0.3 0.02*19", step_time="0.9 0.5*19", train_loss="3..2*20"),),
    on_request=True,
)
