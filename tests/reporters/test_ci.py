"""The formats that CI reads: what their consumers require, and that no name in a log can forge an entry."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nndoctor.core.finding import Finding, Location, Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.reporters import github, gitlab, junit, markdown, sarif
from nndoctor.reporters.entries import Context

CONTEXT = Context(RULES, Severity.WARNING)
ALL = (github, gitlab, junit, markdown, sarif)
HOSTILE = [
    "::error::forged", "\n::error file=a::forged", "##[error]forged", "]]>", "</script><failure/>", "\x1b[31mred", "a\x07",
    "\u202eevil", "\u2066x\u2069", "a\r\nb", "|x|y|", "`x`\n```\n### forged", "<!-- -->", "@everyone #1 https://x.example",
    "\udcff\ufffe\x00", '","severity":"info"', "%0A::error::forged", "a,b:c=d", "![x](http://x)", "&lt;b&gt;",
]  # fmt: skip
ANY = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30), st.lists(st.sampled_from(HOSTILE)).map("".join))


def finding(code="NN103", name="overtraining", message="it rose", path="runs/a.csv", **changes) -> Finding:
    location = Location(path, changes.pop("line", 3), 9.0, changes.pop("layer", None))
    severity = changes.pop("severity", Severity.WARNING)
    return Finding(
        code, name, severity, 0.8, message, changes.pop("evidence", {"best": 1.0}), location, (), (), **changes
    )


def report(*findings: Finding, path="runs/a.csv", source=None, cleared=("NN001",)) -> Report:
    run = Run.drawn(train_loss="2.0..0.5*20", validation_loss="2.0..1.0*20")
    return Report(replace(run, source=source or path, path=path), findings, cleared, ())


def commands(text: str) -> list[str]:
    """What GitHub's runner would obey: `::x::` at a line's start after blanks, `##[x]` anywhere."""
    assert not re.search(r"##\[", text)
    return [line for line in re.split(r"[\r\n]", text) if line.lstrip().startswith("::")]


def parsed(xml: str) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 - our own output


@pytest.mark.parametrize("module", ALL)
def test_equal_input_gives_equal_bytes(module, sick, flat, healthy, unjudged):
    """No time, no host, no order of a set."""
    reports, errors = [sick, flat, healthy, unjudged], [("x.csv", "x.csv is empty")]
    assert module.render(reports, errors, CONTEXT) == module.render(reports, errors, CONTEXT)


@pytest.mark.parametrize("module", ALL)
def test_every_format_shows_of_logs_that_could_not_be_read_or_judged(module, unjudged):
    """A gate that judged nothing never looks clean."""
    text = module.render([unjudged], [("x.csv", "x.csv is empty")], CONTEXT)
    assert "unreadable-log" in text.replace("\\", "")
    assert "not-judged" in text.replace("\\", "")


def test_github_shows_as_many_annotations_as_a_step_may_have_the_worst_first():
    """Ten of a level, and a notice that counts the rest."""
    many = [finding(message=f"rise {k}", severity=s) for s in reversed(Severity) for k in range(15)]
    lines = github.render([report(*many)], [], CONTEXT).splitlines()
    levels = [line.split()[0] for line in lines]
    assert levels == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] * 10
    assert lines[-1].endswith("16 more, 45 in all: the step's summary lists them")


def test_github_places_an_annotation_on_its_line():
    """File, line and title; the message's own lines are one line."""
    (line,) = github.render([report(finding(message="up 5 %", path="runs/a,b.csv"))], [], CONTEXT).splitlines()
    assert line.startswith("::warning file=runs/a%2Cb.csv,line=3,endLine=3,title=nndoctor NN103 overtraining::")
    assert line.endswith("up 5 %25%0ALikely (80%25).")


def test_gitlab_has_what_code_quality_requires_and_no_fingerprint_twice():
    """Equal fingerprints would be merged."""
    issues = json.loads(gitlab.render([report(finding(), finding(), source="runs/a.csv#2")], [("x", "y")], CONTEXT))
    for issue in issues:
        assert issue["description"]
        assert issue["check_name"]
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not issue["location"]["path"].startswith(("./", "/"))
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 3
    assert gitlab.render([report()], [], CONTEXT) == "[]\n"


