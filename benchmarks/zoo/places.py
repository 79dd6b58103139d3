"""The workloads that batches are drawn from, with the nets that fit them and how often each comes."""

from __future__ import annotations

from dataclasses import dataclass

DENSE = ("mlp", "mlp", "mlp", "residual", "mlp_bn")
TASKS = 60  # of every family; a task never changes


@dataclass(frozen=True, slots=True)
class Place:
    """A workload, or a family of tasks, and the nets that it is trained with."""

    workload: str
    nets: tuple[str, ...]
    weight: float


PLACES = (
    Place("network-teacher", DENSE, 7),
    Place("polynomial", DENSE, 5),
    Place("additive", DENSE, 5),
    Place("clusters", DENSE, 7),
    Place("ruled-classes", DENSE, 7),
    Place("moons", DENSE, 6),
    Place("rings", DENSE, 5),
    Place("bits", DENSE, 4),
    Place("spread", ("mlp", "mlp", "residual"), 4),
    Place("point-diffusion", ("mlp", "residual"), 3),
    Place("digit-diffusion", ("mlp",), 2),
    Place("modular-sums", ("mlp", "mlp", "transformer"), 3),
    Place("digits", DENSE, 4),
    Place("breast_cancer", ("mlp",), 2),
    Place("diabetes", ("mlp",), 2),
    Place("spirals", DENSE, 3),
    Place("density", ("mlp",), 2),
    Place("blobs", DENSE, 3),
    Place("intervals", ("mlp",), 2),
    Place("autoencoder", ("autoencoder",), 3),
    Place("vae", ("vae",), 3),
    Place("contrastive", ("pairs",), 3),
    Place("forecast", ("rnn", "gru", "mlp"), 4),
    Place("frequencies", ("gru", "rnn"), 3),
    Place("counting", ("gru", "rnn"), 3),
    Place("tags", ("rnn", "gru", "transformer"), 2.5),
    Place("source-text", ("rnn", "gru", "transformer"), 2.5),
    Place("digit-images", ("cnn", "cnn_bn"), 2.5),
    Place("digit-patches", ("transformer",), 1),
    Place("bars", ("cnn", "cnn_bn"), 2),
    Place("centres", ("cnn",), 1.5),
    Place("masks", ("fcn",), 1.5),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the nets of one kind may look like, and the budget that the machine allows."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    activations: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    most: int  # steps between two of the evaluations of the longest run


DENSE_WIDTHS = (2, 4, 8, 12, 16, 16, 24, 24, 32)
FREE = ("relu", "relu", "relu", "relu", "tanh", "tanh", "gelu", "gelu", "sigmoid")
SHAPES = {
    "mlp": Shape(DENSE_WIDTHS, (0, 1, 1, 1, 2, 2, 2, 3, 3, 5, 8), (*FREE, *FREE, "identity"), (8, 16, 16, 32), 12),
    "residual": Shape(DENSE_WIDTHS[2:], (1, 1, 2, 2, 3), FREE, (8, 16, 16, 32), 8),
    "mlp_bn": Shape(DENSE_WIDTHS[1:], (1, 2, 2, 3, 5), FREE, (8, 16, 32, 32), 8),
    "cnn": Shape((1, 2, 3, 4), (1, 2, 2, 3), ("relu", "relu", "tanh", "gelu"), (8, 16), 3),
    "cnn_bn": Shape((1, 2, 3, 4), (1, 2, 2), ("relu", "relu", "gelu"), (8, 16), 3),
    "fcn": Shape((1, 2, 3, 4), (1, 2, 3), ("relu", "relu", "tanh"), (8,), 3),
    "rnn": Shape((3, 6, 10, 16, 16, 24), (1,), ("tanh", "tanh", "tanh", "sigmoid"), (8, 16), 4),
    "gru": Shape((3, 6, 10, 16), (1,), ("tanh",), (8, 16), 4),
    "transformer": Shape((4, 8, 12), (1, 1, 1, 2), ("gelu",), (8,), 3),
    "autoencoder": Shape((4, 8, 16, 24, 32), (3,), FREE, (8, 16), 8),
    "vae": Shape((4, 8, 16, 24), (1,), FREE, (8, 16), 8),
    "pairs": Shape((4, 8, 16, 24), (1, 2, 2), FREE, (16, 32), 8),
}
