"""`--annotate`: the verdict on each run that came from a service is written back to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nndoctor.cli.out import say
from nndoctor.core.formatting import plural

if TYPE_CHECKING:
    from nndoctor.core.report import Report


def annotate_runs(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """Write the verdicts, say how many, and give for each run that could not be written to the reason."""
    from nndoctor.core.errors import NNDoctorError
    from nndoctor.core.verdict import headline
    from nndoctor.readers.services.annotation import annotate

    errors: list[tuple[str, str]] = []
    done = 0
    for report in reports:
        address = report.run.fact("address")
        if not isinstance(address, str):
            errors.append((report.source, f"--annotate: {report.source} did not come from a service"))
            continue
        found = report.primary
        result = {
            "verdict": headline(report)[0],
            "finding": found.name if found is not None else "none",
            "severity": str(found.severity) if found is not None else "none",
        }
        try:
            annotate(address, result)
            done += 1
        except NNDoctorError as error:
            errors.append((report.source, f"--annotate: {error}"))
    if done:
        say(f"wrote the verdict to {plural(done, 'run')}")
    return errors
