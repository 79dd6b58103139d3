"""The errors that nndoctor raises for a user's mistake; a bug of nndoctor raises anything else.

NNDoctorError
├── UnreadableLog     a log could not be read, or holds no training series
│   └── NotALog       the input is something else than a training log
├── UsageError        an argument, a setting or a name that makes no sense
└── MissingExtra      an optional package is not installed
"""

from __future__ import annotations

from collections.abc import Iterable


class NNDoctorError(Exception):
    """One line for the user: what was found, what was wanted, what to do."""


class UnreadableLog(NNDoctorError):
    """A log that could not be read, or in which no training series was found."""


class NotALog(UnreadableLog):
    """Something else than a training log: in a folder it is left out, and no error."""


class UsageError(NNDoctorError):
    """An argument, a setting or a name that makes no sense."""


class MissingExtra(NNDoctorError):
    """An optional package is missing.

    >>> str(MissingExtra("reading event files", "tensorboard", "tb"))
    "reading event files needs tensorboard: pip install 'nndoctor[tb]'"
    """

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'nndoctor[{extra}]'")


def raised_at(error: Exception) -> str:
    """Where an exception was raised: `gap.py:54`."""
    import traceback
    from pathlib import Path

    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def nearest(word: str, names: Iterable[str], least: float = 0.5) -> str:
    """`, did you mean 'x'?`, or nothing where no name is as near.

    >>> nearest("overtrainin", ["overtraining", "diverged"]), nearest("x", ["overtraining"])
    (", did you mean 'overtraining'?", '')
    """
    import difflib

    by_case = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), list(by_case), 1, least)
    return f", did you mean '{by_case[near[0]]}'?" if near else ""
