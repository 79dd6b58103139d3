"""Parameters that should train and do not move."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.layers import Layers
from nndoctor.core.confidence import DIRECT, MEASURED, SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent, plural, rough
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_GRADIENT = 1e-5  # share of the weights' size; a smaller gradient is lost in rounding at a usual learning rate
MIN_STEPS = 3  # steps without any update
MAX_UNMOVED = 0.2  # share of the trainable parameters; fewer may wait for a rare input
MIN_MOVEMENT = 1e-2  # share of the movement of plain steps; clipping and small accumulated steps move more
OVERWRITTEN = 4.0  # times the weights' size: plain steps that move them further diverge, and say nothing of others
STILL = 1e-4  # movement in so many calls where no plain step can be compared: float32 has hardly a digit for each step
MAX_NAMED = 3  # layers named in a message


def check(run: Run) -> Iterator[Symptom]:
    """Layers that the optimizer lacks, that no gradient reaches, that never move; last, what was frozen on purpose."""
    found = (
        _idle_epoch(run)
        or _own_step(run)
        or _hardly_moves(run)
        or _not_trained(run)
        or _frozen_adapters(run)
        or _frozen_at_zero(run)
        or _frozen_output(run)
        or _frozen_untrained(run)
        or _frozen_on_purpose(run)
    )
    if found is not None:
        yield found


def _idle_epoch(run: Run) -> Symptom | None:
    batches = run.number("idle_epoch")
    if not batches:
        return None
    text = f"in an epoch of {batches:.0f} batches the optimizer takes no step: gradients are added up over more batches than an epoch has"
    return Symptom(
        text, DIRECT, {"batches": batches}, place="train_step", severity=Severity.ERROR, remedies=("check-the-step",)
    )


def _not_trained(run: Run) -> Symptom | None:
    """Layers that should train and do not: missing in the optimizer, cut off from the loss, or never updated."""
    layers = Layers(run)
    missed = run.texts("not_in_optimizer")
    ends = {name.rpartition(".")[0] for fact in ("dead_ends", "spare_parameters") for name in run.texts(fact)}
    spare = ends.union(missed)
    cut = tuple(p for p in run.texts("unreached") if p not in spare and _cut_off(layers, p))
    unmoved = tuple(p for p in layers.weighted if p not in missed + cut and _never_moves(layers, p))
    if missed:
        return _symptom(layers, missed, "trainable but not in the optimizer", DIRECT, ("give-all-parameters",))
    if cut:
        what = "in the optimizer, but without a gradient"
        return _symptom(layers, cut, what, MEASURED, ("reattach", "check-the-step"))
    if unmoved:
        return _symptom(layers, unmoved, "given gradients but never updated", SEVERAL_SIGNS, ("check-the-step",))
    return None


def _frozen_adapters(run: Run) -> Symptom | None:
    adapters = run.texts("frozen_adapters")
    if not adapters:
        return None
    text = f"all {len(adapters)} weights of the low-rank adapters are frozen (requires_grad=False; {adapters[0]}): they were loaded for inference, or frozen together with the model"
    return Symptom(text, DIRECT, {"adapter_weights": len(adapters)}, layer=adapters[0].rpartition(".")[0])


def _frozen_at_zero(run: Run) -> Symptom | None:
    """Layers that give zero whatever they are given, and stay so."""
    layers = run.texts("frozen_at_zero")
    if not layers:
        return None
    are = "is" if len(layers) == 1 else "are"
    text = f"{plural(len(layers), 'layer')} {are} frozen (requires_grad=False) with all weights 0 ({layers[0]}): what they are given has no effect, and nothing that comes before them is trained through them"
    return Symptom(text, DIRECT, {"frozen_at_zero": len(layers)}, layer=layers[0], remedies=("load-before-freezing",))


def _frozen_output(run: Run) -> Symptom | None:
    """An output layer that is frozen behind layers that are trained."""
    last = run.fact("output_layer_untrained")
    if last is None or not any(name.rpartition(".")[0] == last for name in run.texts("frozen_parameters")):
        return None
    text = f"the output layer {last} is frozen (requires_grad=False) while the layers before it are trained: it keeps its initial weights"
    return Symptom(text, DIRECT, {"output_layer": str(last)}, layer=str(last))


def _frozen_untrained(run: Run) -> Symptom | None:
    """A frozen backbone whose weights are as initialized: the trained layers get random features."""
    layers = run.texts("frozen_untrained")
    if not layers:
        return None
    text = f"{plural(len(layers), 'layer')} before the trained ones are frozen (requires_grad=False) with weights as initialized, never trained: the layers after them get random features"
    return Symptom(
        text, SEVERAL_SIGNS, {"frozen_untrained": len(layers)}, layer=layers[0], remedies=("load-before-freezing",)
    )


def _frozen_on_purpose(run: Run) -> Symptom | None:
    frozen = run.texts("frozen_layers")
    whole, trained = run.known("parameters"), run.known("trainable_parameters")
    if not frozen or trained is None or not whole:
        return None
    text = f"{plural(len(frozen), 'layer')} {'is' if len(frozen) == 1 else 'are'} frozen (requires_grad=False): {percent(trained / whole)} of the weights are trained"
    return Symptom(text, DIRECT, {"frozen_layers": len(frozen)}, layer=frozen[0], severity=Severity.INFO)


def _own_step(run: Run) -> Symptom | None:
    """A train_step after which no weight has moved, or that moves them far less than a plain step does."""
    calls, moved = int(run.number("own_calls")), run.known("own_movement")
    if not calls or moved is None:
        return None
    unmoved = run.texts("own_unmoved")
    steps, felt, plain = (run.number(n) for n in ("own_optimizer_steps", "own_gradients", "plain_movement"))
    if moved == 0:
        why = (
            "it never calls optimizer.step()"
            if not steps
            else "at every optimizer.step() the gradients are zero: they are cleared after backward(), or never computed"
            if not felt
            else "its optimizer does not hold the model's parameters, or its learning rate is 0"
        )
        text = f"after {calls} calls of train_step no weight has changed: {why}"
    elif moved < (MIN_MOVEMENT * plain if plain < OVERWRITTEN else STILL):
        text = (
            f"{calls} calls of train_step change the weights by {rough(moved)} of their size; the same steps with only "
            f"zero_grad(), backward() and step() change them by {rough(plain)}: the gradients are scaled down or lost"
        )
    elif len(unmoved) > MAX_UNMOVED * run.number("trainable_tensors") and _told_here(run):
        text = (
            f"{len(unmoved)} of {run.number('trainable_tensors'):.0f} trainable parameters never change in {calls} calls "
            f"of train_step ({', '.join(unmoved[:MAX_NAMED])}): they get no gradient, or their optimizer takes no step"
        )
    else:
        return None
    evidence = {"own_calls": calls, "optimizer_steps": steps, "moved": moved, "moved_by_plain_steps": plain}
    return Symptom(text, DIRECT, evidence, place="train_step", severity=Severity.ERROR, remedies=("check-the-step",))


def _told_here(run: Run) -> bool:
    """Whether no other finding tells of parameters that never change: one that the optimizer lacks is tried with them, given a single loss."""
    return bool(run.texts("own_unmoved")) and (
        not run.texts("missed_parameters") or run.known("plain_movement") is None
    )


def _hardly_moves(run: Run) -> Symptom | None:
    """A train_step of several losses, to which no plain step can be compared, and whose updates are lost in rounding."""
    calls, moved = int(run.number("own_calls")), run.known("own_movement")
    if not calls or moved is None or moved >= STILL or run.known("plain_movement") is not None:
        return None
    text = f"{calls} calls of train_step change the weights by {rough(moved)} of their size: the learning rates are far too low, or the gradients are scaled down"
    return Symptom(text, MEASURED, {"own_calls": calls, "moved": moved}, place="train_step", severity=Severity.WARNING)


def _cut_off(layers: Layers, path: str) -> bool:
    """Whether data pass the layer but no gradient ever comes back: an unused layer is no fault."""
    grads = layers.series(path, "grad_norm")
    return layers.series(path, "std") is not None and (grads is None or not grads.y.any())


def _never_moves(layers: Layers, path: str) -> bool:
    """Whether there were gradients, and not one step was taken."""
    grads, steps = layers.series(path, "grad_norm"), layers.series(path, "update_ratio")
    high, size = layers.series(path, "grad_high"), layers.series(path, "weight_norm")
    if grads is None or steps is None or high is None or size is None or len(steps.y) < MIN_STEPS:
        return False
    felt = float(np.median(high.y)) > 0 and float(np.median(grads.y)) > MIN_GRADIENT * size.initial
    return felt and not steps.y.any()


def _names(layers: Layers, paths: tuple[str, ...]) -> str:
    more = f" and {plural(len(paths) - MAX_NAMED, 'other layer')}" if len(paths) > MAX_NAMED else ""
    return ", ".join(map(layers.named, paths[:MAX_NAMED])) + more


def _symptom(
    layers: Layers, paths: tuple[str, ...], what: str, confidence: float, remedies: tuple[str, ...]
) -> Symptom:
    return Symptom(
        f"{_names(layers, paths)} {'is' if len(paths) == 1 else 'are'} {what}",
        confidence,
        {"layers": len(paths), "first": layers.named(paths[0])},
        series=f"layer:{paths[0]}/weight_norm",
        layer=paths[0],
        remedies=remedies,
    )


RULE = Rule(
    code="NN405",
    name="frozen-parameters",
    severity=Severity.WARNING,
    title="parameters are not updated",
    needs={"layer:*/weight_norm": 1},
    check=check,
    why="A layer that is never updated keeps its random weights. The loss does not show it: the network only learns less than it could.",
    how=f"Trainable layers that are not in the optimizer, that are used in the forward pass but get no gradient, or that have gradients but are not updated. In a check-up of a train_step: an epoch without a step, no weight has changed after dozens of calls, or the weights moved less than {percent(MIN_MOVEMENT)} as far as with plain steps. Layers whose requires_grad is off are named as information only, unless all of them are low-rank adapters, or all their weights are zero, or the output layer is frozen and the layers before it are trained, or a frozen backbone has the weights of its initialization (every normalization is the identity, or every weight is uniform as torch draws it) and a trial that trains it as well reaches a clearly lower loss.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
        Reference(
            "PyTorch documentation, Autograd mechanics", "https://docs.pytorch.org/docs/stable/notes/autograd.html"
        ),
    ),
    remedies=("give-all-parameters", "reattach", "check-the-step", "load-before-freezing"),
    sick=(
        Run.drawn(facts={"not_in_optimizer": ("fc1",)}, layers={"fc1/weight_norm": "5*4"}),
        Run.drawn(facts={"idle_epoch": 40}, layers={"fc1/weight_norm": "5*4"}),
        Run.drawn(facts={"unreached": ("fc1",)}, layers={"fc1/weight_norm": "5*4", "fc1/std": "1*4"}),
        Run.drawn(
            facts={"output_layer_untrained": "head", "frozen_parameters": ("head.weight",)},
            layers={"fc1/weight_norm": "5*4"},
        ),
        Run.drawn(facts={"frozen_untrained": ("conv1", "conv2")}, layers={"head/weight_norm": "5*4"}),
        Run.drawn(facts={"frozen_at_zero": ("tables.0",)}, layers={"head/weight_norm": "5*4"}),
        Run.drawn(facts={"frozen_adapters": ("q.lora_A.weight",)}, layers={"norm/weight_norm": "5*4"}),
        Run.drawn(
            facts={"own_calls": 40, "own_movement": 0.0, "own_optimizer_steps": 0}, layers={"fc1/weight_norm": "5*2"}
        ),
        Run.drawn(
            facts={"own_calls": 40, "own_movement": 1e-5, "own_optimizer_steps": 80}, layers={"fc1/weight_norm": "5*2"}
        ),
    ),
    healthy=(
        Run.drawn(facts={"not_in_optimizer": (), "frozen_layers": ()}, layers={"fc1/weight_norm": "5*4"}),
        Run.drawn(facts={"unreached": ("spare",)}, layers={"spare/weight_norm": "5*4"}),
        Run.drawn(
            facts={"own_calls": 40, "own_movement": 0.2, "own_optimizer_steps": 40, "plain_movement": 0.3},
            layers={"fc1/weight_norm": "5*2"},
        ),
    ),
    free_remedy=True,
)
