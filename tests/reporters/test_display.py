"""A report and a run in Python: printed, shown, drawn, as JSON and in a notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

import nndoctor
from nndoctor.core.errors import UsageError
from nndoctor.reporters.page import Style
from nndoctor.reporters.terminal import render


def test_a_printed_report_is_the_page(sick, monkeypatch):
    """`print(report)` shows what `nndoctor diagnose` prints."""
    monkeypatch.setenv("COLUMNS", "80")
    assert f"{sick}\n" == render([sick], Style(80))


def test_show_prints_the_page_and_verbose_more(sick, capsys):
    """The verbose page has the sources, the short one has not."""
    sick.show()
    short = capsys.readouterr().out
    sick.show(verbose=True)
    verbose = capsys.readouterr().out
    assert "Overtraining: " in short
    assert "Prechelt" not in short
    assert "Prechelt" in verbose


def test_representations_are_one_short_line(sick, healthy, unjudged):
    """No array is dumped into a debugger or a failing assertion."""
    assert repr(sick) == "<Report on run.csv: overtraining, likely (84%)>"
    assert repr(healthy) == "<Report on good.csv: no problems found>"
    for value in (unjudged, sick.run, *sick.run.series.values()):
        assert len(repr(value)) < 120
        assert "array" not in repr(value)


@pytest.mark.parametrize(("name", "code"), [("sick", 0), ("flat", 1), ("healthy", 0), ("unjudged", 2)])
def test_the_exit_code_is_that_of_the_command_line(name, code, request):
    """0 for warnings, 1 for errors, 2 for a run that could not be judged."""
    assert request.getfixturevalue(name).exit_code == code


def test_json_is_that_of_the_command_line(sick):
    """With the primary finding and the schema's version."""
    whole = json.loads(sick.to_json())
    assert whole["schema_version"] == 1
    assert whole["runs"][0]["primary"] == "overtraining"


def test_plot_writes_the_picture_that_its_ending_names(sick, tmp_path):
    """PNG and SVG; another ending is refused, and nothing is written."""
    figure = sick.plot(tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert figure.axes
    with pytest.raises(UsageError, match=r"must end in \.png, \.svg or \.pdf"):
        sick.plot(tmp_path / "run.bmp")
    assert not (tmp_path / "run.bmp").exists()


def test_a_notebook_shows_what_the_terminal_shows(flat):
    """Verdict, causes, remedies and the next command."""
    html = flat._repr_html_()
    for words in ("Plateau at start", "Learning rate too low", "Stop when validation", "nndoctor explain"):
        assert words in html


def test_values_do_not_load_the_reporters():
    """Importing the package and its values stays cheap."""
    code = (
        "import sys, nndoctor.core.report; sys.exit(any(name.startswith('nndoctor.reporters') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=nndoctor.__path__[0] + "/..").returncode == 0


def test_a_report_made_by_hand_prints(sick):
    """Without the API: the value finds its reporter by itself."""
    assert "No problems found" in str(replace(sick, findings=()))
