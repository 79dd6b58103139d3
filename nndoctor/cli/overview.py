"""What `nndoctor --help` says: on one screen what it is for, what to type first, and every command in a few words."""

from __future__ import annotations

from nndoctor.cli.look import look
from nndoctor.cli.panels import ORDER, PANELS
from nndoctor.reporters.page import Page

WORDS = (
    ("--version", "the versions that matter"),
    ("--install-completion", "let the shell complete commands, options and rules"),
)


def overview() -> str:
    """The page."""
    page = Page(look())
    page.line(("nndoctor", "bold"), " says what is wrong with a neural-network training run, and what to try first.")
    page.blank()
    page.line("First try   ", ("nndoctor diagnose path/to/log", "good"))
    wide = max(map(len, ORDER)) + 2
    for heading, names in PANELS.items():
        page.blank()
        page.line((heading, "bold"))
        for name, said in names.items():
            page.line((f"  {name:<{wide}}", "train"), said, hanging=wide + 2)
    page.blank()
    for name, said in WORDS:
        page.line((f"  {name:<{22}}", "dim"), (said, "dim"), hanging=24)
    page.blank()
    page.line(
        "nndoctor COMMAND --help says more of each. Exit codes: 0 nothing at or above --fail-on,"
        " 1 findings, 2 something could not be read or judged."
    )
    return page.text()
