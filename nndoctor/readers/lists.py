"""Tables from a mapping of names to lists, nested or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndoctor.errors import UnreadableLog
from nndoctor.readers.table import Table, from_cells

WRAPPED = ("history", "History", "metrics", "evals_result", "results")


def from_lists(found: Mapping[str, object], kind: str, path: str) -> Table:
    """A table of format `kind` from a mapping of names to lists. Raises UnreadableLog where no list holds numbers."""
    for name in WRAPPED:
        inner = found.get(name)
        if isinstance(inner, Mapping):
            found = inner
    lists = _lists(found)
    if not lists:
        raise UnreadableLog(f'{path} holds no list of numbers; wanted {{"loss": [...], "val_loss": [...]}}')
    longest = max(len(cells) for cells in lists.values())
    short = [name for name, cells in lists.items() if len(cells) != longest]
    notes = (f"the lists differ in length; {', '.join(short[:4])} end early",) if short else ()
    cells = {name: [*cells, *[None] * (longest - len(cells))] for name, cells in lists.items()}
    return from_cells(cells, kind, notes=notes)


def _lists(found: Mapping[str, object], prefix: str = "") -> dict[str, list[object]]:
    lists: dict[str, list[object]] = {}
    for key, value in found.items():
        name = f"{prefix}{_boosting(str(key), found)}"
        values = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(values, Mapping):
            lists.update(_lists(values, f"{name}/"))
        elif (
            isinstance(values, (list, tuple, range)) and len(values) and not isinstance(values[0], (list, dict, tuple))
        ):
            lists[name] = list(values)
        elif isinstance(values, (list, tuple)) and (last := _last_of_each(values)):
            lists[name] = last
    return lists


def _last_of_each(values: Sequence[object]) -> list[object]:
    """Of pairs of a step and a value, or of triples with the time before them, the values; of anything else nothing."""
    length = len(values[0]) if values and isinstance(values[0], (list, tuple)) else 0
    if length not in (2, 3) or not all(isinstance(v, (list, tuple)) and len(v) == length for v in values):
        return []
    return [v[-1] for v in values if isinstance(v, (list, tuple))]


def _boosting(key: str, among: Mapping[str, object]) -> str:
    """XGBoost calls its first evaluation set `validation_0`, and that is the training set where there is another."""
    if key == "validation_0" and "validation_1" in among:
        return "train"
    return "validation" if key in ("validation_0", "validation_1", "valid_0", "valid_1") else key