@pytest.mark.parametrize("module", [gitlab, sarif])
def test_a_fingerprint_outlives_values_steps_and_lines(module, tmp_path):
    """A rerun that is as ill opens no new alert, wherever the repository lies."""

    def prints(root: Path, **changes) -> list[str]:
        path = str(root / "runs" / "a.csv")
        text = module.render([report(finding(path=path, **changes), path=path)], [], Context(RULES, None, str(root)))
        return re.findall(r'(?:"fingerprint"|LineHash"): "([0-9a-f]{32}:\d+)"', text)

    first = prints(tmp_path / "a")
    assert len(first) == 1
    assert first == prints(tmp_path / "b", message="it rose more", line=7, evidence={"best": 2.0})
    assert first != prints(tmp_path / "a", code="NN102")
    assert first != prints(tmp_path / "a", layer="fc1")


def test_junit_has_a_case_for_each_rule_and_fails_where_the_gate_fails(sick):
    """Found at or above --fail-on: failure; below: passed; not judged: skipped with the reason."""
    whole = parsed(junit.render([sick], [("x.csv", "x.csv is empty")], CONTEXT))
    assert whole.attrib["name"] == "nndoctor"
    suite = whole.findall("testsuite")[0]
    cases = {case.attrib["name"]: case for case in suite}
    assert len(cases) == len(sick.cleared) + len(sick.findings) + len(sick.skipped)
    assert cases["NN103 overtraining"].find("failure").text.startswith("run.csv:11: NN103 overtraining: ")
    assert cases["NN203 decayed"].find("skipped").attrib["message"] == "no lr in the log"
    assert suite.attrib["failures"] == "1"
    assert (whole.attrib["errors"], whole.attrib["failures"]) == ("1", "1")
    lenient = parsed(junit.render([sick], [], Context(RULES, Severity.ERROR)))
    assert lenient.find(".//failure") is None
    assert "validation loss was best" in lenient.find(".//system-out").text


def test_junit_of_a_clean_run_is_passed_cases(healthy):
    """Never an empty file."""
    whole = parsed(junit.render([healthy], [], CONTEXT))
    assert int(whole.attrib["tests"]) == len(healthy.cleared) + len(healthy.skipped)
    assert whole.attrib["failures"] == "0"


def check_sarif(whole: dict) -> None:
    """What code scanning requires beyond the schema, and the schema's types of what we write."""
    assert whole["$schema"].startswith("https://")
    assert whole["version"] == "2.1.0"
    (run,) = whole["runs"]
    assert run["automationDetails"]["id"].endswith("/")
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        check_rule(rule)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        check_result(result)


def check_rule(rule: dict) -> None:
    for key in ("shortDescription", "fullDescription"):
        assert 0 < len(rule[key]["text"]) <= 1024
    assert rule["help"]["text"]
    assert rule["help"]["markdown"]
    assert rule["defaultConfiguration"]["level"] in {"note", "warning", "error"}
    assert rule["properties"]["precision"] in {"very-high", "high", "medium", "low"}
    assert rule["properties"]["problem.severity"] in {"error", "warning", "recommendation"}
    assert "security-severity" not in rule["properties"]
    assert len(rule["properties"]["tags"]) <= 20


