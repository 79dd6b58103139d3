"""`python -m benchmarks`: every benchmark's page is read, and a benchmark that fails stops no other."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from benchmarks import __main__ as command
from benchmarks import dependencies, figures, performance
from benchmarks.measurements import ALL, Measurement
from benchmarks.tables import meets, tables

WRITTEN = [one for one in ALL if one.page.is_file()]


@dataclass(frozen=True, slots=True)
class Fake(Measurement):
    """A measurement that writes `text` as its page in `folder`, and fails without one."""

    folder: object = None
    text: str = ""

    @property
    def page(self):
        """In the folder."""
        return self.folder / f"{self.name}.md"

    @property
    def exists(self):
        """Here it does."""
        return True

    def command(self, *, quick):
        """A line of Python."""
        text = self.text.format(rounds=1 if quick else 7)
        write = f"open({str(self.page)!r}, 'w', encoding='utf-8').write({text!r})"
        return [sys.executable, "-c", write if text else "raise SystemExit(3)"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two benchmarks, the first of which fails; the pages and the notes go to a folder of their own."""
    head = "| what | yardstick | ours | yardstick's | measured | goal | met |\n|---|---|---|---|---|---|---|\n"
    row = "| start | import | 2 ms | 1 ms | {rounds}× | ≤ 3× | no |\n"
    both = (
        Fake("broken", "Broken", figures.side_by_side, 1, folder=tmp_path),
        Fake("works", "Works", figures.side_by_side, 1, folder=tmp_path, text=head + row),
    )
    monkeypatch.setattr(command, "ALL", both)
    monkeypatch.setattr(command, "HERE", tmp_path / "benchmarks")
    monkeypatch.setattr(command, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(command, "RUNS", tmp_path / "runs.json")
    monkeypatch.setattr(command, "runs", lambda: performance.runs(tmp_path / "runs.json"))
    monkeypatch.setattr(command, "page", lambda known: performance.page(known, both))
    return tmp_path


@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
def test_every_page_of_a_benchmark_has_figures(one):
    """Each has a result; a missed goal is one that the page states."""
    found = list(one.read(one.page.read_text(encoding="utf-8")))
    assert found
    assert all(figure.what and figure.result for figure in found)
    assert all(figure.goal for figure in figures.missed(found))


@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
def test_every_page_has_the_benchmark_that_writes_it(one):
    """No figure without its command."""
    assert one.exists


def test_a_benchmark_that_fails_stops_no_other(table, capfd):
    """It is named, the exit code is 1, and the page has what the other measured."""
    assert command.main([]) == 1
    assert "failed: broken" in capfd.readouterr().err
    page = (table / "performance.md").read_text(encoding="utf-8")
    assert "| Works | start | import | 2 ms | 1 ms | 7× | ≤ 3× | **no** |" in page
    assert "- Works: start, against import: 7×, goal ≤ 3×" in page


def test_the_page_names_the_machine_and_a_quick_run(table):
    """CPU, cores, Python and system of the run."""
    assert command.main(["--only", "works", "--quick"]) == 0
    page = (table / "performance.md").read_text(encoding="utf-8")
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in page
    assert " core" in page
    assert "with --quick" in page
    assert "1×" in page


def test_tables_of_a_page_are_apart():
    """Text between two tables ends the first."""
    found = tables("| a |\n|---|\n| 1 |\n\ntext\n\n| b |\n|---|\n| 2 |\n| 3 |\n")
    assert found == [[{"a": "1"}], [{"b": "2"}, {"b": "3"}]]


@pytest.mark.parametrize(
    ("measured", "goal", "met"),
    [
        ("0.04 (4/106)", "≤ 0.015", False),
        ("+0.47%", "≤ 0.5%", True),
        ("1,200 ms", "≤ 1,000 ms", False),
        ("1", "", None),
    ],
)
def test_goals_are_compared_by_their_numbers(measured, goal, met):
    """In the unit of the figure; nothing is met or missed without a goal."""
    assert meets(measured, goal) is met


def test_a_goal_of_unknown_form_is_refused():
    """Rather than called met."""
    with pytest.raises(ValueError, match="is not a goal"):
        meets("3", "about 3")


def test_counts_are_compared_with_a_goal_in_percent():
    """`11 of 12` against 90%; a goal of 0 is a most."""
    text = (
        "| measured | result | goal |\n|---|---|---|\n| found | 11 of 12 | 90% |\n| wrongly called | 1 of 6 | 0 |\n"
        "| inside | 85% (17 of 20) | 90% |\n| search | 3 of 12 |  |\n"
    )
    assert [figure.met for figure in figures.treat(text)] == [True, False, False, None]


def test_a_recorder_s_rivals_are_read_from_its_list():
    """A line for each net, a ratio for each way of watching."""
    text = (
        "| net | bare step | sampled step | at most | idle step | default, 10 000 steps (samples) |\n|---|---|---|---|---|---|\n"
        "| MLP | 6 ms | +17% | 20%: yes | +0.07% | +0.6% (231) |\n\n* MLP: naive, five numbers: 1.0x, wandb: 16.0x\n"
    )
    found = list(figures.recorder(text))
    assert [figure.met for figure in found] == [True, True, False, False, True]
    assert [(figure.rival, figure.result) for figure in found[3:]] == [
        ("naive, five numbers", "1.0×"),
        ("wandb", "16.0×"),
    ]


def test_every_dependency_of_the_core_has_its_reason():
    """The benchmark of dependencies says why each one stays."""
    assert set(dependencies.declared()) == set(dependencies.WHY)
