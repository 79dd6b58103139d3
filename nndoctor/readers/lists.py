"""Tables from a mapping of names to lists, nested or not."""

from __future__ import annotations

from collections.abc import Mapping

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
    return lists


def _boosting(key: str, among: Mapping[str, object]) -> str:
    """XGBoost calls its first evaluation set `validation_0`, and that is the training set where there is another."""
    if key == "validation_0" and "validation_1" in among:
        return "train"
    return "validation" if key in ("validation_0", "validation_1", "valid_0", "valid_1") else key
