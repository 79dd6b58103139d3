"""The run does not meet a requirement of the user."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import BY_DEFINITION
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.requirements import Requirement, RequirementResult, judge, parse, resolved
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Judge every requirement; each that is not met is a symptom."""
    for text in run.texts("requirements"):
        requirement = parse(text)
        outcome = judge(run, requirement)
        if not outcome.met:
            series = run.series.get(resolved(run, requirement).subject)
            yield Symptom(
                _message(requirement, outcome),
                BY_DEFINITION,
                {
                    "requirement": requirement.text,
                    "value": outcome.value,
                    "bound": outcome.bound,
                    "margin": outcome.margin,
                    "noise": outcome.noise,
                },
                series=None if series is None else series.name,
                step=float(series.steps[-1]) if series is not None and len(series) else None,
            )


def _message(wanted: Requirement, outcome: RequirementResult) -> str:
    if outcome.value is None or outcome.bound is None or outcome.margin is None:
        return f"{wanted.text} is required: {outcome.missing}"
    bound = f" (required: {number(outcome.bound)})" if wanted.factor else ""
    short = f"{wanted.text} is required, but the value is {number(outcome.value)}{bound}"
    if not outcome.margin:
        return f"{short}, exactly at the bound"
    if outcome.noise and -outcome.margin <= 2 * outcome.noise:
        return f"{short}; the difference is within the noise of a single value ({number(outcome.noise)})"
    return short


RULE = Rule(
    code="NN010",
    name="requirement-not-met",
    severity=Severity.ERROR,
    title="the run does not meet a requirement",
    needs={"fact:requirements": 1},
    check=check,
    why="A model that trained without problems may still be too weak to ship. Requirements are set in the settings file or with --require.",
    how="Each requirement is parsed, never evaluated, and compared with the values as logged. A missing series or a value that is not a number does not meet it. The noise of a single value is reported, but does not change the result.",
    sources=(
        Reference("Breck et al., The ML Test Score, IEEE Big Data 2017", "https://research.google/pubs/pub46555/"),
    ),
    remedies=("train-longer", "larger-network", "more-data"),
    sick=(
        Run.drawn({"requirements": ("train/loss last < 0.1",)}, train_loss="2.3..0.5*10"),
        Run.drawn({"requirements": ("validation/accuracy best >= 92%",)}, validation_accuracy="0.1 0.5 0.9"),
        Run.drawn({"requirements": ("validation/accuracy best >= 0.92",)}, train_loss="2.3..0.5*10"),
    ),
    healthy=(
        Run.drawn({"requirements": ("train/loss last < 0.6", "steps >= 9")}, train_loss="2.3..0.5*10"),
        Run.drawn({"requirements": ("validation/accuracy >= 92",)}, validation_accuracy="0.1 0.5 0.92"),
    ),
    on_request=True,
)
