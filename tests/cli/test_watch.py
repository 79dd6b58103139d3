"""`nndoctor watch`: a live look, its commands, its end."""

from __future__ import annotations

import json
import sys
import threading
import time

import pytest

from nndoctor.core.run import Run
from nndoctor.reporters.live import forecast

HEAD = "epoch,loss,val_loss\n"
ROWS = [f"{k},{2 * 0.8**k + 0.02:.5f},{2 * 0.8**k + 0.1 + max(0, k - 15) * 0.03:.5f}\n" for k in range(60)]


def written_slowly(path, pause: float = 0.01) -> threading.Thread:
    """A training that logs on, and overtrains."""

    def write() -> None:
        with path.open("w") as file:
            for text in [HEAD, *ROWS]:
                file.write(text)
                file.flush()
                time.sleep(pause)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_log_that_is_not_there_yet_is_waited_for_and_followed(nndoctor, logs):
    """Its verdict is told when it changes, and the finding that stands ends the watch."""
    writer = written_slowly(logs / "live.csv")
    done = nndoctor("watch", "live.csv", "--every", "0.1", "--until-finding", "--fail-on", "warning", "--for", "20")
    writer.join()
    assert done.code == 1
    assert "Overtraining" in done.out


def test_commands_are_started_without_a_shell_and_once(nndoctor, logs):
    """A name from the log or the file system is one word of the command, whatever it holds."""
    path = logs / "a; touch owned; $(touch owned).csv"
    path.write_text(HEAD + "".join(ROWS))
    script = "import sys; open('told', 'a').write(repr(sys.argv[1:]) + chr(10))"
    command = f'"{sys.executable}" -c "{script}" {{name}} {{source}} {{pid}}'
    done = nndoctor(
        "watch",
        path.name,
        "--every",
        "0.1",
        "--for",
        "0.6",
        "--fail-on",
        "warning",
        "--stop-command",
        command,
        "--pid",
        "7",
    )
    assert done.code == 1
    printed = (logs / "told").read_text().splitlines()
    assert printed == [repr(["overtraining", path.name, "7"])]
    assert not (logs / "owned").exists()


@pytest.mark.usefixtures("logs")
def test_once_is_one_look_for_scripts(nndoctor):
    """The JSON report of diagnose."""
    done = nndoctor("watch", "nan.csv", "--once", "--format", "json")
    assert done.code == 1
    assert json.loads(done.out)["runs"][0]["primary"] == "nan-loss"


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--stop-command", "kill {pid}"], "--pid"),
        (["--notify", "echo {nothing}"], "{message}"),
        (["--notify", "echo 'open"], "is invalid"),
        (["--notify", ""], "is empty"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_before_the_watch(nndoctor, words, message):
    """One line, exit code 2."""
    done = nndoctor("watch", "good.csv", "--for", "5", *words)
    assert done.code == 2
    assert message in done.err


def test_what_never_came_is_reported_at_the_end(nndoctor, logs):
    """Exit code 2: nothing was judged."""
    done = nndoctor("watch", str(logs / "none.csv"), "--every", "0.1", "--for", "0.2")
    assert done.code == 2
    assert "none.csv" in done.err


def test_the_forecast_says_where_a_power_law_ends():
    """Within the range it gives for itself."""
    steps = range(1, 101)
    curve = " ".join(f"{0.5 + 2 * k**-0.5:.5f}" for k in steps)
    printed = forecast(Run.drawn(train_loss=curve))
    assert printed is not None
    low, high = (float(x) for x in printed.split("(")[1].split(")")[0].split("–"))
    assert low - 0.03 <= 0.5 + 2 * 400**-0.5 <= high + 0.03


def test_the_forecast_of_a_settled_curve_says_that_little_is_left():
    """It is then hardly worth going on."""
    printed = forecast(Run.drawn(train_loss="2.0 1.0 0.6 0.4 0.32 0.3 0.3*30"))
    assert printed is not None
    assert "has plateaued" in printed
