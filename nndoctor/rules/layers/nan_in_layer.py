"""The layer in which numbers first stopped being finite."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.layers import WEIGHTED, Layers
from nndoctor.analysis.nonfinite import Birth, birth, wildness
from nndoctor.core.confidence import DIRECT, PLAUSIBLE
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import plural, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

FIRST = {
    "learning rate too high": ("lower-learning-rate", "clip-gradients", "warm-up", "guard-the-loss"),
    "weights too large at the start": ("he-initialization", "clip-gradients", "lower-learning-rate"),
    "an operation outside its range": ("guard-the-loss", "check-finite-data", "clip-gradients", "lower-learning-rate"),
    "NaN in the data": ("check-finite-data", "guard-the-loss", "clip-gradients"),
}
"""The remedies in the order that the likeliest cause asks for."""

SERIES = {"forward": "nonfinite_output", "gradient": "nonfinite_grad"}


def check(run: Run) -> Iterator[Symptom]:
    """Take what the recorder noted at the first sample that held a NaN or an infinity."""
    seen = birth(run)
    if seen is None:
        return
    layers = Layers(run)
    alone = "" if seen.spread <= 1 else f", as in {plural(seen.spread - 1, 'other layer')}"
    causes = _causes(layers, seen)
    are = "are" if seen.side == "weight" else "is"
    name, at = layers.named(seen.layer), step(seen.step)
    summary = f"the {seen.what} of {name} {are} not finite at step {at}{alone}"
    if seen.lost is not None:
        summary = (
            f"the loss became non-finite at step {step(seen.lost)}; in the next sample, at step {at}, the {seen.what} of "
            f"{name} {are} not finite{alone}: the origin is between two samples"
        )
    yield Symptom(
        summary,
        PLAUSIBLE if seen.lost is not None else DIRECT,
        {"side": seen.side, "step": seen.step, "layers": seen.spread, "cause": causes[0].name},
        series=f"layer:{seen.layer}/{SERIES.get(seen.side, 'nonfinite_weight')}",
        step=seen.step,
        span=(seen.step, seen.step),
        layer=seen.layer,
        causes=causes if seen.lost is None else (),
        remedies=FIRST[causes[0].name],
        severity=Severity.INFO if seen.lost is not None else None,
    )


def _causes(layers: Layers, seen: Birth) -> tuple[Cause, ...]:
    side, pace = seen.side, wildness(layers.run, seen.step)
    entrance = next((p for p in layers.paths if layers.role(p) in WEIGHTED), None)
    data = side == "forward" and seen.layer == entrance and not (pace.wild or pace.born_wild)
    tame = not (pace.wild or pace.born_wild)
    return ranked(
        *pace.causes(),
        Cause(
            "an operation outside its range",
            0.1 if data else 0.6 if tame else 0.2,
            {
                "gradient": "outputs were finite but a gradient was not: a root, a logarithm or a division at zero",
                "forward": "an input or a result overflowed, or was outside the domain of a logarithm, root or division",
            }.get(side, "the weights were finite a sample before"),
            "run the step with torch.autograd.set_detect_anomaly(True), or in full precision",
        ),
        Cause(
            "NaN in the data",
            0.75 if data else 0.1,
            "the first layer's output is not finite while all weights are"
            if data
            else "other layers were affected first",
            "run isfinite over every input and target",
        ),
    )


RULE = Rule(
    code="NN408",
    name="nan-in-layer",
    severity=Severity.ERROR,
    title="a layer holds NaN or infinity",
    needs={"layer:*/nonfinite_output|layer:*/nonfinite_grad|layer:*/nonfinite_weight": 1},
    check=check,
    why="One NaN or infinity spreads to all other values within a step; the place where it appeared first shows its cause.",
    how="The first sample in which an output, a gradient or a weight is not finite: the first layer in the forward pass, or for gradients in the backward pass. If the loss was NaN before that sample, this is information only: the origin is between two samples, and recording every step finds it.",
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
    remedies=("lower-learning-rate", "clip-gradients", "guard-the-loss", "check-finite-data", "he-initialization"),
    sick=(
        Run.drawn(
            facts={"nonfinite:layer": "fc2", "nonfinite:side": "forward", "nonfinite:step": 2, "nonfinite:layers": 1},
            layers={"fc1/nonfinite_output": "0*3", "fc2/nonfinite_output": "0 0 1"},
        ),
    ),
    healthy=(Run.drawn(layers={"fc1/nonfinite_output": "0*3", "fc2/nonfinite_output": "0*3"}),),
)
