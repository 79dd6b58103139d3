"""Draw what `nndoctor diagnose` prints in a light and in a dark terminal, as the SVGs in the README: `python docs/screenshot.py`."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

import nndoctor
from nndoctor.reporters.page import Style
from nndoctor.reporters.terminal import render

ROOT = Path(__file__).resolve().parents[1]
LOG = "sample_runs/overtraining/history.json"
THEMES = {
    ROOT / "docs" / "overtraining.svg": DEFAULT_TERMINAL_THEME,
    ROOT / "docs" / "overtraining-dark.svg": SVG_EXPORT_THEME,
}
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)  # no font from elsewhere


def screenshot(theme: TerminalTheme) -> str:
    """The SVG: a terminal of 80 columns in colour."""
    run = nndoctor.read(ROOT / LOG)[-1]
    report = nndoctor.diagnose(type(run)(run.series, run.facts, LOG, LOG, run.format, run.unknown, run.notes))
    page = render([report], Style(80, color=True))
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, _environ={})
    console.print(Text.from_ansi(page), end="")
    return console.export_svg(
        title=f"nndoctor diagnose {Path(LOG).parent.as_posix()}", code_format=FORMAT, unique_id="nndoctor", theme=theme
    )


def write() -> None:
    """Both pictures."""
    for target, theme in THEMES.items():
        target.write_text(screenshot(theme), encoding="utf-8")


if __name__ == "__main__":
    write()
