"""The reports on what a user names, for the commands that draw them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nndoctor.core.report import Report
    from nndoctor.diagnosis.request import Task


def judged(logs: Sequence[str], task: Task) -> tuple[list[Report], list[tuple[str, str]]]:
    """The reports on every run behind these words, by the task and the settings near them, and for those that cannot be read why not."""
    from nndoctor.diagnosis.batch import judged as one
    from nndoctor.diagnosis.session import judge_of
    from nndoctor.readers import is_log
    from nndoctor.readers.io.find import find

    sources, errors = find(logs, is_log)
    reports: list[Report] = []
    for source in judge_of(task).kept(sources, logs):
        outcome = one(source, task)
        reports += outcome.reports
        if outcome.error:
            errors.append((source.path, outcome.error))
    return reports, errors
