"""The progress bar."""

from __future__ import annotations

import io
import sys

from nndoctor.cli.progress import MANY, watched
from nndoctor.readers.io.source import Source


class Terminal(io.StringIO):
    """Somebody who looks."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def sources(count: int) -> list[Source]:
    """Small logs."""
    return [Source(f"run-{k}.csv", b"epoch,loss\n") for k in range(count)]


def test_long_work_is_shown_as_it_is_done(monkeypatch):
    """The bar stands at the first log while the first is worked on, and all logs come by in order."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    logs = sources(MANY + 5)
    passing = watched(logs)
    first = next(passing)
    assert f"0/{len(logs)}" in screen.getvalue()
    assert f"{len(logs)}/{len(logs)}" not in screen.getvalue()
    assert [first, *passing] == logs


def test_short_work_and_work_that_nobody_sees_show_nothing(monkeypatch):
    """No bar for a few small logs, none in a file or a pipe."""
    for screen, count in ((Terminal(), MANY - 1), (io.StringIO(), MANY + 5)):
        monkeypatch.setattr(sys, "stderr", screen)
        assert list(watched(sources(count))) == sources(count)
        assert screen.getvalue() == ""


def test_a_name_on_the_bar_is_shown_not_obeyed(monkeypatch):
    """Control characters of a file name do not reach the terminal."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    list(watched([Source("\x07[red]x[/x]", b"") for _ in range(MANY)]))
    assert "\x07" not in screen.getvalue()
