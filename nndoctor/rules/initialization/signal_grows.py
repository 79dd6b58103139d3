"""The signal grows from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.finding import Severity, Symptom
from nndoctor.layers import Layers, first, late, learned, powers
from nndoctor.progress import sureness
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.wording import number

POWERS = 1.5  # thirty-fold: healthy plain networks of fifty layers wander by three
RECOVERED = 1.0  # at the end of the run


def check(run: Run) -> Iterator[Symptom]:
    """Follow the deviation of the hidden weight layers' outputs through the network as it begins, and as it ends."""
    layers = Layers(run)
    hidden = [p for p in layers.seen if layers.is_hidden(p)]
    paths, sizes = layers.levels(hidden, "std", first)
    _, ends = layers.levels(hidden, "std", late)
    trend = powers(sizes)
    if len(paths) < 3 or trend < POWERS or sizes[-1] <= 0:
        return
    factor = 10 ** (trend / (len(paths) - 1))
    recovered = powers(ends) < RECOVERED and learned(run)
    series = run.series[f"layer:{paths[-1]}/std"]
    yield Symptom(
        f"the signal grows with depth: its deviation is {number(float(f'{sizes[0]:.2g}'))} at {layers.named(paths[0])} and "
        f"{number(float(f'{sizes[-1]:.2g}'))} at {layers.named(paths[-1])}, {number(float(f'{factor:.2g}'))} times a layer"
        + ("; training has mended it" if recovered else ""),
        sureness(trend, 1.2, 3.0),
        {
            "first_std": float(sizes[0]),
            "last_std": float(sizes[-1]),
            "per_layer": round(factor, 3),
            "layers": len(paths),
        },
        series=series.name,
        step=float(series.x[0]),
        layer=paths[-1],
        severity=Severity.INFO if recovered else None,
    )


RULE = Rule(
    code="NN503",
    name="signal-grows",
    severity=Severity.WARNING,
    title="the signal grows with depth",
    needs={"layer:*/std": 1},
    check=check,
    why="Weights too large for their fan-in make every layer's output larger than its input; at the end outputs and loss are huge, and the gradient with them.",
    how="The deviation of hidden outputs grows thirty-fold or more over the network in the first sample, by its trend over the layers. Information only where training has mended it.",
    sources=(Reference("He et al., Delving Deep into Rectifiers, 2015", "https://arxiv.org/abs/1502.01852"),),
    remedies=("he-initialization", "xavier-initialization", "batch-normalization"),
    sick=(
        Run.drawn(
            facts={f"roles:fc{k}": "weight" for k in range(1, 6)},
            layers={"fc1/std": "5*4", "fc2/std": "50*4", "fc3/std": "600*4", "fc4/std": "7e3*4", "fc5/std": "0.05*4"},
        ),
    ),
    healthy=(
        Run.drawn(
            facts={f"roles:fc{k}": "weight" for k in range(1, 6)},
            layers={
                "fc1/std": "0.6*4",
                "fc2/std": "0.25*4",
                "fc3/std": "0.12*4",
                "fc4/std": "0.09*4",
                "fc5/std": "0.05*4",
            },
        ),
    ),
    yields_to=("symmetric-initialization",),
)
