"""The page for a browser: whole, safe, and readable without a network or a script."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

import nndoctor
from nndoctor.core.run import Fact, Run
from nndoctor.core.series import Series
from nndoctor.reporters.html import render

SICK = Run.drawn({"num_classes": 10}, train_loss="2.3..0.05*40", validation_loss="2.3..0.9*8 0.9..1.9*32", lr="0.1*40")
WELL = Run.drawn(
    train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.38*20", validation_loss="2.3 1.3 0.8 0.6 0.5 0.45*23"
)
HOSTILE = "<img src=x onerror=alert(1)>\"'&]]></script><script>alert(2)</script>\x1b[31m"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def page(*runs: Run) -> str:
    """The page of some runs."""
    return render([nndoctor.diagnose(run) for run in runs])


class Outline(HTMLParser):
    """The elements of a page that are still open, and all that were seen."""

    VOID = frozenset({"meta", "br", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An SVG's empty element."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """It closes what was opened last."""
        assert self.open.pop() == tag


def outline(text: str) -> Outline:
    """The page taken apart; fails where elements do not nest."""
    parsed = Outline()
    parsed.feed(text)
    assert parsed.open == []
    return parsed


def test_a_page_says_what_the_terminal_says():
    """Verdict, finding, evidence, remedies with their sources."""
    text = page(SICK)
    for words in ("Overtraining: validation loss ", "NN103", "Prechelt", "Not checked", "num_classes"):
        assert words in text


def test_a_finding_links_to_the_page_of_its_rule():
    """Its name is the link."""
    assert '<a href="https://nndoctor.github.io/nndoctor/rules/overtraining/">overtraining</a>' in page(SICK)


def test_a_page_needs_nothing_from_elsewhere():
    """No address is fetched: no link, no script's source, no font, no picture."""
    text = page(SICK, WELL)
    for tag, attributes in outline(text).seen:
        assert tag not in {"link", "img", "iframe", "object", "base"}
        assert "src" not in attributes
        assert not (tag != "a" and str(attributes.get("href") or "").startswith("http"))
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_no_two_elements_of_a_page_have_one_name():
    """Pictures of several runs do not take each other's clips and ticks."""
    names = [str(attributes["id"]) for _, attributes in outline(page(SICK, WELL, SICK)).seen if "id" in attributes]
    assert len(names) == len(set(names))
    text = page(SICK, WELL, SICK)
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', text)) <= set(names)


def test_names_from_a_log_are_text():
    """Tags, quotes and escape sequences in names are shown, not obeyed."""
    curves = {f"train/{HOSTILE}": Series.of(f"train/{HOSTILE}", [1.0, 2.0], column=HOSTILE), **SICK.series}
    run = Run(curves, {HOSTILE: Fact(HOSTILE)}, source=HOSTILE, format=HOSTILE, unknown=(HOSTILE,), notes=(HOSTILE,))
    text = page(run, WELL)
    parsed = outline(text)
    assert [tag for tag, _ in parsed.seen].count("script") == 0
    assert not any(name.startswith("on") for _, attributes in parsed.seen for name in attributes)
    assert "\x1b" not in text


def test_a_run_of_a_hundred_thousand_points_stays_under_a_megabyte():
    """Curves are drawn from their extremes."""
    rng = np.random.default_rng(0)
    noisy = 2 * np.exp(-np.linspace(0, 4, 100_000)) + 0.1 * rng.random(100_000)
    series = {name: Series.of(name, noisy) for name in ("train/loss", "validation/loss", "lr", "grad_norm")}
    assert len(page(Run(series)).encode()) < 1_000_000


def test_several_runs_stand_in_a_table_the_worst_first():
    """Each row leads to its run's section."""
    text = page(WELL, SICK)
    rows = re.findall(r'href="#run-(\d)"', text)
    assert rows == ["1", "2"]
    assert text.index("overtraining") < text.index(">ok<")


def test_the_page_of_several_runs_counts_and_draws_them():
    """The header has the counts; one picture overlays the losses; each row has its place in every order."""
    text = page(WELL, SICK)
    assert "2 runs: 1 with warnings, 1 ok" in text
    assert text.index("Losses of 2 runs") < text.index('class="sort"')
    rows = [dict(re.findall(r"--s(\d):(\d)", style)) for style in re.findall(r'<tr style="([^"]+)"', text)]
    assert [row["0"] for row in rows] == ["1", "2"]
    assert all(sorted(row[key] for row in rows) == ["1", "2"] for key in "012345")


def test_a_browser_is_reported_to_load_nothing():
    """The policy allows the page's own style and the pictures within it, and no script."""
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page(SICK))
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "script-src" not in policy[1]


def test_what_could_not_be_read_is_reported():
    """An error stands on the page of the others."""
    assert "broken.csv is empty" in render([nndoctor.diagnose(WELL)], [("broken.csv", "broken.csv is empty")])


def test_the_same_runs_give_the_same_page():
    """To the byte."""
    assert page(SICK, WELL) == page(SICK, WELL)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_shows_the_page_without_a_complaint(tmp_path):
    """A real browser sorts the table without a script of the page, and draws no wider than its window."""
    file = tmp_path / "page.html"
    probe = (
        "<script>document.getElementById('s1').click();"
        "const order=getComputedStyle(document.querySelector('.runs tbody th')).order;"
        "document.title=`${order} ${document.documentElement.scrollWidth<=innerWidth}`</script></body>"
    )
    text = page(SICK, WELL).replace("</body>", probe)
    file.write_text(re.sub("<meta http-equiv[^>]*>", "", text), encoding="utf-8")  # which forbids the probe
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--window-size=500,800",
    ]
    done = subprocess.run(
        [*command, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    assert re.search(r"<title>[12] true</title>", done.stdout)
    assert "CONSOLE" not in done.stderr


def test_a_report_shows_itself_in_a_notebook():
    """Small: the verdict, the picture, what to try; no second copy of a name in the same notebook."""
    report = nndoctor.diagnose(SICK)
    one, other = report._repr_html_(), report._repr_html_()
    assert "Overtraining: validation loss " in one
    assert len(one) < 100_000
    outline(one)
    assert not set(re.findall(r' id="([^"]+)"', one)) & set(re.findall(r' id="([^"]+)"', other))


def test_a_run_shows_itself_in_a_notebook():
    """Its series with their ends."""
    text = SICK._repr_html_()
    assert "validation/loss" in text
    outline(text)


def test_a_report_is_a_frame_with_a_row_for_every_rule():
    """Found, clear and skipped rules, with what is known of each."""
    report = nndoctor.diagnose(SICK)
    frame = report.to_frame()
    assert len(frame) == len(report.findings) + len(report.cleared) + len(report.skipped)
    assert frame.loc[0, "name"] == "overtraining"
    assert set(frame["outcome"]) == {"found", "clear", "skipped"}
