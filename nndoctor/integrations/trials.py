"""A trial's values so far as a run, and whether it fails: what pruners and stoppers ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session


class Judge:
    """Judges trials by the user's settings; a trial fails when two of its values in a row had the same finding.

    Raises UsageError for a severity or rules that do not exist.
    """

    def __init__(self, severity: str, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> None:
        if severity not in list(Severity):
            raise UsageError(f"severity must be one of {', '.join(Severity)}; got {severity!r}")
        self._severity = Severity(severity)
        self._session = Session(SessionOptions(tuple(select), tuple(ignore)))
        self._before: dict[object, frozenset[str]] = {}

    def fails(self, trial: object, series: Mapping[str, Sequence[tuple[float, float]]]) -> Finding | None:
        """The worst finding that the trial has now and had at the previous call, if it is severe enough."""
        run = Run(
            {name: Series.of(name, [v for _, v in points], [s for s, _ in points]) for name, points in series.items()}
        )
        limit = self._severity.rank
        found = [f for f in self._session.judge(run, log="-").findings if f.severity.rank <= limit]
        before = self._before.get(trial, frozenset())
        self._before[trial] = frozenset(f.code for f in found)
        return next((f for f in found if f.code in before), None)
