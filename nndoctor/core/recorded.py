"""What a run folder's blocks and facts say: layer series, and facts of single values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np

from nndoctor.core.run import LAYER, Fact, FactValue
from nndoctor.core.run_folder import Block
from nndoctor.core.series import Series

MAX_WHOLE = 1 << 63

MAX_LAYERS = 20_000  # a hostile file could name more than memory holds


def layer_series(blocks: Sequence[Block]) -> dict[str, Series]:
    """One series for each layer and statistic; where steps go back, later samples replace earlier ones."""
    gathered: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for block in (b for b in blocks if len(b.layers) <= MAX_LAYERS):
        for s, statistic in enumerate(block.statistics):
            for k, layer in enumerate(block.layers):
                values = block.values[s, k]
                if not np.isnan(values).all():
                    name = f"{LAYER}{layer}/{statistic}"
                    gathered.setdefault(name, []).append((block.steps, values))
    return {name: _one(name, parts) for name, parts in gathered.items()}


def _one(name: str, parts: list[tuple[np.ndarray, np.ndarray]]) -> Series:
    steps = np.concatenate([s for s, _ in parts]).astype(np.float64)
    values = np.concatenate([v for _, v in parts]).astype(np.float64)
    lowest_later = np.minimum.accumulate(np.append(steps, np.inf)[::-1])[::-1][1:]
    stands = (steps < lowest_later) & ~np.isnan(values)
    return Series(name, steps[stands], values[stands], name)


def recorded_facts(found: Mapping[str, object]) -> dict[str, Fact]:
    """The facts that are single values or lists of one kind; of an object, or of a list of them, each entry is `name:key`."""
    result: dict[str, Fact] = {}
    for name, value in found.items():
        result |= {key: Fact(v) for key, v in _entries(name, value).items() if v is not None}
    return result


def _entries(name: str, value: object) -> dict[str, FactValue | None]:
    if isinstance(value, Mapping):
        return {f"{name}:{key}": _value(v) for key, v in value.items()}
    if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        return {f"{name}:{key}": _group(value, key) for key in value[0]}
    return {name: _value(value)}


def _group(groups: list[Mapping[str, object]], key: str) -> FactValue | None:
    """A setting of parameter groups: one value where all have the same, else the list."""
    values = [group.get(key) for group in groups]
    return _value(values[0] if all(v == values[0] for v in values) else values)


def _value(value: object) -> FactValue | None:
    """A fact's value, or None if it cannot be one."""
    if isinstance(value, list):
        if all(isinstance(v, str) for v in value):
            return tuple(value)
        return tuple(map(float, value)) if all(map(_is_number, value)) else None
    return value if isinstance(value, (bool, str)) or _is_number(value) else None


def _is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number; a recorder writes no integer too large for a float."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < MAX_WHOLE)
