"""Parameters that should train are not in the optimizer."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Name them, and the first one's place."""
    if run.number("hidden_parameters"):
        yield _hidden(run)
        return
    missed = run.texts("missed_parameters")
    if missed:
        last = run.fact("output_layer_untrained")
        if last is not None and any(name.rpartition(".")[0] == last for name in missed):
            text = f"the output layer {last} is not in the optimizer, while the layers before it are: it keeps its initial values ({len(missed)} trainable parameters are missing)"
            yield Symptom(
                text, DIRECT, {"parameters": len(missed), "output_layer": str(last)}, layer=str(last), place="optimizer"
            )
            return
        layers = run.texts("missed_untrained")
        if layers:
            text = f"{plural(len(missed), 'parameter')} of the layers before the trained ones are not in the optimizer ({missed[0]}), and their weights are as initialized: the layers after them get random features"
            evidence = {"parameters": len(missed), "missed_untrained": len(layers)}
            yield Symptom(text, MEASURED, evidence, layer=layers[0], place="optimizer")
            return
        text = f"{len(missed)} trainable parameters are not in the optimizer ({', '.join(missed[:3])}): they keep their initial values"
        yield Symptom(text, MEASURED, {"parameters": len(missed)}, layer=missed[0], place="optimizer")


def _hidden(run: Run) -> Symptom:
    """Parameters that not even the model knows."""
    count, numbers, place = (
        int(run.number("hidden_parameters")),
        int(run.number("hidden_numbers")),
        run.fact("hidden_in"),
    )
    what = f"{plural(count, 'parameter')} ({numbers:,} {'number' if numbers == 1 else 'numbers'})"
    evidence = {"parameters": count, "hidden": numbers}
    if place:
        text = f"{place} is a plain list or dict, and {what} in it are hidden from the model: they are not in parameters(), not trained and not saved"
        return Symptom(text, DIRECT, evidence, layer=str(place), place="model", remedies=("module-list",))
    text = f"the loss depends on {what} that neither the model nor the optimizer holds: they are not trained"
    # Those of another network may be a teacher's, whose gradients are computed for nothing.
    severity = None if run.fact("hidden_of_loss") else Severity.INFO
    return Symptom(text, DIRECT, evidence, place="optimizer", severity=severity)


RULE = Rule(
    code="NN707",
    name="optimizer-misses-parameters",
    severity=Severity.ERROR,
    title="the optimizer does not hold all parameters",
    needs={"fact:missed_parameters|fact:hidden_parameters": 1},
    check=check,
    why="A layer that was added after the optimizer was created, or left out of its groups, is never trained. If that is intended, use requires_grad_(False), which also avoids computing its gradients.",
    how="Every parameter of the model with requires_grad must be in one of the optimizer's groups, and every parameter that the loss leads back to must be known to the model or to the optimizer. A layer that does no harm by missing is named as information, unless it is an output layer behind trained layers (one of several whose weights are as initialized), or those before the trained ones whose weights are as initialized.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("give-all-parameters",),
    sick=(
        Run.drawn({"hidden_parameters": 8, "hidden_numbers": 1392, "hidden_in": "blocks"}),
        Run.drawn({"hidden_parameters": 1, "hidden_numbers": 640, "hidden_in": "", "hidden_of_loss": True}),
        Run.drawn({"missed_parameters": ("body.weight", "body.bias"), "missed_untrained": ("body",)}),
        Run.drawn({"missed_parameters": ("head.weight", "head.bias")}),
        Run.drawn({"missed_parameters": ("head.weight", "head.bias"), "output_layer_untrained": "head"}),
    ),
    healthy=(Run.drawn({"missed_parameters": ()}),),
)
