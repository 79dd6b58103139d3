"""SARIF 2.1.0, as GitHub's code scanning takes it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from nndoctor._version import __version__
from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.rule import Rule, page_of
from nndoctor.core.sanitize import printable
from nndoctor.remedies import REMEDIES
from nndoctor.reporters.entries import Context, Entry, Errors, entries
from nndoctor.reporters.json import Json, dumped, plain
from nndoctor.reporters.markdown import escaped

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
MAX_DESCRIPTION = 1000  # characters of a description; code scanning takes 1024
MAX_RESULTS = 25_000


def render(reports: Iterable[Report], errors: Errors, context: Context) -> str:
    """One run of the tool: every selected rule, and a result for each finding and each error.

    An empty list of results closes the alerts of the last upload.
    """
    found = sorted(entries(reports, errors, context), key=lambda entry: entry.severity.rank)[:MAX_RESULTS]
    known = {rule.code: _rule(rule) for rule in context.rules}
    for entry in found:
        known.setdefault(entry.code, _rule_of_plugin(entry))
    index = {code: k for k, code in enumerate(known)}
    driver: Json = {"name": "nndoctor", "version": __version__, "semanticVersion": __version__}
    driver["rules"] = list(known.values())
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": "nndoctor/"},
        "results": [_result(entry, index[entry.code]) for entry in found],
    }
    return dumped({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> Json:
    remedies = [f"{k}. {REMEDIES[name].text}: {REMEDIES[name].why}" for k, name in enumerate(rule.remedies, 1)]
    sources = [f"{source.text} {source.url}".strip() for source in rule.sources]
    plainly = _paragraphs(rule.why, rule.how, "Try, in this order:" if remedies else "", *remedies, *sources)
    marked = [f"{k}. {REMEDIES[name].text}: {REMEDIES[name].why}" for k, name in enumerate(rule.remedies, 1)]
    links = [f"- [{s.text}]({s.url})" if s.url else f"- {s.text}" for s in rule.sources]
    described = _described(
        rule.code,
        rule.name,
        rule.severity,
        (f"{_sentence(rule.title)}.", rule.why),
        (plainly, f"{rule.why}\n\n{rule.how}\n\n" + "\n".join([*marked, "", *links])),
    )
    return {**described, "helpUri": page_of(rule.name)}


def _rule_of_plugin(entry: Entry) -> Json:
    """A rule that is not of the catalogue: a requirement, a baseline, a log that cannot be read."""
    words = entry.name if entry.finding is None else entry.name.replace("-", " ")
    title = f"{_sentence(printable(words))}."
    remedies = [] if entry.finding is None else [f"{r.text}: {r.why}" for r in entry.finding.remedies]
    help_ = _paragraphs(title, *map(printable, remedies))
    return _described(entry.code, entry.name, entry.severity, (title, title), (help_, escaped(help_)))


def _described(code: str, name: str, severity: Severity, says: Sequence[str], helps: Sequence[str]) -> Json:
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in printable(name).replace("-", " ").split()),
        "shortDescription": {"text": says[0][:MAX_DESCRIPTION]},
        "fullDescription": {"text": says[1][:MAX_DESCRIPTION]},
        "help": {"text": helps[0], "markdown": helps[1]},
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {
            "tags": ["training", "machine-learning"],
            "precision": "high",
            "problem.severity": PROBLEMS[severity],
        },
    }


def _result(entry: Entry, index: int) -> Json:
    line = entry.line or 1
    region: Json = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2}
    location: Json = {"physicalLocation": {"artifactLocation": {"uri": _uri(entry.path)}, "region": region}}
    finding = entry.finding
    properties: Json = {"source": printable(entry.source)}
    if finding is not None:
        member = finding.location.layer or finding.series
        if member:
            name = f"{printable(entry.source)}::{printable(member)}"
            location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "member"}]
        properties |= {"confidence": finding.confidence, "step": plain(finding.location.step)}
        properties |= {"evidence": {printable(key): plain(value) for key, value in finding.evidence.items()}}
    return {
        "ruleId": entry.code,
        "ruleIndex": index,
        "level": LEVELS[entry.severity],
        "message": {"text": f"{_sentence(entry.message)}. {entry.advice}".strip()},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": entry.fingerprint},
        "properties": properties,
    }


def _uri(path: str) -> str:
    """A relative path as a URI reference, its bytes percent-encoded; a file: URI for paths outside the root."""
    if not path.strip("/"):  # neither an empty name nor the root is that of a file
        return "-"
    spelled = quote(os.fsencode(path))
    return f"file://{spelled}" if path.startswith("/") else spelled


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".")


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
