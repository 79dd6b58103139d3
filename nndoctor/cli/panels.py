"""The order, headings and one-line descriptions of the commands in the help."""

from __future__ import annotations

from typer import Typer
from typer.models import CommandInfo

from nndoctor.cli.help import HelpfulCommand, HelpfulGroup

PANELS = {
    "Diagnose": {
        "diagnose": "find out what went wrong and what to try first",
        "watch": "diagnose a log while it grows, with a forecast",
        "report": "write an HTML page",
        "plot": "draw curves and evidence as PNG, SVG or PDF",
    },
    "Compare runs": {
        "compare": "compare runs side by side and check whether a remedy worked",
        "sweep": "judge a hyperparameter search: which settings matter",
    },
    "Before and while training": {
        "sanity": "check a model before a long training job",
        "train": "train a model with live diagnosis",
        "treat": "try the most promising remedies on a model and measure them",
        "search": "search for settings, coarse to fine, and judge the search",
        "learning-curve": "would more data help: errors over the training-set size",
        "lab": "train a broken network and its fix side by side",
    },
    "CI": {
        "baseline": "save good runs, to compare later runs with them",
        "settings": "show the effective settings and their source",
    },
    "Coding agents": {
        "mcp": "serve these commands to agents over MCP",
        "skill": "install the skill that teaches an agent to use them",
    },
    "Reference": {
        "rules": "list all rules",
        "explain": "explain a finding: example, reasons, remedies, sources",
        "formats": "list the supported log formats",
        "convert": "convert a log to a clean CSV",
    },
}
ORDER = [name for names in PANELS.values() for name in names]
HEADING = {name: heading for heading, names in PANELS.items() for name in names}


def name_of(command: CommandInfo) -> str:
    """The name that a user types."""
    return command.name or (command.callback.__name__ if command.callback else "")


def arrange(app: Typer) -> None:
    """Sort the commands, and give each its heading and a help page of nndoctor's own."""
    app.registered_commands.sort(key=lambda c: ORDER.index(name_of(c)))
    for command in app.registered_commands:
        command.rich_help_panel = HEADING[name_of(command)]
        command.cls = HelpfulCommand
    for group in app.registered_groups:
        group.rich_help_panel = HEADING[group.name or ""]
        group.cls = HelpfulGroup
        for command in group.typer_instance.registered_commands if group.typer_instance else ():
            command.cls = HelpfulCommand
