"""The progress bar."""

from __future__ import annotations

import io
import sys
import time
from types import SimpleNamespace

from nndoctor.cli.progress import MIN_LOGS, with_progress
from nndoctor.cli.run_train import _bar
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
    logs = sources(MIN_LOGS + 5)
    passing = with_progress(logs)
    first = next(passing)
    assert f"0/{len(logs)}" in screen.getvalue()
    assert f"{len(logs)}/{len(logs)}" not in screen.getvalue()
    assert [first, *passing] == logs


def test_short_work_and_work_that_nobody_sees_show_nothing(monkeypatch):
    """No bar for a few small logs, none in a file or a pipe."""
    for screen, count in ((Terminal(), MIN_LOGS - 1), (io.StringIO(), MIN_LOGS + 5)):
        monkeypatch.setattr(sys, "stderr", screen)
        assert list(with_progress(sources(count))) == sources(count)
        assert screen.getvalue() == ""


def test_a_name_on_the_bar_is_shown_not_followed(monkeypatch):
    """Control characters of a file name do not reach the terminal."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    list(with_progress([Source("\x07[red]x[/x]", b"") for _ in range(MIN_LOGS)]))
    assert "\x07" not in screen.getvalue()


def test_a_training_in_a_pipe_says_now_and_then_how_far_it_is(monkeypatch):
    """A line at most every ten seconds: epoch, steps per second, the loss, and the time that is left."""
    screen, clock = io.StringIO(), iter([0.0, 5.0, 12.0, 13.0, 30.0])
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    live = SimpleNamespace(latest=lambda: 0.5, report=None)
    options = SimpleNamespace(epochs=2, steps=None)
    training = SimpleNamespace(
        progress=SimpleNamespace(step=0, epoch=0),
        total=480,
        options=options,
        evaluation={"validation_loss": 0.7},
        live=live,
    )
    with _bar(training, quiet=False) as see:
        for step in (50, 120, 130, 300):
            training.progress.step = step
            see()
    first, second = screen.getvalue().splitlines()
    assert first == "nndoctor: epoch 1/2  10 steps/s  train_loss 0.5  val_loss 0.7  0:36 left"
    assert second.endswith("0:18 left")
