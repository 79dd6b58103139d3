"""The layer in which numbers first stopped being finite."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.finding import Cause, Severity, Symptom, ranked
from nndoctor.layers import WEIGHTED, Layers
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.wording import number, step

FAST = 0.3  # of a weight's size in one step
SIDES = {"forward": "output", "gradient": "gradient", "weight": "weights"}


def check(run: Run) -> Iterator[Symptom]:
    """Take what the recorder noted at the first sample that held a NaN or an infinity."""
    layer, side, at = (run.fact(f"nonfinite:{key}") for key in ("layer", "side", "step"))
    if not isinstance(layer, str) or not isinstance(side, str) or not isinstance(at, (int, float)):
        return
    loss = run.series.get("train/loss")
    lost = loss.steps[~np.isfinite(loss.values)] if loss is not None else np.empty(0)
    late = bool(len(lost)) and float(lost[0]) < at
    count = run.fact("nonfinite:layers")
    spread = int(count) if isinstance(count, (int, float)) else 1
    after = f", after the loss was lost at step {step(float(lost[0]))}: it was born between two samples" if late else ""
    alone = "" if spread <= 1 else f", and {spread - 1} more layers with it"
    causes = _causes(Layers(run), layer, side, at)
    what = SIDES.get(side, side)
    yield Symptom(
        f"the {what} of {layer} {'are' if what == 'weights' else 'is'} not finite at step {step(float(at))}{alone}{after}",
        0.7 if late else 0.95,
        {"side": side, "step": float(at), "layers": spread, "cause": causes[0].name},
        series=f"layer:{layer}/nonfinite_{'output' if side == 'forward' else 'grad' if side == 'gradient' else 'weight'}",
        step=float(at),
        span=(float(at), float(at)),
        layer=layer,
        causes=causes,
    )


def _causes(layers: Layers, layer: str, side: str, at: float) -> tuple[Cause, ...]:
    ratios = [s for p in layers.weighted if (s := layers.series(p, "update_ratio")) is not None and (s.x <= at).any()]
    fastest = max((float(s.y[s.x <= at].max()) for s in ratios), default=0.0)
    norms = [s for p in layers.weighted if (s := layers.series(p, "grad_norm")) is not None and (s.x <= at).any()]
    grown = max((float(s.y[s.x <= at].max() / max(s.y[0], 1e-30)) for s in norms), default=1.0)
    wild = fastest > FAST or grown > 1e3
    entrance = next((p for p in layers.paths if layers.role(p) in WEIGHTED), None)
    data = side == "forward" and layer == entrance and not wild
    moved = f"weights moved by up to {number(float(f'{fastest:.2g}'))} of their size in one step"
    return ranked(
        Cause(
            "learning rate too high",
            0.75 if wild else 0.15,
            f"{moved}, and gradients grew {number(float(f'{grown:.2g}'))}-fold before it",
            "one run with a tenth of the learning rate",
        ),
        Cause(
            "an operation outside its range",
            0.1 if data else 0.6 if not wild else 0.2,
            {
                "gradient": "outputs were finite and a gradient was not: a root, a logarithm or a division at zero",
                "forward": "what reached the layer or what it computes overflowed, or left the range of a logarithm, root or division",
            }.get(side, "the weights were finite a sample before"),
            "run the step with torch.autograd.set_detect_anomaly(True), or in full precision",
        ),
        Cause(
            "NaN in the data",
            0.75 if data else 0.1,
            "it stands in the first layer's output while all weights are finite"
            if data
            else "other layers had it first",
            "check that every input and target is finite",
        ),
    )


RULE = Rule(
    code="NN408",
    name="nan-in-layer",
    severity=Severity.ERROR,
    title="a layer holds NaN or infinity",
    needs={"layer:*/nonfinite_output|layer:*/nonfinite_grad|layer:*/nonfinite_weight": 1},
    check=check,
    why="One number that is not finite makes all others so within a step; where it stood first tells what made it.",
    how="The first sample in which an output, a gradient or a weight is not finite: the first layer in the data's way, or for gradients in theirs. Where the loss was lost before that sample, the birthplace lies between two samples: record with every=1 to catch it.",
    sources=(
        Reference(
            "CS231n, Babysitting the learning process: 'cost: NaN almost always means high learning rate'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference(
            "PyTorch documentation, set_detect_anomaly",
            "https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection",
        ),
    ),
    remedies=("lower-learning-rate", "clip-gradients", "guard-the-loss", "check-finite-data"),
    sick=(
        Run.drawn(
            facts={"nonfinite:layer": "fc2", "nonfinite:side": "forward", "nonfinite:step": 2, "nonfinite:layers": 1},
            layers={"fc1/nonfinite_output": "0*3", "fc2/nonfinite_output": "0 0 1"},
        ),
    ),
    healthy=(Run.drawn(layers={"fc1/nonfinite_output": "0*3", "fc2/nonfinite_output": "0*3"}),),
)
