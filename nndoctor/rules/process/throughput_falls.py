"""The run has become slower."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.process import EARLY, LATE, WARM_UP, Drift, drift
from nndoctor.analysis.reinforcement import levels
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MIN_LOST = 0.25  # share of the speed
MEMORY_GROWN, WAIT_GROWN = 1.2, 1.5  # times their early level: memory and the wait for data then explain the slowdown
GRADUAL = 0.2  # share of the change that has come by the middle of the run
ERRORS = 4.0  # standard errors of a level
MIN_LONGER = 1.25  # times their first length: completions then take longer to write
MIN_POINTS = 10
MIN_SECONDS = 30.0  # time of all steps; shorter runs are slowed by whatever else the machine does


def check(run: Run) -> Iterator[Symptom]:
    """Compare the speed, or the time of a step, at the end with that after the start."""
    for name, faster in (("throughput", True), ("step_time", False), ("epoch_time", False)):
        curve = run.series_of(name, MIN_POINTS)
        if curve is None or curve.low <= 0 or _is_short(curve):
            continue
        found = drift(curve)
        lost = 1 - (found.late / found.early if faster else found.early / found.late)
        if lost < MIN_LOST or abs(found.late - found.early) < ERRORS * found.error or _writes_more(run, name):
            continue
        yield _symptom(run, curve, found, lost)
        return


def _is_short(curve: Series) -> bool:
    """Whether all steps together took so little time that anything else on the machine makes itself felt."""
    return curve.name != "throughput" and float(curve.y.mean()) * curve.length < MIN_SECONDS


def _writes_more(run: Run, name: str) -> bool:
    """Whether a step only takes longer because the policy writes longer completions."""
    length = run.series_of("completion_length")
    if name != "step_time" or length is None:
        return False
    level = levels(length)
    return level.last > MIN_LONGER * level.start


def _symptom(run: Run, curve: Series, found: Drift, lost: float) -> Symptom:
    bad = (
        curve.y < found.early * (1 - MIN_LOST) if curve.name == "throughput" else curve.y > found.early / (1 - MIN_LOST)
    )
    at = curve.step_where(bad)
    memory, data = run.series_of("memory", MIN_POINTS), run.series_of("data_time", MIN_POINTS)
    leaks = memory is not None and drift(memory).late > MEMORY_GROWN * drift(memory).early
    waits = data is not None and drift(data).late > WAIT_GROWN * drift(data).early
    gradual = abs(found.middle - found.early) > GRADUAL * abs(found.late - found.early)
    unit = "an epoch" if curve.name == "epoch_time" else "a step"
    what = f"speed ({curve.column})" if curve.name == "throughput" else f"the time of {unit} ({curve.column})"
    return Symptom(
        f"{what} went from {number(found.early)} to {number(found.late)}: the run is {percent(lost)} slower than at first (from {run.place(at)} on)",
        MEASURED,
        {"early": found.early, "late": found.late, "lost": lost, "step": at},
        series=curve.name,
        step=at,
        span=(at, curve.last_step),
        causes=(
            Cause(
                "something grows in every step",
                0.6 if leaks else 0.3 if gradual else 0.15,
                "memory grows, too" if leaks else "the slowdown is gradual" if gradual else "the slowdown is sudden",
                "profile one step early and one late in the run, and compare the calls",
            ),
            Cause(
                "data loading",
                0.6 if waits else 0.25,
                "the time spent waiting for data grows"
                if waits
                else "caches fill, files get larger or the disk gets slower",
                "log the time that each step waits for its batch",
            ),
            Cause(
                "the machine",
                0.3,
                "other jobs, heat, or a slow link between ranks",
                "check the GPU's clock rate and utilization, and the step times of the ranks",
            ),
        ),
    )


RULE = Rule(
    code="NNP03",
    name="throughput-falls",
    severity=Severity.WARNING,
    title="the run has become slower",
    needs={"throughput|step_time|epoch_time": MIN_POINTS},
    check=check,
    why="A run at half its speed costs twice as much. A gradual slowdown often ends in an out-of-memory error.",
    how=f"The median speed of the last {percent(LATE)} of the run is at least {percent(MIN_LOST)} below that of the first {percent(EARLY)} (without the first {percent(WARM_UP)}), by {ERRORS:g} standard errors.",
    sources=(
        Reference(
            "PyTorch performance tuning guide", "https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html"
        ),
        Reference("Amazon SageMaker Debugger, profiler rules: step outlier, CPU bottleneck"),
    ),
    remedies=("profile-late-step", "detach-what-is-kept", "more-loader-workers", "check-the-machine"),
    sick=(
        Run.drawn(throughput="50000*40 50000..21000*60", train_loss="3..2*100"),
        Run.drawn(step_time="0.5*30 1.2*30", train_loss="3..2*60"),
    ),
    healthy=(Run.drawn(throughput="9000*2 50000 51000*40 49000*40", train_loss="3..2*83"),),
    on_request=True,
)
