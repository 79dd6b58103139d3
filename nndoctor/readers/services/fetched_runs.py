"""The runs that a client hands over, as tables: with their names, their ids and their settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.semantics.hyperparameters import settings_as_facts
from nndoctor.readers.tables.table import Table, flatten

MAX_RUNS = 2000  # of one address
MAX_ROWS = 2_000_000  # of one run


@dataclass(frozen=True, slots=True)
class FetchedRun:
    """A run at a service: its id there, the name its users see, its address and its table."""

    id: str
    name: str
    address: str
    table: Table


def tables_of_runs(found: Sequence[FetchedRun]) -> list[Table]:
    """The tables of a project's runs, each labelled by its name; where several are called alike, by its id, too."""
    often = Counter(one.name for one in found)
    return [
        replace(table_of_run(one), label=f"{one.name} {one.id[:8]}" if one.name and often[one.name] > 1 else one.name or one.id)
        for one in found
    ]  # fmt: skip


def table_of_run(one: FetchedRun) -> Table:
    """The table of a run that was named, with its address as a fact."""
    return replace(one.table, facts={**one.table.facts, "address": Fact(one.address)})


def settings(config: Mapping[str, object] | None) -> dict[str, Fact]:
    """The settings in a run's configuration; what services keep there for themselves is left out."""
    flat = flatten(config or {})
    return settings_as_facts((name, value) for name, value in flat.items() if not name.startswith("_"))


def counted(steps: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """A curve without steps, its points numbered in order."""
    if len(steps) > 1 and steps[0] == steps[-1]:
        return [float(k) for k in range(len(steps))], values
    return steps, values


def parts(rest: str, form: str) -> list[str]:
    """The two or three words of an address. Raises UnreadableLog where it has another form."""
    words = [word for word in rest.strip("/").split("/") if word]
    if len(words) not in (2, 3):
        raise UnreadableLog(f"'{rest}' is no address of a run; expected {form}")
    return words
