"""Watching: logs that grow are judged again whenever one has changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from nndoctor.core.errors import NNDoctorError
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.report import Report
from nndoctor.diagnosis.session import Session
from nndoctor.readers import is_log
from nndoctor.readers.io.address import is_address
from nndoctor.readers.io.find import find
from nndoctor.readers.io.remote import is_remote
from nndoctor.readers.polled import Polled
from nndoctor.readers.tail import Growing

CPU_SHARE = 0.04  # of one core: after a poll that took a second, the next comes 25 seconds later
FIND_EVERY = 10.0  # seconds between two searches for new logs in a folder


@dataclass(slots=True)
class Watch:
    """The logs behind some words; a word that names nothing yet is waited for.

    A finding is `confirmed` once two looks in a row have had it, because a few more steps may take the first one back.
    """

    words: Sequence[str]
    session: Session = field(default_factory=Session)
    reports: dict[str, list[Report]] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    confirmed: dict[tuple[str, str], Finding] = field(default_factory=dict)
    cost: float = 0.0
    _logs: dict[str, Growing | Polled] = field(default_factory=dict)
    _before: set[tuple[str, str]] = field(default_factory=set)
    _found_at: float = float("-inf")

    def poll(self) -> bool:
        """Read and judge what is new; returns whether anything was. Files that cannot be read yet are listed in `waiting`."""
        began = time.process_time()
        if not self._logs or time.monotonic() - self._found_at > FIND_EVERY:
            self._search()
        changed = [self._judged(path, log) for path, log in self._logs.items()]
        self._confirm()
        self.cost = time.process_time() - began
        return any(changed)

    @property
    def pause(self) -> float:
        """Seconds until the next poll, so that polling takes no more than its share of the processor."""
        return self.cost / CPU_SHARE

    @property
    def last_change(self) -> float:
        """When a log was last written to, in seconds since the epoch."""
        return max((log.changed for log in self._logs.values()), default=0.0)

    def all(self) -> list[Report]:
        """The latest report on every run."""
        return [report for reports in self.reports.values() for report in reports]

    def worst(self, severity: Severity) -> list[Finding]:
        """The standing findings at this severity or worse."""
        return [finding for finding in self.confirmed.values() if finding.severity.rank <= severity.rank]

    def _search(self) -> None:
        self._found_at = time.monotonic()
        sources, errors = find(self.words, is_log)
        self.waiting = dict(errors)
        for source in sources:
            if source.path not in self._logs:
                kind = Polled if is_address(source.path) or is_remote(source.path) else Growing
                self._logs[source.path] = kind(source.path, self.session.settings(source.path).maps)

    def _judged(self, path: str, log: Growing | Polled) -> bool:
        try:
            runs = log.poll()
        except (NNDoctorError, OSError) as error:
            self.waiting[path] = str(error)
            return False
        self.waiting.pop(path, None)
        if runs is None:
            return False
        self.reports[path] = [self.session.judge(run, log=path) for run in runs]
        return True

    def _confirm(self) -> None:
        now = {(r.source, f.code): f for r in self.all() for f in r.findings}
        self.confirmed = {key: finding for key, finding in now.items() if key in self._before}
        self._before = set(now)
