"""The page as a user sees it. `NNDOCTOR_REWRITE=1 pytest tests/reporters` writes the expected pages."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from nndoctor import diagnose
from nndoctor.core.finding import Severity
from nndoctor.readers import read
from nndoctor.reporters.page import Page, Style, cut
from nndoctor.reporters.short import in_one_line
from nndoctor.reporters.terminal import render

GOLDEN = Path(__file__).parent / "golden"
PLAIN = Style(80)


def check(name: str, page: str) -> None:
    """Compare with the committed page, or write it."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("NNDOCTOR_REWRITE"):
        path.write_text(page, encoding="utf-8", newline="\n")
    assert page == path.read_text(encoding="utf-8"), "NNDOCTOR_REWRITE=1 rewrites it; look at the difference"


@pytest.mark.parametrize("name", ["sick", "flat", "healthy", "unjudged"])
def test_the_page_of_a_run_is_as_committed(name, request):
    """80 columns, no colour."""
    check(name, render([request.getfixturevalue(name)], PLAIN))


def test_the_page_of_several_runs_is_as_committed(sick, flat, healthy, unjudged):
    """A table, worst first, then those with findings."""
    moved = [replace(r, run=replace(r.run, source=f"logs/{r.source}")) for r in (healthy, sick, unjudged, flat)]
    check("several", render(moved, PLAIN))


def test_the_details_follow_the_order_of_the_table(sick, flat):
    """What is worst is read first, in whatever order the logs were named."""
    page = render([sick, flat], PLAIN)
    assert page.rindex("flat.csv  12 steps") < page.rindex("run.csv  20 steps")
    table = page[: page.index("─")]
    assert table.index("error    plateau-at-start") < table.index("warning  overtraining")


def test_names_matter_more_than_losses(sick, flat):
    """In a table too narrow for both, the names of the runs are whole."""
    long = replace(sick, run=replace(sick.run, source="a-rather-long-name-of-an-experiment.csv"))
    narrow, wide = (render([long, flat], Style(width)).split("─")[0] for width in (75, 120))
    assert "a-rather-long-name-of-an-experiment.csv" in narrow
    assert "last" not in narrow
    assert "last" in wide


def test_the_quiet_page_is_as_committed(sick, healthy):
    """Only what is wrong: no picture, no remedies, no healthy run."""
    check("quiet", render([healthy, sick], PLAIN, quiet=True))


def test_the_ascii_page_is_as_committed(sick):
    """For terminals that show neither braille nor dots."""
    page = render([sick], Style(80, encoding="ascii"))
    assert page.isascii()
    check("ascii", page)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_page(width, sick, flat, healthy, unjudged):
    """At any width, for one run and for several."""
    pages = [render([sick], Style(width)), render([sick, flat, healthy, unjudged], Style(width))]
    assert max(cell_len(line) for page in pages for line in page.splitlines()) <= width


def test_colour_changes_no_word(sick, flat):
    """Without its escapes the coloured page is the plain one."""
    colored = render([sick, flat], Style(80, color=True))
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render([sick, flat], PLAIN)


def test_the_page_is_the_same_every_time_whatever_the_environment(sick, monkeypatch):
    """Deterministic to the byte: the look decides, not the terminal."""
    first = render([sick], PLAIN)
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "200", "TERM": "dumb", "GITHUB_ACTIONS": "true"}.items():
        monkeypatch.setenv(name, value)
    assert render([sick], PLAIN) == first


HOSTILE = "[red]x[/x] \x1b[31m\x07\u202e ##[error]q"


def test_names_from_a_log_are_shown_not_followed(sick):
    """Markup stays, escapes and direction marks are spelled out, a runner's command is broken."""
    run = replace(sick.run, source=HOSTILE, unknown=(HOSTILE, "::error::hi"), notes=("::warning::x",))
    finding = replace(sick.findings[0], message=f"::notice::{HOSTILE}", evidence={"column": HOSTILE})
    for page in (
        render([replace(sick, run=run, findings=(finding,))], PLAIN),
        render([replace(sick, run=run), sick], PLAIN),
    ):
        assert "[red]x[/x] \\x1b[31m\\x07\\u202e" in page
        assert not set(page) & {"\x1b", "\x07", "\u202e"}
        assert "##[" not in page
        assert "::" not in page


def test_wide_characters_count_twice():
    """A name in Chinese is cut and aligned by the columns it takes."""
    assert cell_len(cut("损失函数曲线.csv", 10)) <= 10
    page = Page(Style(20))
    page.line("损失" * 20, indent=2, hanging=2)
    assert max(map(cell_len, page.text().splitlines())) <= 20


@pytest.mark.parametrize("width", [-5, 0, 1, 2, 7, 8])
def test_a_name_is_cut_to_any_width(width):
    """Down to the mark that says that something is missing."""
    assert cell_len(cut("logs/run", width)) == min(max(width, 1), 8)


def test_items_break_only_between_items():
    """Evidence never parts a number from its name."""
    page = Page(Style(30))
    page.items(["train error 0.1", "validation error 0.2", "gap 0.1"])
    assert page.text().splitlines() == ["train error 0.1", "validation error 0.2 · gap 0.1"]


def test_on_a_narrow_page_nothing_of_the_finding_is_lost(sick):
    """Its code and its probability get a line of their own, and the next command is wrapped, not cut."""
    lines = render([sick], Style(40)).splitlines()
    assert lines[:2] == ["run.csv  20 steps", "NN103 warning, likely (84%)"]
    assert " ".join(" ".join(lines[-2:]).split()).endswith("Next: nndoctor explain NN103")


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (90, "NN999 x: validation accuracy ends at 83%, training accuracy at 97% (best 98%): a gap"),
        (80, "NN999 x: validation accuracy ends at 83%, training accuracy at 97% (best 98%)"),
        (60, "NN999 x"),
    ],
)
def test_a_further_finding_is_cut_between_clauses(room, shown, sick):
    """A number is not shown without the one that it is compared with."""
    message = "validation accuracy ends at 83%, training accuracy at 97% (best 98%): a gap"
    assert in_one_line("NN999 x", replace(sick.findings[0], message=message), room) == shown


def test_what_was_found_comes_before_remarks_on_the_log(healthy):
    """Where there is room for two notes only, they are not both about how the log was read."""
    remark = replace(healthy, findings=(), run=replace(healthy.run, notes=("first remark", "second remark")))
    found = diagnose({"epoch": range(30), "loss": [2.0 - 0.06 * k for k in range(30)], "val_loss": [1.2] * 30})
    infos = [replace(f, severity=Severity.INFO, confidence=0.6) for f in found.findings][:1]
    page = render([replace(remark, findings=tuple(infos))], PLAIN)
    assert page.index(infos[0].code) < page.index("First remark")


def test_a_column_that_another_one_makes_needless_is_not_called_unrecognized(tmp_path):
    """The losses of batches stand next to those of evaluations; what is no loss at all is named."""
    path = tmp_path / "gpt.log"
    lines = []
    for k in range(100):
        if k % 10 == 0:
            lines.append(f"step {k}: train loss {4 - k / 40:.3f}, val loss {4 - k / 50:.3f}\n")
        lines.append(f"iter {k}: loss {4 - k / 40:.3f}, zeal: {k}.5, time 30.1ms\n")
    path.write_text("".join(lines), encoding="utf-8")
    (run,) = read(path)
    (line,) = [line for line in render([diagnose(run)], PLAIN).split("\n") if line.startswith("Unrecognized")]
    assert line == "Unrecognized: zeal (map it with --map)"
