"""`nndoctor settings [LOG]`"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from nndoctor.cli.options import ColorOption, ConfigOption, NoColorOption, PageFormatOption, color_choice
from nndoctor.cli.out import write_output
from nndoctor.cli.request import PageFormat
from nndoctor.cli.terminal_style import Color, terminal_style

if TYPE_CHECKING:
    from nndoctor.settings import Settings

DEFAULTS: Mapping[str, object] = {"select": ("ALL",), "fail_on": "error"}
HIDDEN = {"origins", "folder", "runs"}


def settings(
    log: Annotated[
        str, typer.Argument(metavar="LOG", help="A log; by default the current folder.", show_default=False)
    ] = "-",
    config: ConfigOption = None,
    format: PageFormatOption = PageFormat.terminal,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Show the effective settings for a log and the source of each.

    Settings are read from nndoctor.toml, or from [tool.nndoctor] in pyproject.toml, in the log's folder or above it.
    """
    from nndoctor.diagnosis.request import SessionOptions
    from nndoctor.diagnosis.session import Session
    from nndoctor.readers.io.find import check_exists

    check_exists(log)
    found = Session(SessionOptions(config=config)).settings(log)
    write_output(_json(found) if format is PageFormat.json else _page(found, color_choice(color, no_color)))


def _rows(found: Settings) -> list[tuple[str, object, str]]:
    """Key, value and origin of each setting."""
    rows = []
    for one in fields(found):
        if one.name not in HIDDEN:
            value, key = getattr(found, one.name), {"maps": "map"}.get(one.name, one.name.replace("_", "-"))
            origin = found.origins.get(one.name, "default")
            rows.append((key, value if one.name in found.origins else DEFAULTS.get(one.name, value), origin))
    return rows


def _page(found: Settings, color: Color) -> str:
    from nndoctor.reporters.page import Page

    page = Page(terminal_style(color))
    for key, value, origin in _rows(found):
        page.line((f"{key:<13}", "bold"), _spelled(value), (f"  {origin}", "dim"), hanging=13)
    return page.text()


def _spelled(value: object) -> str:
    """A value as a settings file spells it; `-` where nothing is set."""
    if value is None or value in ((), {}):
        return "-"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_spelled(one)}" for key, one in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(_spelled(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _json(found: Settings) -> str:
    from nndoctor.reporters.json import dumped

    return dumped({key: {"value": value, "from": origin} for key, value, origin in _rows(found)}, indent=2) + "\n"
