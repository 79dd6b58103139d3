"""The runs that a client hands over, as tables: with their names, their ids and their settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.semantics.hyperparameters import settings_in
from nndoctor.readers.tables.curve_files import Curve, from_curves
from nndoctor.readers.tables.table import Table

MAX_RUNS = 2000  # of one address
MAX_ROWS = 2_000_000  # of one run


@dataclass(frozen=True, slots=True)
class FetchedRun:
    """A run at a service: its id there, the name its users see, its address and its table."""

    id: str
    name: str
    address: str
    table: Table


def tables_of_runs(found: Iterable[FetchedRun | None], *, named: bool) -> list[Table]:
    """The tables of the runs that hold curves, each with its address as a fact and its name as a label.

    Where several are called alike, the label holds the id, too. A single run that the address `named` needs no label.
    """
    runs = [one for one in found if one is not None]
    often = Counter(one.name for one in runs)
    tables = [replace(one.table, facts={**one.table.facts, "address": Fact(one.address)}) for one in runs]
    if named and len(runs) == 1:
        return tables
    labels = [f"{one.name} {one.id[:8]}" if one.name and often[one.name] > 1 else one.name or one.id for one in runs]
    return [replace(table, label=label) for table, label in zip(tables, labels, strict=True)]


def run_of_curves(
    key: str, name: str | None, address: str, curves: Mapping[str, Curve], given: Mapping[str, object] | None
) -> FetchedRun | None:
    """A run with its curves and the settings `given`; None of one whose curves have no two points."""
    if not any(len(steps) > 1 for steps, _ in curves.values()):
        return None
    table = from_curves(curves, address.partition(":")[0], address, settings_in(given), ())
    return FetchedRun(key, name or "", address, table)


def parts(rest: str, form: str) -> list[str]:
    """The two or three words of an address. Raises UnreadableLog where it has another form."""
    words = [word for word in rest.strip("/").split("/") if word]
    if len(words) not in (2, 3):
        raise UnreadableLog(f"'{rest}' is no address of a run; expected {form}")
    return words
