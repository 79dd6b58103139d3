"""CPU time, of work in this process and of fresh ones, both sides of a ratio in turns."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def inside(work: Callable[[], object]) -> float:
    """Seconds of CPU that some work takes in this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def outside(*arguments: str) -> tuple[float, float]:
    """Seconds of CPU, children included, and of the clock that a fresh nndoctor takes. Exits where it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "nndoctor", *arguments]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{command} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    after, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock


def least(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The least seconds of CPU of each side, taken in turns."""
    times = [{name: inside(work) for name, work in sides.items()} for _ in range(rounds)]
    return {name: min(one[name] for one in times) for name in sides}


def peak(*arguments: str) -> float:
    """The largest resident size of a fresh Python process, in MB."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    run = [sys.executable, "-c", code, sys.executable, *arguments]
    done = subprocess.run(run, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    return int(done.stdout) / (1e6 if sys.platform == "darwin" else 1e3)
