"""The end of a page: what was clear, what could not be checked and what to log for it, names and notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from nndoctor.core.report import Report, Skipped
from nndoctor.core.run import ANY_LAYER
from nndoctor.core.sanitize import shown
from nndoctor.reporters.page import Page

CHECKUP = ("NN6", "NN7", "NN8")  # the families that a check-up of the model judges, not a log
WIDE = 13  # characters of the longest title and a blank
AXIS = re.compile(r"epoch|step|iter|batch|time|date|seed|^id$|_id$", re.IGNORECASE)  # no column to call a loss
NEEDS = ", needs "  # between what there is and what is wanted
MOST_NAMES = 6  # names listed before "and 3 more"


def rest(page: Page, report: Report) -> None:
    """All of it, each under its title; nothing where there is nothing to say."""
    of_model = report.run.format == "model"
    if report.cleared:
        judged = len(report.cleared) + len({f.code for f in report.findings}) + len(report.skipped)
        judged -= 0 if of_model else len(_of_checkup(report))
        _titled(page, "Clear", "good", f"{len(report.cleared)} of {judged} rules: {ranges(report.cleared)}")
    apart = _of_checkup(report)
    lacking = [s for s in report.skipped if s.missing is not None and s not in apart]
    if of_model:  # what a check-up did not measure, no log would show
        apart, lacking = sorted([*apart, *lacking], key=lambda s: s.code), []
    for reason, names in _grouped(s for s in report.skipped if s.missing is None):
        _titled(page, "Left out", "info", f"{reason}: {_listed(names)}")
    for k, (reason, names) in enumerate(_grouped(lacking)):
        _titled(page, "" if k else "Not checked", "info", f"{reason}: {_listed(names)}")
    if apart and of_model:
        _titled(page, "Not checked", "info", f"not measured here: {_listed([s.name for s in apart])}")
    elif apart:
        families = "data, model and first steps"
        _titled(
            page, "" if lacking else "Not checked", "info", f"{families} ({len(apart)} rules): nndoctor sanity model.py"
        )
    absent = list(dict.fromkeys(_asked(s) for s in lacking if not _has_some(s) and not _of_layers(s)))
    if absent and report.run.fact("task") is None:  # of a game or a GAN no series would help
        _titled(page, "To log", "info", f"{', '.join(absent)}: then these can be judged, too")
    if report.run.unknown and report.run.fact("task") is None:
        unknown = _listed([shown(name) for name in report.run.unknown])
        example = next((name for name in report.run.unknown if not AXIS.search(name)), None)
        hint = "" if example is None else f": say what a column is with --map {_quoted(example)}"
        _titled(page, "Unknown", "info", f"{unknown}{hint}")
    for note in report.run.notes:
        _titled(page, "Note", "info", note)


def _of_checkup(report: Report) -> list[Skipped]:
    """The rules that only a check-up of the model can judge."""
    return [s for s in report.skipped if s.code.startswith(CHECKUP) and (s.missing or "").startswith("fact:")]


def ranges(codes: Iterable[str]) -> str:
    """Codes in order, neighbours joined, the letters once for each field.

    >>> ranges(["NN001", "NN002", "NN003", "NN101", "NN103", "NNR01", "NNR02"])
    'NN001-003, 101, 103, NNR01-02'
    """
    fields = groupby(sorted(codes), lambda code: code[:3] if code[2].isalpha() else code[:2])
    return ", ".join(_joined(letters, [code[len(letters) :] for code in group]) for letters, group in fields)


def _joined(letters: str, digits: list[str]) -> str:
    width, numbers = len(digits[0]), [int(one) for one in digits]
    runs = [[n for _, n in group] for _, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return letters + ", ".join(
        f"{r[0]:0{width}d}" if len(r) == 1 else f"{r[0]:0{width}d}-{r[-1]:0{width}d}" for r in runs
    )


def _titled(page: Page, title: str, style: str, text: str) -> None:
    page.line((f"{title:<{WIDE}}", style), text, hanging=WIDE)


def _grouped(skipped: Iterable[Skipped]) -> list[tuple[str, list[str]]]:
    """The rules' names by reason; those that lack points of one series share a reason."""
    groups: dict[str, list[str]] = {}
    for one in skipped:
        reason = one.reason.partition(NEEDS)[0] + ", too few" if _has_some(one) else one.reason
        groups.setdefault(reason, []).append(one.name)
    return list(groups.items())


def _has_some(skipped: Skipped) -> bool:
    """Whether what it needs is in the log, in too few points."""
    return NEEDS in skipped.reason


def _asked(skipped: Skipped) -> str:
    """What to log, as a series or a setting is called: `lr`, `optimizer`; the first where several would do."""
    return (skipped.missing or "").removeprefix("fact:").split("|")[0]


def _of_layers(skipped: Skipped) -> bool:
    """Whether it lacks layer statistics, whose reason itself says how to record them."""
    return (skipped.missing or "").startswith(ANY_LAYER)


def _quoted(column: str) -> str:
    name = shown(column).replace("'", "\\'")
    return f"'{name}=train/loss'"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES + 1 else ""
    return ", ".join(names[:MOST_NAMES] if more else names) + more
