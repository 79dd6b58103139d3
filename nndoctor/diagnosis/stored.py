"""Exact serialization of reports as JSON of known classes only, so that reading a foreign file executes nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from nndoctor.core.finding import Cause, Finding, Location, Remedy, Severity
from nndoctor.core.prognosis import Expectation, Reason
from nndoctor.core.report import Report, Skipped
from nndoctor.core.run import Fact, Run
from nndoctor.core.series import PRECOMPUTED, Series, SeriesSummary

CLASSES = (Report, Skipped, Run, Fact, Series, SeriesSummary, Finding, Location, Cause, Remedy, Expectation, Reason)
FIELDS = {kind.__name__: (kind, tuple(f.name for f in fields(kind))) for kind in CLASSES}
CACHED = (*PRECOMPUTED, "summary", "first", "last")  # what a reduced series knows of the whole one


def to_text(reports: tuple[Report, ...]) -> str:
    """The text of some reports. Raises TypeError for a value that no report should hold."""
    return json.dumps(_plain(reports))


def from_text(text: str) -> tuple[Report, ...]:
    """The reports in a text. Raises ValueError for any other text."""
    try:
        found = _made(json.loads(text))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no stored reports: {error}") from error
    if not isinstance(found, tuple) or not all(isinstance(one, Report) for one in found):
        raise ValueError("no stored reports")
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a report holds
    """Lists that begin with the name of what they hold; numbers, words and None as they are."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Severity):
        return ["Severity", str(value)]
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *map(_plain, value)]
    if isinstance(value, Mapping):
        return ["dict", *((name, _plain(held)) for name, held in value.items())]
    if isinstance(value, np.ndarray):
        return ["array", value.dtype.str, base64.b64encode(value.tobytes()).decode()]
    return _plain(value.item()) if isinstance(value, np.generic) else _fields(value)


def _fields(value: Any) -> list[Any]:  # noqa: ANN401 - one of CLASSES
    """The name of a class and the values of its fields. Raises TypeError for any other class."""
    name = type(value).__name__
    kind, names = FIELDS.get(name, (None, ()))
    if kind is not type(value):
        raise TypeError(f"a report holds a {name}, which is not stored")
    own = [name, *(_plain(getattr(value, field)) for field in names)]
    if isinstance(value, Series):
        own.append(_plain({key: vars(value)[key] for key in CACHED if key in vars(value)}))
    return own


def _made(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, list):
        return value
    name, *rest = value
    if name in ("tuple", "list"):
        return tuple(map(_made, rest)) if name == "tuple" else list(map(_made, rest))
    if name == "dict":
        return {key: _made(held) for key, held in rest}
    if name == "array":
        return np.frombuffer(base64.b64decode(rest[1]), np.dtype(rest[0]))
    if name == "Severity":
        return Severity(rest[0])
    kind, names = FIELDS[name]
    made = kind(**dict(zip(names, map(_made, rest), strict=False)))
    if isinstance(made, Series):
        vars(made).update(_made(rest[len(names)]))
    return made
