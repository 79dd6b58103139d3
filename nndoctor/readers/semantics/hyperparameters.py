"""What a log says of how a run was set up, as facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nndoctor.core.run import Fact
from nndoctor.readers.tables.table import flatten
from nndoctor.readers.vocabulary.names import FACTS, tidy

MAX_CHARACTERS = 200  # characters of a value, and of a name, that is no document
MAX_SETTINGS = 500  # settings of a run


def settings_in(config: Mapping[str, object] | None) -> dict[str, Fact]:
    """The settings in a run's configuration; what trackers keep there for themselves is left out."""
    flat = flatten(config or {})
    return settings_as_facts((name, value) for name, value in flat.items() if not name.startswith("_"))


def settings_as_facts(settings: Iterable[tuple[str, object]]) -> dict[str, Fact]:
    """Known settings by our names (`batch_size`), any other as `setting:<name>`; what is no single value is left out."""
    facts: dict[str, Fact] = {}
    for name, value in settings:
        ours = FACTS.get(tidy(name), f"setting:{name}")
        found = _value(value)
        if ours and found is not None and len(name) <= MAX_CHARACTERS and len(facts) < MAX_SETTINGS:
            facts[ours] = Fact(found)
    return facts


def _value(value: object) -> str | int | float | bool | None:
    if not isinstance(value, str):
        whole = isinstance(value, float) and value.is_integer()
        return int(value) if whole else value if isinstance(value, (bool, int, float)) else None  # type: ignore[call-overload]
    text = value.strip()
    if not 0 < len(text) <= MAX_CHARACTERS:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
