"""The layers of a recorded run: their order, roles and statistics, and how a statistic changes with depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array

ACTIVATIONS = ("relu", "sigmoid", "tanh")
WEIGHTED = ("weight", "recurrent", "attention")  # roles of layers with matrices that signals pass through
EARLY = 0.3  # share of a run's samples that gives the level at the start
ZERO_WEIGHTS = 1e-6  # norm up to which weights count as zero
DECIMAL = 10.0
MIN_TREND = 3  # layers that show how a quantity changes with depth
SECOND_HALF = 0.5  # share of the run
LEARNED = 0.3  # share of the first loss by which it has fallen where the network learned
TRIAL = 180  # optimizer steps
LATE = 0.7  # share of a run's samples after which they give the level at the end


@dataclass(frozen=True, eq=False)
class Layers:
    """What a run's layer series and facts say of each layer, in the order in which the data pass them."""

    run: Run

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All recorded layers in the order of the data."""
        ordered, known = self.run.texts("layers"), set(self.run.layers)
        return tuple(dict.fromkeys([*(path for path in ordered if path in known), *self.run.layers]))

    def role(self, path: str) -> str:
        """`weight`, `activation`, `norm` …; of an activation called as a function by its name; `` where unknown."""
        known = self.run.fact(f"roles:{path.partition('#')[0]}")
        return str(known) if known is not None else "activation" if self.activation(path) else ""

    def activation(self, path: str) -> str:
        """`relu`, `sigmoid`, `tanh`, or ``."""
        plain = path.partition("#")[0]
        known = self.run.fact(f"activations:{plain}")
        last = plain.rpartition(".")[2]
        return str(known) if known is not None else last if last in ACTIVATIONS else ""

    def named(self, path: str) -> str:
        """A layer as one says it: where its path ends in a bare number with its kind, `layer 0 (Linear)`, `features.3 (ReLU)`."""
        plain, _, call = path.partition("#")
        above, _, last = plain.rpartition(".")
        if above.isdigit() and last in ACTIVATIONS and not call:
            return f"the {last} after {self.named(above)}"
        kind = self.run.fact(f"kinds:{plain}") if last.isdigit() else None
        notes = ", ".join([*([str(kind)] if kind else []), *([f"call {call}"] if call else [])])
        name = f"layer {plain}" if plain.isdigit() else plain
        return f"{name} ({notes})" if notes else name

    def placed(self, path: str) -> str:
        """The same with the word before it: `layer fc1`, `layer 0 (Linear)`."""
        name = self.named(path)
        return name if name.startswith(("layer ", "the ")) else f"layer {name}"

    def series(self, path: str, statistic: str) -> Series | None:
        """One statistic of one layer, if it has a finite value."""
        found = self.run.layer(path, statistic)
        return found if found is not None and len(found.y) else None

    @cached_property
    def weighted(self) -> tuple[str, ...]:
        """The layers with matrices that signals pass through and that are trained, in order."""
        frozen = self.run.texts("frozen_layers")
        return tuple(p for p in self.paths if self.role(p) in WEIGHTED and p not in frozen)

    @cached_property
    def seen(self) -> tuple[str, ...]:
        """The plain weight layers (linear, convolution) whose output was seen, in order, frozen ones too."""
        return tuple(p for p in self.paths if self.role(p) == "weight" and self.series(p, "std") is not None)

    def before(self, path: str) -> str | None:
        """The layer whose output reaches this one, as far as the order shows."""
        at = self.paths.index(path)
        return self.paths[at - 1] if at else None

    def after(self, path: str) -> tuple[str, ...]:
        """The layers behind this one."""
        return self.paths[self.paths.index(path) + 1 :]

    def is_hidden(self, path: str) -> bool:
        """Whether a layer with weights comes after it."""
        return any(self.role(p) in WEIGHTED for p in self.after(path))

    @cached_property
    def normalized(self) -> bool:
        """Whether any layer normalizes."""
        return any(self.role(p) == "norm" for p in self.paths)

    def levels(
        self, paths: Iterable[str], statistic: str, level: Callable[[Series], float]
    ) -> tuple[tuple[str, ...], Array]:
        """Those of the layers that have the statistic, and its level in each, shape (layers,)."""
        found = [(p, level(s)) for p in paths if (s := self.series(p, statistic)) is not None]
        return tuple(p for p, _ in found), np.array([v for _, v in found])

    def size(self, path: str, level: Callable[[Series], float]) -> float | None:
        """The root mean square of a layer's output at some level of its mean and deviation."""
        mean, std = self.series(path, "mean"), self.series(path, "std")
        return None if mean is None or std is None else float(np.hypot(level(mean), level(std)))


def first(series: Series) -> float:
    """The first finite value."""
    return series.initial


def early(series: Series) -> float:
    """The median of the first third."""
    return series.level(0.0, EARLY)


def late(series: Series) -> float:
    """The median of the last third."""
    return series.level(LATE, 1.0)


def powers(values: Array) -> float:
    """By how many powers of ten a positive quantity changes from the first layer to the last, shape (layers,) -> one.

    The Theil-Sen slope of its logarithm over depth, so that a single odd layer, or a pattern repeated in every block,
    is no trend. 0 for fewer than three values above zero.
    """
    positive = np.isfinite(values) & (values > 0)
    x, y = np.flatnonzero(positive), np.log10(values[positive])
    if len(y) < MIN_TREND:
        return 0.0
    i, j = np.triu_indices(len(y), 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i])) * (len(values) - 1))


def from_powers(exponent: float) -> float:
    """The factor that is so many powers of ten."""
    return float(DECIMAL**exponent)


def pace(run: Run) -> float | None:
    """By what share of its size a step of the second half moves the usual layer's weights; None where not recorded."""
    layers = Layers(run)
    _, ratios = layers.levels(layers.weighted, "update_ratio", lambda s: s.level(SECOND_HALF, 1.0))
    return float(np.median(ratios)) if len(ratios) else None


def is_trial(run: Run) -> bool:
    """Whether the recorder saw a run so short that it tries the loop: how far it came is then no finding."""
    loss = run.series.get("train/loss")
    return bool(run.layers) and loss is not None and len(loss.values) < TRIAL


def learned(run: Run, share: float = LEARNED) -> bool:
    """Whether the training loss has fallen by so much of its start."""
    loss = run.series_of("train/loss", 2)
    return loss is not None and loss.first - loss.last > share * abs(loss.first)
