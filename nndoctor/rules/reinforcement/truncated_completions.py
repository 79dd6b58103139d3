"""Most completions run into the length limit and are cut off."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MIN_CUT = 0.5  # share of the completions
MIN_CUT_RISEN, MIN_RISE = 0.3, 0.2  # the same where it has risen, and by how much
LONGER = 1.2  # times their first mean length
MIN_POINTS = 5


def check(run: Run) -> Iterator[Symptom]:
    """Look at the share of completions that are cut off at the end of the run."""
    curve = run.series["clipped_completions"]
    if workload(run) is not Workload.REINFORCEMENT or len(curve.y) < MIN_POINTS:
        return
    level = levels(curve)
    risen = level.last >= MIN_CUT_RISEN and level.last - level.start >= MIN_RISE
    if level.last >= MIN_CUT or risen:
        yield _symptom(run, curve)


def _symptom(run: Run, curve: Series) -> Symptom:
    level, lengths = levels(curve), run.series_of("completion_length", MIN_POINTS)
    at = curve.step_where(curve.y >= min(MIN_CUT, level.last))
    length = levels(lengths) if lengths is not None else None
    mean = f"; their mean length went from about {number(length.start)} to {number(length.last)}" if length else ""
    return Symptom(
        f"about {percent(level.last)} of the completions are cut off at the length limit (from {run.place(at)} on){mean}",
        MEASURED,
        {"start": level.start, "last": level.last, "step": at},
        series=curve.name,
        step=at,
        span=(at, curve.last_step),
        causes=_causes(grown=length is not None and length.last > LONGER * length.start),
    )


def _causes(*, grown: bool) -> tuple[Cause, ...]:
    return (
        Cause(
            "the reward favors length",
            0.5 if grown else 0.2,
            "completions grow longer" if grown else "their length hardly grows",
            "plot the reward against the length of the completions of one step",
        ),
        Cause(
            "limit too short",
            0.2 if grown else 0.5,
            "answers that need more tokens are cut",
            "one run with twice the max completion length",
        ),
        Cause(
            "the end token is never learned",
            0.3,
            "a model that was not trained to stop runs on",
            "look whether the chat template ends the answer with the end token",
        ),
    )


RULE = Rule(
    code="NNR05",
    name="truncated-completions",
    severity=Severity.WARNING,
    title="completions are cut off",
    needs={"clipped_completions": MIN_POINTS},
    check=check,
    why="A completion that is cut off cannot be rewarded for its answer: the policy learns from noise, at the cost of the longest texts.",
    how=f"Early warning. At the end at least {percent(MIN_CUT)} of the completions reach the length limit, or {percent(MIN_CUT_RISEN)} after a rise of {100 * MIN_RISE:g} points.",
    sources=(
        Reference(
            "Liu et al., Understanding R1-Zero-Like Training (Dr. GRPO), 2025: length bias",
            "https://arxiv.org/abs/2503.20783",
        ),
        Reference("Yu et al., DAPO, 2025: overlong filtering and soft punishment", "https://arxiv.org/abs/2503.14476"),
    ),
    remedies=("raise-max-completion-length", "mask-truncated-completions", "length-penalty", "token-level-loss"),
    sick=(
        Run.drawn(
            {"task": "reinforcement-learning"}, clipped_completions="0.02..0.95*30", completion_length="200..1500*30"
        ),
    ),
    healthy=(
        Run.drawn(
            {"task": "reinforcement-learning"}, clipped_completions="0.02..0.1*30", completion_length="200..400*30"
        ),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
