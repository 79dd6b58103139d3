"""In which order, under which headings and in which words the commands are shown."""

from __future__ import annotations

from typer import Typer
from typer.models import CommandInfo

PANELS = {
    "Look at a run": {
        "diagnose": "what is wrong, how sure that is, and what to try first",
        "watch": "the same while the log grows, and what lies ahead",
        "report": "one page for a browser",
        "plot": "a picture: PNG, SVG or PDF",
    },
    "Look at several": {
        "compare": "side by side: which is better, did the remedy work",
        "sweep": "a search: best at the edge, all alike, what matters",
    },
    "Before and while training": {
        "sanity": "check a model before a long job",
        "train": "train a model with the recorder on board",
        "treat": "try the likeliest remedies on a model, and measure them",
        "lab": "the field's lessons, trained and diagnosed",
    },
    "Gate a run": {
        "baseline": "keep good runs, to hold later ones against them",
        "settings": "what is in force for a log, and where it comes from",
    },
    "Coding agents": {
        "mcp": "serve these commands to agents over MCP",
        "skill": "install the skill that teaches an agent to use them",
    },
    "Know more": {
        "rules": "every finding there is",
        "explain": "one of them: drawn, why it matters, how it is judged",
        "formats": "the logs that are read",
        "convert": "the table that was understood of a log",
    },
}
ORDER = [name for names in PANELS.values() for name in names]
HEADING = {name: heading for heading, names in PANELS.items() for name in names}


def name_of(command: CommandInfo) -> str:
    """What a user types."""
    return command.name or (command.callback.__name__ if command.callback else "")


def arrange(app: Typer) -> None:
    """Sort the commands and give each its heading."""
    app.registered_commands.sort(key=lambda c: ORDER.index(name_of(c)))
    for command in app.registered_commands:
        command.rich_help_panel = HEADING[name_of(command)]
    for group in app.registered_groups:
        group.rich_help_panel = HEADING[group.name or ""]
