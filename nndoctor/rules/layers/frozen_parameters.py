"""Parameters that should train and do not move."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.layers import Layers
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

TINY = 1e-5  # of the weights' size: a gradient below it is lost in rounding at a usual rate
NAMED = 3  # layers named in a message


def check(run: Run) -> Iterator[Symptom]:
    """Layers that the optimizer lacks, that no gradient reaches, that never move; last, what was frozen on purpose."""
    layers = Layers(run)
    missed = _listed(run, "not_in_optimizer")
    cut = tuple(p for p in _listed(run, "unreached") if p not in missed and _cut_off(layers, p))
    still = tuple(p for p in layers.weighted if p not in missed + cut and _still(layers, p))
    told = (
        (missed, "trainable but not in the optimizer", 0.95, ("give-all-parameters",)),
        (cut, "in the optimizer, but no gradient reaches", 0.9, ("reattach", "check-the-step")),
        (still, "given gradients but never moved", 0.85, ("check-the-step",)),
    )
    for paths, what, sure, remedies in told:
        if paths:
            yield _symptom(
                layers, paths, f"{_names(layers, paths)} {'is' if len(paths) == 1 else 'are'} {what}", sure, remedies
            )
            return
    frozen = _listed(run, "frozen_layers")
    whole, trained = run.fact("parameters"), run.fact("trainable_parameters")
    if frozen and isinstance(whole, (int, float)) and isinstance(trained, (int, float)) and whole > 0:
        text = (
            f"{len(frozen)} layers are frozen (requires_grad is off): {percent(trained / whole)} of the weights train"
        )
        yield Symptom(text, 0.95, {"frozen_layers": len(frozen)}, layer=frozen[0], severity=Severity.INFO)


def _listed(run: Run, name: str) -> tuple[str, ...]:
    found = run.fact(name)
    return tuple(str(path) for path in found) if isinstance(found, tuple) else ()


def _cut_off(layers: Layers, path: str) -> bool:
    """Whether data pass the layer but no gradient ever comes back: an unused layer is no fault."""
    grads = layers.series(path, "grad_norm")
    return layers.series(path, "std") is not None and (grads is None or not grads.y.any())


def _still(layers: Layers, path: str) -> bool:
    """Whether there were gradients, and not one step was taken."""
    grads, steps = layers.series(path, "grad_norm"), layers.series(path, "update_ratio")
    high, size = layers.series(path, "grad_high"), layers.series(path, "weight_norm")
    if grads is None or steps is None or high is None or size is None or len(steps.y) < 3:
        return False
    felt = float(np.median(high.y)) > 0 and float(np.median(grads.y)) > TINY * float(size.y[0])
    return felt and not steps.y.any()


def _names(layers: Layers, paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - NAMED} more layers" if len(paths) > NAMED else ""
    return ", ".join(map(layers.named, paths[:NAMED])) + more


def _symptom(layers: Layers, paths: tuple[str, ...], text: str, sure: float, remedies: tuple[str, ...]) -> Symptom:
    return Symptom(
        text,
        sure,
        {"layers": len(paths), "first": layers.named(paths[0])},
        series=f"layer:{paths[0]}/weight_norm",
        layer=paths[0],
        remedies=remedies,
    )


RULE = Rule(
    code="NN405",
    name="frozen-parameters",
    severity=Severity.WARNING,
    title="parameters do not move",
    needs={"layer:*/weight_norm": 1},
    check=check,
    why="A layer that never moves keeps its random weights, and nothing in the loss says so: the network merely learns less than it could.",
    how="Trainable layers that the optimizer does not hold, that data pass but no gradient comes back to, or that have gradients and take no step. Layers whose requires_grad is off are named as information only.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
        Reference(
            "PyTorch documentation, Autograd mechanics", "https://docs.pytorch.org/docs/stable/notes/autograd.html"
        ),
    ),
    remedies=("give-all-parameters", "reattach", "check-the-step"),
    sick=(
        Run.drawn(facts={"not_in_optimizer": ("fc1",)}, layers={"fc1/weight_norm": "5*4"}),
        Run.drawn(facts={"unreached": ("fc1",)}, layers={"fc1/weight_norm": "5*4", "fc1/std": "1*4"}),
    ),
    healthy=(
        Run.drawn(facts={"not_in_optimizer": (), "frozen_layers": ()}, layers={"fc1/weight_norm": "5*4"}),
        Run.drawn(facts={"unreached": ("spare",)}, layers={"spare/weight_norm": "5*4"}),
    ),
    free=True,
)
