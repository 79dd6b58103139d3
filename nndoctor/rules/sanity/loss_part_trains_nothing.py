"""A part of the loss has no gradient that any optimizer uses."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

NAMED = 3  # parameters in a message


def check(run: Run) -> Iterator[Symptom]:
    """A backward pass, or a term of its loss, that trains nothing; then a term without a gradient."""
    yield from _idle(run)
    yield from _drowned(run)
    yield from _collapsed(run)
    value, sum_of_all = run.known("detached_part"), run.known("detached_whole")
    if value is not None and sum_of_all is not None:
        text = f"a term of the loss ({number(_short(value))} of {number(_short(sum_of_all))} in the first step) changes with the model and has no gradient: it was computed from detached tensors, or under no_grad(), and trains nothing"
        evidence = {"term": value, "loss": sum_of_all}
        yield Symptom(text, MEASURED, evidence, place="detached_part", severity=Severity.WARNING)


def _idle(run: Run) -> Iterator[Symptom]:
    place, reached = int(run.number("idle_pass")), run.texts("idle_reaches")
    if place and reached:
        whole = run.fact("idle_whole") is True
        passes = int(run.number("idle_passes"))
        which = f"backward pass {place} of {passes} in each step" if passes > 1 else "the backward pass"
        what = which if whole else f"a term of the loss of {which}"
        why = (
            "those optimizers hold other parameters"
            if whole
            else "a detach() cuts it off from the parameters that are trained, or the optimizer lacks them"
        )
        text = f"{what} trains nothing: its gradients reach only {_names(reached)}, and no optimizer steps with them; {why}"
        evidence = {"backward_pass": place, "parameters": len(reached)}
        yield Symptom(text, DIRECT, evidence, place="train_step", severity=None if whole else Severity.WARNING)


def _drowned(run: Run) -> Iterator[Symptom]:
    """A loss whose gradient another one exceeds so far that it is not trained."""
    name, other = run.fact("drowned_loss"), run.fact("drowned_by")
    if name is None:
        return
    ratio, after, alone, steps = (run.number(f"drowned_{n}") for n in ("ratio", "after", "alone", "steps"))
    text = f"the {other} drowns the {name}: its gradient on the layers that both train is {number(_short(ratio))} times as large; after {steps:.0f} steps the {name} is {number(_short(after))}, and {number(_short(alone))} where it is trained alone; bring both to one scale"
    evidence = {"ratio": ratio, "after": after, "alone": alone}
    yield Symptom(text, MEASURED, evidence, place="loss", severity=Severity.WARNING, remedies=("normalize-targets",))


def _collapsed(run: Run) -> Iterator[Symptom]:
    """Reconstructions that do not follow their inputs where a penalty on the latent variables is trained, too."""
    follows, alone = run.known("collapsed_follows"), run.known("collapsed_follows_alone")
    if follows is None or alone is None:
        return
    text = f"after {run.number('collapsed_steps'):.0f} steps the reconstructions do not follow the inputs (correlation {follows:.2f}), and without the penalty on the other outputs they do ({alone:.2f}): it outweighs the reconstruction (posterior collapse); take both as sums over an example, or weigh the penalty less"
    evidence = {"correlation": follows, "without_penalty": alone}
    yield Symptom(
        text,
        MEASURED,
        evidence,
        place="loss",
        severity=Severity.WARNING,
        remedies=("balance-the-parts", "lower-kl-weight"),
    )


def _names(reached: tuple[str, ...]) -> str:
    more = f" and {len(reached) - NAMED} more" if len(reached) > NAMED else ""
    return ", ".join(reached[:NAMED]) + more


def _short(value: float) -> float:
    return float(f"{value:.3g}")


RULE = Rule(
    code="NN815",
    name="loss-part-trains-nothing",
    severity=Severity.ERROR,
    title="a part of the loss trains nothing",
    needs={"fact:objective_followed|fact:collapsed_follows": 1},
    check=check,
    why="A loss whose gradients end in parameters that no optimizer holds, or a term that was detached, is computed and logged like any other, but training ignores it.",
    how="During two dozen calls of the user's own step: for each backward pass and each term that is added to its loss, the parameters that its gradient reaches are compared with those whose gradients an optimizer steps with. A term without a gradient counts where it was computed from the model's parameters, its value changes from step to step, and it is a visible part of the loss. Of several losses against given targets with very uneven gradients on shared layers, the weakest is also trained alone for as many steps. A variational autoencoder is trained with its penalty and without, and its reconstructions are compared with its inputs.",
    sources=(
        Reference(
            "Bowman et al., Generating Sentences from a Continuous Space, CoNLL 2016",
            "https://aclanthology.org/K16-1002",
        ),
        Reference(
            "PyTorch documentation, Autograd mechanics", "https://docs.pytorch.org/docs/stable/notes/autograd.html"
        ),
    ),
    remedies=("reattach", "give-all-parameters"),
    sick=(
        Run.drawn(
            {
                "objective_followed": True,
                "idle_pass": 2,
                "idle_passes": 2,
                "idle_whole": True,
                "idle_reaches": ("head.weight", "head.bias"),
            }
        ),
        Run.drawn(
            {
                "objective_followed": True,
                "idle_pass": 1,
                "idle_passes": 1,
                "idle_whole": False,
                "idle_reaches": ("q.weight", "q.bias"),
            }
        ),
        Run.drawn({"objective_followed": True, "detached_part": -0.04, "detached_whole": 0.2}),
        Run.drawn({"collapsed_steps": 300, "collapsed_follows": 0.01, "collapsed_follows_alone": 0.8}),
        Run.drawn(
            {
                "objective_followed": True,
                "drowned_loss": "cross_entropy",
                "drowned_by": "mse_loss",
                "drowned_ratio": 4e5,
                "drowned_steps": 200,
                "drowned_after": 2.3,
                "drowned_alone": 0.2,
            }
        ),
    ),
    healthy=(Run.drawn({"objective_followed": True}),),
    suppressed_by=("frozen-parameters",),
)
