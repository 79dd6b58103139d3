"""What the columns that are no series say of a run: its settings, and how its epochs are counted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndoctor.core.run import Fact
from nndoctor.core.series import Series
from nndoctor.readers.semantics.hyperparameters import settings_as_facts
from nndoctor.readers.semantics.step_axis import Segment
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import FACTS, Kind, Meaning, tidy

MIN_EPOCH_POINTS = 8  # rows with an epoch that show how the log counts epochs


def settings(table: Table, part: Segment) -> dict[str, Fact]:
    """The settings that are the same in all rows of a run, each with the line of its first value."""
    facts: dict[str, Fact] = {}
    for column, words in table.words.items():
        name, value = FACTS.get(tidy(column), ""), words.only(part.rows)
        if not name or value is None:
            continue
        line = None if table.lines is None else int(table.lines[part.rows[0]])
        try:
            number = float(value)
        except ValueError:
            facts[name] = Fact(value, line)
        else:
            facts[name] = Fact(int(number) if number.is_integer() else number, line)
    return facts


def constants(table: Table, meanings: Mapping[str, Meaning], part: Segment) -> dict[str, Fact]:
    """Unrecognized columns with the same number in all rows of a run, as settings."""
    found: list[tuple[str, object]] = []
    for name, meaning in meanings.items():
        data = table.columns[name]
        if meaning.kind is Kind.UNKNOWN and len(part.rows) > 1 and data.present[part.rows].all():
            values = data.values[part.rows]
            if values[0] == values[-1] and (values == values[0]).all():
                found.append((name.strip(), float(values[0])))
    return settings_as_facts(found)


def epoch_of_step(table: Table, meanings: Mapping[str, Meaning], part: Segment) -> Series | None:
    """The epoch at each step, where the log has both; None where it does not say, or goes back."""
    column = next((name for name, meaning in meanings.items() if meaning.kind is Kind.EPOCH), None)
    if column is None:
        return None
    data = table.columns[column]
    here = data.present[part.rows] & np.isfinite(data.values[part.rows])
    epochs = data.values[part.rows][here]
    if len(epochs) < MIN_EPOCH_POINTS or (np.diff(epochs) < 0).any():
        return None
    return Series("epoch", part.axis[here], epochs, column.strip())


def epoch_count(table: Table, meanings: Mapping[str, Meaning], part: Segment) -> dict[str, Fact]:
    """How many epochs the log counts: the last one's number, and one more where they count from 0."""
    column = next((table.columns[name] for name, meaning in meanings.items() if meaning.kind is Kind.EPOCH), None)
    values = np.empty(0) if column is None else column.values[part.rows]
    values = values[np.isfinite(values)]
    if not len(values) or values.min() < 0:
        return {}
    whole = bool((values == np.floor(values)).all())
    return {"epochs": Fact(float(values.max()) + (whole and values.min() == 0))}
