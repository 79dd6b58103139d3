"""Logs to diagnose, and two ways to start the command line: inside this process, and as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from nndoctor.cli.entry import run

ROOT = Path(__file__).resolve().parents[2]


def table(train: list[float], validation: list[float]) -> str:
    """A log of two losses."""
    rows = "".join(f"{k},{t:.5g},{v:.5g}\n" for k, (t, v) in enumerate(zip(train, validation, strict=True)))
    return "epoch,train_loss,val_loss\n" + rows


FALL = [2.0 * 0.85**k + 0.05 for k in range(40)]
LOGS = {
    "good.csv": table(FALL, [v + 0.02 for v in FALL]),
    "risen.csv": table(FALL, [v + 0.02 + 0.04 * max(k - 10, 0) for k, v in enumerate(FALL)]),  # a warning
    "nan.csv": table([*FALL[:20], *[float("nan")] * 20], [*FALL[:20], *[float("nan")] * 20]),  # an error
    "short.csv": table(FALL[:2], FALL[:2]),
    "broken.csv": "",
}


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """A folder with the logs, which is the current one."""
    for name, text in LOGS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def nndoctor(logs, capsys, monkeypatch):
    """Run a command in this process, in the folder of logs."""
    monkeypatch.chdir(logs)

    def start(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["nndoctor", *words])
        code = run(words)
        printed = capsys.readouterr()
        return Ended(int(code), printed.out, printed.err)

    return start


@pytest.fixture
def process(logs):
    """Run a command as a process of its own, in the folder of logs; output as bytes."""

    def start(
        *words: str,
        python: tuple[str, ...] = ("-m", "nndoctor"),
        stdout: int | IO[bytes] = subprocess.PIPE,
        start_new_session: bool = False,
        **settings: str,
    ) -> subprocess.Popen[bytes]:
        env = {
            k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING")
        }
        return subprocess.Popen(
            [sys.executable, *python, *words],
            cwd=logs,
            env=env | {"PYTHONPATH": str(ROOT), **settings},
            stdin=subprocess.PIPE,
            stdout=stdout,
            start_new_session=start_new_session,
            stderr=subprocess.PIPE,
            preexec_fn=_heed_ctrl_c if os.name == "posix" else None,  # noqa: PLW1509 - one call, no thread, no lock
        )

    return start


def _heed_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
