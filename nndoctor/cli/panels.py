"""In which order and under which headings --help shows the commands."""

from __future__ import annotations

from typer import Typer
from typer.models import CommandInfo

PANELS = {
    "Look at a run": ("diagnose", "watch", "report", "plot"),
    "Look at several": ("compare", "sweep"),
    "Train, and check before it": ("sanity", "train", "lab"),
    "Gate a run": ("baseline", "settings"),
    "Know the rules and the formats": ("rules", "explain", "formats", "convert"),
}
ORDER = [name for names in PANELS.values() for name in names]
HEADING = {name: heading for heading, names in PANELS.items() for name in names}


def name_of(command: CommandInfo) -> str:
    """What a user types."""
    return command.name or (command.callback.__name__ if command.callback else "")


def arrange(app: Typer) -> None:
    """Sort the commands and give each its heading; one that is not listed here comes last, under "More"."""
    app.registered_commands.sort(key=lambda c: ORDER.index(name_of(c)) if name_of(c) in HEADING else len(ORDER))
    for command in app.registered_commands:
        command.rich_help_panel = HEADING.get(name_of(command), "More")
