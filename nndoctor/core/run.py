"""A run: series, layer series and facts, each with the place it came from.

The grammar of names. Splits are `train`, `validation` and `test`. A series is `split/metric` (`train/loss`,
`validation/accuracy`), bare where it has no split (`lr`, `grad_norm`, `epoch_time`), and `layer:<module path>/<statistic>`
for a layer (`layer:features.0/zero_fraction`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import numpy as np

from nndoctor.core.display import displayed
from nndoctor.core.formatting import place
from nndoctor.core.metrics import METRICS, Metric, metric_of
from nndoctor.core.series import Series

SPLITS = ("train", "validation", "test")
LAYER = "layer:"
ANY_LAYER = "layer:*/"

T = TypeVar("T")
P = ParamSpec("P")
FactValue = float | int | str | bool | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A single value of a run, and its line in the log."""

    value: FactValue
    line: int | None = None


def once(measure: Callable[Concatenate[Run, P], T]) -> Callable[Concatenate[Run, P], T]:
    """Decorator: compute a measurement once per run and arguments, and cache it with the run."""
    name = f"{measure.__module__}.{measure.__qualname__}"

    @wraps(measure)
    def kept(run: Run, /, *asked: P.args, **named: P.kwargs) -> T:
        key = name, *asked, *named.items()
        if key not in run.measured:
            with np.errstate(all="ignore"):  # a log may hold 1e308, and what overflows is compared as infinity
                run.measured[key] = measure(run, *asked, **named)
        value: T = run.measured[key]
        return value

    return kept


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One training run, whatever it was read from.

    `series` holds run and layer series by name; `source` is what a reader of the report sees (`log.csv#2`), `path` the
    file; `unknown` lists the columns that were not understood, `notes` the reader's remarks ("the last line is
    cut off and was left out"). `clock` tells the seconds at each step, `epochs` the epoch as the log has it (a whole or a
    broken number); `axis` says what a step is: `epoch`, `step`, or `episode` of a game.
    """

    series: Mapping[str, Series]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    source: str = ""
    path: str = ""
    format: str = ""
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    clock: Series | None = None
    axis: str = "step"
    epochs: Series | None = None

    @classmethod
    def drawn(
        cls, facts: Mapping[str, FactValue] | None = None, layers: Mapping[str, str] | None = None, **curves: str
    ) -> Self:
        """A small run in one line: `Run.drawn(train_loss="2.3 1.2 0.9", validation_loss="2.3 1.4 1.3", lr="0.1 0.1 0.01")`.

        The first underscore after a split means the slash; `a..b*n` draws n points from a to b, evenly in ratio
        when both have one sign, evenly spaced otherwise; `a*n` repeats. `layers` draws layer series by their path and
        statistic: `{"fc1/grad_norm": "1 0.9"}`.
        """
        named = {_spelled(key): text for key, text in curves.items()}
        named |= {LAYER + key: text for key, text in (layers or {}).items()}
        known = {k: Fact(v) for k, v in (facts or {}).items()}
        return cls(_Drawn(named), known, source="drawn", format="drawn")

    def place(self, step: float) -> str:
        """A step as a message names it, in the unit that the log counts: `epoch 9`, `step 1500`, `epoch 0.25`."""
        return place(self.axis, step)

    def until(self, step: float) -> Self:
        """The run as its log was at a step."""
        return replace(self, series={name: series.until(step) for name, series in self.series.items()})

    def get(self, names: str) -> Series | None:
        """The first of the series `a|b|c` that the run has; `train/metric` means that split's judged error, best 0.

        `layer:*/statistic` means the layer with the most points of it.
        """
        for name in names.split("|"):
            if name.startswith(ANY_LAYER):
                return max(
                    (s for p in self.layers if (s := self.layer(p, name[len(ANY_LAYER) :]))), key=len, default=None
                )
            found = self.error(name.split("/")[0]) if name.endswith("/metric") else self.series.get(name)
            if found is not None:
                return found
        return None

    def series_of(self, names: str, points: int = 1) -> Series | None:
        """What `get` finds, if it has at least so many finite values."""
        found = self.get(names)
        return found if found is not None and len(found.y) >= points else None

    def fact(self, name: str) -> FactValue | None:
        """The value of a fact, or None."""
        found = self.facts.get(name)
        return None if found is None else found.value

    def texts(self, name: str) -> tuple[str, ...]:
        """The value of a fact that is a list, as texts; empty where it is not known."""
        value = self.fact(name)
        return tuple(map(str, value)) if isinstance(value, tuple) else ()

    def numbers(self, name: str) -> tuple[float, ...]:
        """The value of a fact that is a list of numbers; empty where it is not known."""
        value = self.fact(name)
        return tuple(map(float, value)) if isinstance(value, tuple) else ()

    def known(self, name: str) -> float | None:
        """The value of a fact that is a number, or None."""
        value = self.fact(name)
        return float(value) if isinstance(value, (int, float)) else None

    def number(self, name: str) -> float:
        """The value of a fact that is a number, 0 where it is not known."""
        return self.known(name) or 0.0

    @cached_property
    def metric(self) -> Metric | None:
        """The metric by which the run is judged: the first of METRICS that train and validation both hold, else that one holds."""
        for splits in (("train", "validation"), ("validation",), ("train",)):
            for metric in METRICS:
                if all(f"{split}/{metric.name}" in self.series for split in splits):
                    return metric
        return None

    @cached_property
    def measured(self) -> dict[tuple[Any, ...], Any]:
        """The cache of `once`: values by the measurement's name and arguments."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """The state that another process needs; cached measurements are large, and computed again there on demand."""
        return {name: value for name, value in vars(self).items() if name != "measured"}

    @once
    def error(self, split: str) -> Series | None:
        """The judged metric of a split so that lower is better: 1 - share, or the negative of what has no ceiling."""
        if self.metric is None:
            return None
        found = self.series.get(f"{split}/{self.metric.name}")
        if found is None or not self.metric.higher:
            return found
        return found.with_values((1.0 if self.metric.share else 0.0) - found.values)

    def error_rate(self, split: str) -> Series | None:
        """The judged error of a split, if it is a share of one and has a finite value."""
        found = self.error(split) if self.judged_by_share else None
        return found if found is not None and len(found.y) else None

    @property
    def judged_by_share(self) -> bool:
        """Whether the judged metric is a share of one, so that gaps read as points of error."""
        return self.metric is not None and self.metric.share

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The module paths that have layer series, in the order of the log."""
        paths = (name[len(LAYER) :].rpartition("/")[0] for name in self.series if name.startswith(LAYER))
        return tuple(dict.fromkeys(paths))

    def layer(self, path: str, statistic: str) -> Series | None:
        """One statistic of one layer over the steps."""
        return self.series.get(f"{LAYER}{path}/{statistic}")

    def __repr__(self) -> str:
        points = max((len(series) for series in self.series.values()), default=0)
        form = f" ({self.format})" if self.format else ""
        return f"<Run {self.source or 'without a source'}{form}: {len(self.series)} series, up to {points} points>"

    def _repr_html_(self) -> str:
        return str(displayed("run_html", self))


class _Drawn(Mapping[str, Series]):
    """The series of a drawn run, created on first use, so that the rules' examples cost nothing at start-up."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    @cached_property
    def _series(self) -> dict[str, Series]:
        named = {key: _points(text) for key, text in self._texts.items()}
        longest = max((len(v) for v in named.values()), default=0)
        return {k: Series.of(k, v, np.linspace(0, longest - 1, len(v))) for k, v in named.items()}

    def __getitem__(self, name: str) -> Series:
        return self._series[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._texts)


def direction(name: str) -> bool:
    """Whether a higher value of the series `split/metric` is better; losses and unknown metrics are better low."""
    metric = metric_of(name)
    return metric is not None and metric.higher


def _spelled(key: str) -> str:
    split, _, rest = key.partition("_")
    return f"{split}/{rest}" if split in SPLITS and rest else key


def _points(text: str) -> list[float]:
    points: list[float] = []
    for word in text.split():
        shape, _, count = word.partition("*")
        first, _, last = shape.partition("..")
        number = int(count) if count else 1
        points += _between(float(first), float(last or first), number)
    return points


def _between(a: float, b: float, n: int) -> list[float]:
    if n == 1 or a == b:
        return [a] * n
    spaced = np.geomspace(a, b, n) if a * b > 0 else np.linspace(a, b, n)
    return [float(v) for v in spaced]
