"""The gate's answer: two lines for people, one JSON object for scripts."""

from __future__ import annotations

import math

from nndoctor._version import __version__
from nndoctor.compare.gate import MAX_SEEDS, Gate, GateVerdict
from nndoctor.core.formatting import number
from nndoctor.core.metrics import series_in_words
from nndoctor.reporters.json import Json, dumped, plain
from nndoctor.reporters.side_by_side.words import value


def sentence(found: Gate) -> str:
    """`Better: validation loss 0.31 vs. 0.42 of the baseline, more than the 0.05 that repeats vary by.`"""
    one, two = found.measure.levels[0], found.measure.levels[1]
    values = f"{series_in_words(found.measure.name)} {value(two.last)} vs. {value(one.last)} of the baseline"
    if found.errors:
        return f"Worse: the candidate has a new finding, {', '.join(found.errors)} ({values})."
    if found.limit is None:
        known = math.isfinite(one.last) and math.isfinite(two.last)
        why = ", and one run of each does not tell the noise" if known else ""
        return f"{str(found.verdict).capitalize()}: {values}{why}."
    source = "repeats vary by up to" if found.repeated else "seeds vary by about"
    return f"{str(found.verdict).capitalize()}: {values} ({source} {number(found.limit)})."


def advice(found: Gate) -> str:
    """How many runs would tell, where chance may have made the difference."""
    if found.verdict is not GateVerdict.WITHIN_NOISE:
        return ""
    now = f"there are {found.measure.levels[0].runs} and {found.measure.levels[1].runs}"
    if found.seeds is None:
        return (
            f"Over {MAX_SEEDS} runs of each with other seeds would be needed to show a difference this small ({now})."
        )
    if not found.repeated:
        return f"To measure the noise: {found.seeds} runs of each with other seeds, in one folder for each ({now})."
    return f"To show a difference of this size: {found.seeds} runs of each with other seeds ({now})."


def text(found: Gate) -> str:
    """For people."""
    return "\n".join(line for line in (sentence(found), advice(found)) if line) + "\n"


def as_json(found: Gate, code: int) -> str:
    """For scripts, on one line."""
    one, two = found.measure.levels[0], found.measure.levels[1]
    whole: Json = {
        "schema_version": 1,
        "tool": {"name": "nndoctor", "version": __version__},
        "gate": str(found.verdict),
        "judged_by": found.measure.name,
        "higher_is_better": found.measure.higher,
        "baseline": {"value": plain(one.last), "runs": one.runs, "spread": plain(one.spread)},
        "candidate": {"value": plain(two.last), "runs": two.runs, "spread": plain(two.spread)},
        "gain": plain(found.gain),
        "by_chance_up_to": plain(found.limit),
        "seeds_needed": found.seeds,
        "new_errors": list(found.errors),
        "message": " ".join(line for line in (sentence(found), advice(found)) if line),
        "exit_code": code,
    }
    return dumped(whole) + "\n"
