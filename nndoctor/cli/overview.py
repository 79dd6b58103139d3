"""What `nndoctor --help` prints: purpose, first command and all commands on one screen."""

from __future__ import annotations

from nndoctor.cli.panels import ORDER, PANELS
from nndoctor.cli.terminal_style import terminal_style
from nndoctor.reporters.page import Page

WORDS = (("-V, --version", "show the version"), ("--install-completion", "install shell completion"))


def overview() -> str:
    """What `nndoctor` prints without a command: the commands by what they are for."""
    page = Page(terminal_style())
    page.line(("nndoctor", "bold"), " reads your training log and tells you what went wrong and what to try first.")
    page.blank()
    page.line("Start with   ", ("nndoctor diagnose path/to/log", "good"))
    wide = max(map(len, ORDER)) + 2
    for heading, names in PANELS.items():
        page.blank()
        page.line((heading, "bold"))
        for name, text in names.items():
            page.line((f"  {name:<{wide}}", "train"), text, hanging=wide + 2)
    page.blank()
    for name, text in WORDS:
        page.line((f"  {name:<{22}}", "dim"), (text, "dim"), hanging=24)
    page.blank()
    page.line(
        "For details: nndoctor help COMMAND. Exit codes: 0 no finding at or above --fail-on, 1 findings,"
        " 2 a log could not be read or judged."
    )
    return page.text()
