"""The run does not reach what the user requires of it."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.requirements import Outcome, Requirement, judge, parse
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Judge every requirement; each that is not met is a symptom."""
    wanted = run.fact("requirements")
    for text in wanted if isinstance(wanted, tuple) else ():
        requirement = parse(str(text))
        outcome = judge(run, requirement)
        if not outcome.met:
            series = run.series.get(requirement.subject)
            yield Symptom(
                _message(requirement, outcome),
                1.0,
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


def _message(wanted: Requirement, outcome: Outcome) -> str:
    if outcome.value is None or outcome.bound is None or outcome.margin is None:
        return f"required {wanted.text}: {outcome.missing}"
    short = f"required {wanted.text}: it is {number(outcome.value)}"
    if wanted.factor:
        short += f" against {number(outcome.bound)}"
    short += f", {number(-outcome.margin)} short" if outcome.margin else ", just at the bound"
    if outcome.noise:
        within = "within" if -outcome.margin <= 2 * outcome.noise else "beyond"
        short += f", {within} the noise of one value ({number(outcome.noise)})"
    return short


RULE = Rule(
    code="NN010",
    name="requirement-not-met",
    severity=Severity.ERROR,
    title="the run does not reach what is required of it",
    needs={"fact:requirements": 1},
    check=check,
    why="A gate is more than the absence of illness: a model that trained without fault may still be too weak to ship. What is required is the user's word, in the settings or with --require.",
    how="Each requirement is parsed, never evaluated, and compared with the values as logged. A series that is missing, or a value that is no number, is not met. The noise of one value is said beside the margin, and changes nothing.",
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
    asked=True,
)
