"""A comparison as JSON, for programs."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor._version import __version__
from nndoctor.compare.comparison import Comparison, Level, Measure
from nndoctor.compare.remedy_outcomes import FindingChange
from nndoctor.reporters.json import Json, dumped, plain
from nndoctor.reporters.side_by_side.words import sentence, worked


def render(found: Comparison | None, changes: Sequence[FindingChange], errors: Sequence[tuple[str, str]]) -> str:
    """One object; without a comparison its lists are empty, and the errors say why."""
    whole: Json = {
        "schema_version": 1,
        "tool": {"name": "nndoctor", "version": __version__},
        "comparison": None if found is None else _comparison(found, changes),
        "errors": [{"source": source, "message": message} for source, message in errors],
    }
    return dumped(whole, indent=2) + "\n"


def _comparison(found: Comparison, changes: Sequence[FindingChange]) -> Json:
    return {
        "judged_by": found.judged,
        "sides": [
            {
                "label": side.label,
                "source": side.source,
                "runs": [run.source for run in side.runs],
                "settings": {name: plain(value) for name, value in side.settings.items()},
            }
            for side in found.sides
        ],
        "verdicts": [
            {"side": side.label, "against": "A", "outcome": str(found.outcome(k)), "message": sentence(found, k)}
            for k, side in enumerate(found.sides)
            if k
        ],
        "settings_that_differ": {n: {k: plain(v) for k, v in row.items()} for n, row in found.settings.items()},
        "measures": [_measure(measure) for measure in found.measures],
        "findings": [_change(found, change) for change in changes],
        "notes": list(found.notes),
    }


def _measure(measure: Measure) -> Json:
    return {
        "series": measure.name,
        "higher_is_better": measure.higher,
        "up_to": {"seconds" if measure.seconds else "step": plain(measure.at)},
        "levels": [_level(level) for level in measure.levels],
        "against_first": [
            {"outcome": str(measure.outcome(0, k)), "by_chance_up_to": plain(measure.limit(0, k))}
            for k in range(1, len(measure.levels))
        ],
    }


def _level(level: Level) -> Json:
    return {
        "last": plain(level.last),
        "best": plain(level.best),
        "runs": level.runs,
        "spread": plain(level.spread),
        "by_chance_alone": plain(level.chance),
    }


def _change(found: Comparison, change: FindingChange) -> Json:
    return {
        "side": found.sides[change.side].label,
        "code": change.code,
        "name": change.name,
        "severity": change.severity,
        "fate": change.status,
        "promised": change.series,
        "outcome": str(change.outcome),
        "worked": worked(change),
        "tried": list(change.tried),
    }
