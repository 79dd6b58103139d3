"""The reports on what a user names, for the commands that draw them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nndoctor.report import Report


def judged(logs: Sequence[str], maps: Sequence[str] = ()) -> tuple[list[Report], list[tuple[str, str]]]:
    """The reports on every run behind these words, and for those that cannot be read why not."""
    from nndoctor.catalogue import RULES
    from nndoctor.engine import diagnose
    from nndoctor.errors import UnreadableLog
    from nndoctor.readers import is_log, read
    from nndoctor.readers.find import find

    sources, errors = find(logs, is_log)
    reports: list[Report] = []
    for source in sources:
        try:
            reports += [diagnose(run, RULES) for run in read(source, maps=maps)]
        except UnreadableLog as error:
            errors.append((source.path, str(error)))
        except OSError as error:
            errors.append((source.path, f"{source.path} cannot be read: {error.strerror or error}"))
    return reports, errors
