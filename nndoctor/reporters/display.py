"""What a report and a run show in Python and in a notebook; `nndoctor.core.display` calls these functions by name."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from nndoctor.core.report import Report
from nndoctor.reporters import json
from nndoctor.reporters.html.notebook import of_report as report_html
from nndoctor.reporters.html.notebook import of_run as run_html
from nndoctor.reporters.page import Style
from nndoctor.reporters.terminal import render

__all__ = ["as_json", "page", "plot", "report_html", "run_html", "show"]

MIN_WIDTH, MAX_WIDTH = 40, 120


def page(report: Report, *, verbose: bool = False) -> str:
    """The page that `nndoctor diagnose` prints, without colour."""
    return render([report], Style(_width(), encoding=sys.stdout.encoding or "utf-8"), full=verbose).rstrip("\n")


def show(report: Report, *, verbose: bool = False) -> None:
    """Print the page, in colour on a terminal."""
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    page_style = Style(_width(), color, sys.stdout.encoding or "utf-8")
    sys.stdout.write(render([report], page_style, full=verbose))


def plot(report: Report, *, path: str | os.PathLike[str] | None = None, dark: bool = False) -> Any:  # noqa: ANN401 - a type of matplotlib's, which only plots import
    """The matplotlib figure of the run; also written to `path` where one is given, as its ending says (.png, .svg or .pdf)."""
    from nndoctor.core.errors import UsageError
    from nndoctor.plots.picture import PictureFormat, picture, rendered
    from nndoctor.plots.theme import Theme

    figure = picture(report, Theme.dark if dark else Theme.light)
    if path is not None:
        ending = Path(path).suffix.lower().removeprefix(".")
        if ending not in list(PictureFormat):
            raise UsageError(f"{os.fspath(path)} must end in .png, .svg or .pdf")
        Path(path).write_bytes(rendered(figure, PictureFormat(ending)))
    return figure


def as_json(report: Report) -> str:
    """What `nndoctor diagnose --format json` prints on the run."""
    return json.render([report])


def _width() -> int:
    return min(max(shutil.get_terminal_size((80, 24)).columns, MIN_WIDTH), MAX_WIDTH)
