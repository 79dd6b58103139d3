"""What CI formats share: one flat entry for each finding and each trouble, its place in the repository, its fingerprint."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.prognosis import confidence_in_words
from nndoctor.core.report import Report
from nndoctor.core.rule import Rule
from nndoctor.core.sanitize import printable
from nndoctor.core.verdict import capitalized

UNREADABLE = ("unreadable-log", "A log that cannot be read")
NOT_JUDGED = ("not-judged", "A run that cannot be judged")

Errors = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Context:
    """What a format needs besides the reports: the selected rules, the severity that fails, and the root of paths.

    `fail_on` None: no finding fails it; `root` is the folder to which paths are relative, by default the current one.
    """

    rules: Sequence[Rule] = ()
    fail_on: Severity | None = Severity.ERROR
    root: str = ""

    def fails(self, severity: Severity) -> bool:
        """Whether a finding this severe fails the gate."""
        return self.fail_on is not None and severity.rank <= self.fail_on.rank


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding of one run, or one log that could not be read or judged (`finding` is None, `code` a word).

    `source` is the run as the user named it, `path` the file as a path with slashes, relative if it is in the
    root; `fingerprint` stays the same from run to run of one log: rule, place and series make it, no step and no value.
    """

    code: str
    name: str
    severity: Severity
    source: str
    path: str
    line: int | None
    message: str
    fingerprint: str
    finding: Finding | None = None

    @property
    def title(self) -> str:
        """`NN103 overtraining`; for an error its code alone."""
        return f"{self.code} {self.name}" if self.finding else self.code

    @property
    def advice(self) -> str:
        """The confidence and the first remedy; empty for an error."""
        if self.finding is None:
            return ""
        first = f" Try first: {printable(self.finding.remedies[0].text.rstrip('.'))}." if self.finding.remedies else ""
        return f"{capitalized(confidence_in_words(self.finding.confidence))}.{first}"


def entries(reports: Iterable[Report], errors: Errors, context: Context) -> list[Entry]:
    """All of them, in the order of the reports, troubles last; messages are safe to show."""
    known: list[_Unplaced] = []
    troubles = [_Unplaced(*UNREADABLE, source, source, message) for source, message in errors]
    for report in reports:
        known += [_Unplaced(f.code, f.name, report.source, f.location.path, f.message, f) for f in report.findings]
        reason = report.unjudged
        if reason is not None:
            troubles.append(
                _Unplaced(*NOT_JUDGED, report.source, report.run.path or report.source, f"cannot be judged: {reason}")
            )
    seen: Counter[str] = Counter()
    return [_entry(item, context, seen) for item in [*known, *troubles]]


def relative(path: str, root: str) -> str:
    """A path with slashes, relative to the root if it is below it.

    >>> relative("/repo/runs/a.csv", "/repo"), relative("/data/a.csv", "/repo")
    ('runs/a.csv', '/data/a.csv')
    """
    whole, top = os.path.abspath(path), os.path.abspath(root or os.curdir)  # noqa: PTH100 - a link stays a link
    inside = os.path.normcase(whole).startswith(os.path.normcase(top.rstrip(os.sep) + os.sep))  # Windows: c: is C:
    return (os.path.relpath(whole, top) if inside else path).replace(os.sep, "/")


def text(entry: Entry) -> str:
    """Place, code, message and advice: for viewers that show nothing else of an entry."""
    place = printable(entry.source) if entry.line is None else f"{printable(entry.source)}:{entry.line}"
    return "\n".join(filter(None, (f"{place}: {entry.title}: {entry.message}", entry.advice)))


@dataclass(frozen=True, slots=True)
class _Unplaced:
    """An entry before its path and fingerprint are known."""

    code: str
    name: str
    source: str
    path: str
    message: str
    finding: Finding | None = None


def _entry(item: _Unplaced, context: Context, seen: Counter[str]) -> Entry:
    part = item.source.removeprefix(item.path)  # `#2`, for the second run of one log
    path = relative(item.path, context.root)
    finding = item.finding
    marks = [item.code, path, part]
    marks += [finding.series or "", finding.location.layer or ""] if finding else []
    digest = sha256("\0".join(marks).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return Entry(
        item.code,
        item.name,
        finding.severity if finding else Severity.ERROR,
        item.source,
        path,
        finding.location.line if finding else None,
        printable(item.message),
        f"{digest}:{seen[digest]}",
        finding,
    )
