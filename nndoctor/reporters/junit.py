"""JUnit XML: a suite for each run, a test case for each rule, skips as skips; it fails exactly where the gate fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable
from nndoctor.reporters.entries import Context, Entry, Errors, entries, text

COUNTS = ("tests", "failures", "errors", "skipped")


def render(reports: Iterable[Report], errors: Errors, context: Context) -> str:
    """The document, without time and host, so that equal input gives equal bytes."""
    reports, errors = list(reports), list(errors)
    whole = Element("testsuites", name="nndoctor")
    for report in reports:
        _suite(whole, report, context)
    for entry in entries((), errors, context):
        suite = SubElement(whole, "testsuite", name=printable(entry.source))
        _trouble(suite, entry)
        _count(suite, [suite])
    _count(whole, list(whole))
    indent(whole)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(whole, encoding="unicode")}\n'


def _suite(whole: Element, report: Report, context: Context) -> None:
    suite = SubElement(whole, "testsuite", name=printable(report.source))
    names = {rule.code: rule.name for rule in context.rules}
    found: dict[str, list[Entry]] = {}
    for entry in entries([report], (), context):
        if entry.finding is None:
            _trouble(suite, entry)
        else:
            found.setdefault(entry.code, []).append(entry)
    skipped = {one.code: one for one in report.skipped}
    for code in sorted({*found, *report.cleared, *skipped}):
        entries_of_rule = found.get(code, [])
        name = (
            entries_of_rule[0].name
            if entries_of_rule
            else skipped[code].name
            if code in skipped
            else names.get(code, "")
        )
        case = _case(suite, report.source, code, name)
        if entries_of_rule:
            _found(case, entries_of_rule, context)
        elif code in skipped:
            SubElement(case, "skipped", message=printable(skipped[code].reason))
    _count(suite, [suite])


def _found(case: Element, entries_of_rule: Sequence[Entry], context: Context) -> None:
    """A failure at or above --fail-on; below it the case passes and says what it saw."""
    worst = min(entries_of_rule, key=lambda entry: entry.severity.rank)
    whole = "\n\n".join(text(entry) for entry in entries_of_rule)
    if context.fails(worst.severity):
        failure = SubElement(case, "failure", message=worst.message, type=str(worst.severity))
        failure.text = whole
    else:
        SubElement(case, "system-out").text = f"{worst.severity}\n{whole}"


def _trouble(suite: Element, entry: Entry) -> None:
    error = SubElement(_case(suite, entry.source, entry.code, ""), "error", message=entry.message, type=entry.code)
    error.text = text(entry)


def _case(suite: Element, source: str, code: str, name: str) -> Element:
    dotless = printable(source).replace(".", "_")  # viewers split class names at dots
    return SubElement(
        suite, "testcase", name=printable(f"{code} {name}".strip()), classname=f"nndoctor.{dotless}", time="0"
    )


def _count(element: Element, suites: Iterable[Element]) -> None:
    cases = [case for suite in suites for case in suite.findall("testcase")]
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for count in COUNTS:
        number = len(cases) if count == "tests" else sum(case.find(kinds[count]) is not None for case in cases)
        if element.tag == "testsuite" or count != "skipped":
            element.set(count, str(number))
    element.set("time", "0")
