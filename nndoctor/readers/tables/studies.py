"""Studies of Optuna as trials, and Optuna's SQLite storage read without Optuna."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nndoctor.analysis.hyperparameters import named
from nndoctor.analysis.search import Trial
from nndoctor.core.errors import UnreadableLog, UsageError, nearest
from nndoctor.core.run import FactValue
from nndoctor.readers.io.source import Source
from nndoctor.readers.io.sqlite import holds, opened

if TYPE_CHECKING:
    import sqlite3

TABLES = ("studies", "trials", "trial_params", "trial_values", "study_directions")
LEFT_OUT = frozenset({"PRUNED", "RUNNING", "WAITING"})
MAX_TRIALS = 100_000  # trials
INFINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf}


@dataclass(frozen=True, slots=True)
class FinishedTrial:
    """A trial that ended: its number, its settings, and its values, one an objective; none where it failed."""

    number: int
    settings: Mapping[str, FactValue]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """A study: whether each objective is to be maximized, and the trials that ended."""

    name: str
    higher: tuple[bool, ...]
    done: tuple[FinishedTrial, ...]


def is_store(source: Source) -> bool:
    """Whether a file is an SQLite storage of Optuna's."""
    return not source.is_dir and holds(source, *TABLES)


def in_file(source: Source, wanted: str = "") -> Study:
    """The study in a storage; `wanted` names it. Raises UnreadableLog if it does not exist or is ambiguous."""
    with opened(source) as base:
        ids = {
            str(name): key for key, name in base.execute("select study_id, study_name from studies order by study_id")
        }
        name = chosen(list(ids), wanted, source.path)
        directions = base.execute(
            "select direction from study_directions where study_id = ? order by objective", (ids[name],)
        ).fetchall()
        return Study(name, tuple(str(one) == "MAXIMIZE" for (one,) in directions), tuple(_done(base, ids[name])))


def chosen(names: Sequence[str], wanted: str, place: str) -> str:
    """The study that is meant. Raises UnreadableLog."""
    if wanted in names:
        return wanted
    if wanted or not names:
        raise UnreadableLog(
            f"{place} holds no study '{wanted}'{nearest(wanted, names)}" if names else f"{place} holds no study"
        )
    if len(names) > 1:
        raise UnreadableLog(
            f"{place} holds {len(names)} studies: add # and the name of one, such as {', '.join(names[:6])}"
        )
    return names[0]


def as_trials(study: Study, place: str, by: str | None, *, higher: bool | None) -> tuple[list[Trial], str, bool]:
    """The trials, the name of their score, and whether a higher one is better; `by` may name an objective: values_1.

    Raises UsageError where the study has several objectives and none is named.
    """
    scores = ["value"] if len(study.higher) == 1 else [f"values_{k}" for k in range(len(study.higher))]
    if by is None and len(scores) > 1:
        raise UsageError(f"{place}: the study has {len(scores)} objectives: name one with --by, as {', '.join(scores)}")
    if by is not None and by not in scores:
        raise UsageError(f"--by {by}: the study has no such score{nearest(by, scores)}; it has {', '.join(scores)}")
    k = scores.index(by) if by is not None else 0
    trials = [
        Trial(
            f"{place}#{one.number}",
            {named(name): value for name, value in one.settings.items()},
            one.values[k] if k < len(one.values) else math.nan,
        )
        for one in study.done
    ]
    return trials, scores[k], study.higher[k] if higher is None else higher


def _done(base: sqlite3.Connection, study: int) -> list[FinishedTrial]:
    settings: dict[int, dict[str, FactValue]] = {}
    rows = base.execute(
        "select p.trial_id, p.param_name, p.param_value, p.distribution_json from trial_params p "
        "join trials t on t.trial_id = p.trial_id where t.study_id = ?",
        (study,),
    )
    for trial, name, value, distribution in rows:
        settings.setdefault(trial, {})[str(name)] = _external(float(value), str(distribution))
    values: dict[int, list[float]] = {}
    rows = base.execute(
        "select v.trial_id, v.value, v.value_type from trial_values v "
        "join trials t on t.trial_id = v.trial_id where t.study_id = ? order by v.objective",
        (study,),
    )
    for trial, value, kind in rows:
        values.setdefault(trial, []).append(INFINITE.get(str(kind), math.nan if value is None else float(value)))
    ended = base.execute(
        "select trial_id, number, state from trials where study_id = ? order by number limit ?", (study, MAX_TRIALS)
    )
    return [
        FinishedTrial(int(number), settings.get(key, {}), tuple(values.get(key, ())))
        for key, number, state in ended
        if str(state) not in LEFT_OUT
    ]


def _external(value: float, distribution: str) -> FactValue:
    """A setting as the user wrote it: of a categorical one the choice, of an integer one an integer."""
    try:
        found = json.loads(distribution)
        choices = found["attributes"].get("choices")
        if choices is not None:
            choice = choices[int(value)]
            return choice if isinstance(choice, (bool, int, float, str)) else str(choice)
        return int(value) if str(found["name"]).startswith("Int") else value
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        return value