def check_result(result: dict) -> None:
    assert result["level"] in {"note", "warning", "error"}
    assert result["message"]["text"]
    physical = result["locations"][0]["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    assert re.fullmatch(r"(?:%[0-9A-F]{2}|[\w./~-])+|file:///(?:%[0-9A-F]{2}|[\w./~-])+", uri, re.ASCII)
    region = physical["region"]
    assert 1 <= region["startLine"] <= region["endLine"]
    assert 1 <= region["startColumn"] < region["endColumn"]
    assert re.fullmatch(r"[0-9a-f]{32}:\d+", result["partialFingerprints"]["primaryLocationLineHash"])


def test_sarif_is_what_code_scanning_takes(sick, flat, healthy, unjudged):
    """Rules of the catalogue, rules of others (requirements, baselines) and troubles alike."""
    stranger = report(finding(code="REQ001", name="requirement", path="a b/ü.csv"), path="a b/ü.csv")
    reports = [sick, flat, healthy, unjudged, stranger]
    whole = json.loads(sarif.render(reports, [("x.csv", "x.csv is empty")], CONTEXT))
    check_sarif(whole)
    results = whole["runs"][0]["results"]
    assert {"REQ001", "NN103", "unreadable-log", "not-judged"} <= {r["ruleId"] for r in results}
    (rose,) = (r for r in results if r["ruleId"] == "NN103")
    assert rose["locations"][0]["physicalLocation"]["region"]["startLine"] == 11
    assert rose["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "run.csv::validation/loss"


def test_sarif_links_every_rule_to_its_page(healthy):
    """The address ends in the name of a page in docs/rules."""
    rules = json.loads(sarif.render([healthy], [], CONTEXT))["runs"][0]["tool"]["driver"]["rules"]
    names = {rule["helpUri"].removesuffix("/").rpartition("/")[2] for rule in rules}
    pages = {path.stem for path in (Path(__file__).resolve().parents[2] / "docs" / "rules").glob("*.md")}
    assert names
    assert names <= pages


def test_sarif_of_a_clean_run_has_an_empty_list(healthy):
    """Which closes the alerts of the last upload."""
    whole = json.loads(sarif.render([healthy], [], CONTEXT))
    check_sarif(whole)
    assert whole["runs"][0]["results"] == []


def test_markdown_has_a_row_for_each_finding_and_a_picture(sick, healthy):
    """And a mark by which a bot finds its comment again."""
    text = markdown.render([sick, healthy], [], CONTEXT)
    assert text.startswith("<!-- nndoctor -->\n### nndoctor: 1 warning in 2 runs\n")
    assert "| run.csv:11 | ⚠️ warning | NN103 overtraining |" in text
    assert "```text\n" in text
    assert "best at" in text


def test_markdown_fits_into_a_comment(sick):
    """Of many runs the worst are drawn."""
    text = markdown.render([sick] * 300, [], CONTEXT)
    assert len(text) < 65_536
    assert "240 more are not shown here" in text


@settings(max_examples=80, deadline=None)
@given(name=ANY, message=ANY, layer=ANY, error=ANY)
@example(name="a.csv", message="::error::x", layer="]]>", error="\n::error::x")
@example(name="/", message="::error::x", layer="0", error="::error::x")
def test_no_name_forges_anything_in_any_format(name, message, layer, error):
    """A hostile log changes no count of entries and no severity, whatever its names hold."""
    name = name.replace("\0", "") or "a"
    one = report(finding(message=message, path=name, layer=layer, evidence={message: message}), path=name)
    lines = github.render([one], [(name, error)], CONTEXT).split("\n")
    assert len(lines) == 3
    assert commands("\n".join(lines)) == lines[:2]
    assert [line.split(" ")[0] for line in lines[:2]] == ["::error", "::warning"]
    assert [i["severity"] for i in json.loads(gitlab.render([one], [(name, error)], CONTEXT))] == ["major", "critical"]
    whole = parsed(junit.render([one], [(name, error)], CONTEXT))
    assert [case.attrib["name"] for case in whole.iter("testcase")][1:] == ["NN103 overtraining", "unreadable-log"]
    assert len(list(whole.iter("failure"))) == len(list(whole.iter("error"))) == 1
    log = json.loads(sarif.render([one], [(name, error)], CONTEXT))
    check_sarif(log)
    assert [r["ruleId"] for r in log["runs"][0]["results"]] == ["unreadable-log", "NN103"]
    check_markdown(markdown.render([one], [(name, error)], CONTEXT))
    for module in ALL:
        text = module.render([one], [(name, error)], CONTEXT)
        assert not commands(text) or module is github
        assert all(c.isprintable() or c in "\n\u2060\ufe0f" for c in text)
        text.encode("utf-8")


def check_markdown(text: str) -> None:
    """Two rows of four cells, one heading, one fold, nothing that pings or links."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 5 for row in rows)
    assert len(re.findall(r"^#", text, re.MULTILINE)) == 1
    assert text.count("```") == 2
    assert set(re.findall(r"<[^>\n]*>", text)) == {
        "<!-- nndoctor -->", "<details>", "<summary>", "</summary>", "</details>"
    }  # fmt: skip
    assert not re.search(r"@\w|#\d|https?://", text)
