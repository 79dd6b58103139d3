"""Draws what `nndoctor diagnose` prints in a terminal, as the SVG in the README: `python docs/screenshot.py`."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

import nndoctor
from nndoctor.reporters.page import Look
from nndoctor.reporters.terminal import render

ROOT = Path(__file__).resolve().parents[1]
LOG = "sample_runs/overtraining/history.json"
TARGET = ROOT / "docs" / "overtraining.svg"
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)  # no font from elsewhere


def screenshot() -> str:
    """The SVG: a terminal of 80 columns in colour."""
    run = nndoctor.read(ROOT / LOG)[-1]
    report = nndoctor.diagnose(type(run)(run.series, run.facts, LOG, LOG, run.format, run.unknown, run.notes))
    page = render([report], Look(80, color=True))
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, _environ={})
    console.print(Text.from_ansi(page), end="")
    return console.export_svg(
        title=f"nndoctor diagnose {Path(LOG).parent.as_posix()}", code_format=FORMAT, unique_id="nndoctor"
    )


if __name__ == "__main__":
    TARGET.write_text(screenshot(), encoding="utf-8")
