"""Measures the speed of nndoctor against yardsticks in the same run; prints a table and writes it to speed.md.

python -m benchmarks.speed [--rounds N]     needs 200 MB of disk while it runs; about three minutes

Both sides of a ratio take turns, and the least CPU time (user + system, children included) of each counts: what other
work the machine does falls on both alike and drops out of the minimum.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from nndoctor.core import statistics as curve
from nndoctor.core.series import Series

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_suffix(".md")

HELLO = """
import typer
app = typer.Typer()
@app.command()
def greet(name: str, loud: bool = False) -> None:
    "Greet somebody."
    print("HELLO" if loud else "hello", name)
app()
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: `ours` and `theirs` in `unit`, and the ratio or size that is wanted."""

    what: str
    yardstick: str
    ours: float
    theirs: float
    unit: str
    measured: float
    goal: float

    @property
    def row(self) -> str:
        """A row of the Markdown table."""
        of = " MB" if self.unit == "MB" else "×"
        met = "yes" if self.measured <= self.goal else "**no**"
        sides = f"{self.ours:.0f} {self.unit} | {self.theirs:.0f} {self.unit}"
        return f"| {self.what} | {self.yardstick} | {sides} | {self.measured:.2f}{of} | ≤ {self.goal:g}{of} | {met} |"


def process(*arguments: str, codes: tuple[int, ...] = (0,)) -> Callable[[], float]:
    """A fresh Python process; calling gives the milliseconds of CPU that it took."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}

    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in codes:
            sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr[-500:]}")
        return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    return run


def inside(work: Callable[[], object]) -> Callable[[], float]:
    """Work in this process; calling gives its milliseconds of CPU."""

    def run() -> float:
        start = time.process_time()
        work()
        return 1000 * (time.process_time() - start)

    return run


def least(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float]:
    """The least of each, taken in turns; one warm-up of each writes bytecode and fills the file cache."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return min(a for a, _ in pairs), min(b for _, b in pairs)


def compare(
    what: str, yardstick: str, sides: tuple[Callable[[], float], Callable[[], float]], goal: float, rounds: int
) -> Result:
    """Ours against the yardstick."""
    ours, theirs = least(*sides, rounds)
    return Result(what, yardstick, ours, theirs, "ms", ours / theirs, goal)


def peak_memory(*arguments: str) -> float:
    """The largest resident size of a fresh Python process, in MB."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", code, sys.executable, *arguments]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout) / (1e6 if sys.platform == "darwin" else 1e3)


def write_log(path: Path, rows: int, columns: int) -> None:
    """A run of `rows` steps: step, losses, accuracies, lr, and columns that no rule uses; six digits a cell."""
    random = np.random.default_rng(0)
    names = ["step", "train_loss", "val_loss", "train_acc", "val_acc", "lr"]
    names += [f"extra_{i}" for i in range(columns - len(names))]
    part = 50_000
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        for start in range(0, rows, part):
            step = np.arange(start, min(start + part, rows))
            fall = 2.3 * (1 + 9 * step / rows) ** -1.5
            noise = random.normal(0, 0.02, (len(step), 2))
            losses = fall[:, None] + np.abs(noise) + (0, 0.05)
            others = random.random((len(step), columns - 6))
            lr = np.full((len(step), 1), 0.1)
            block = np.column_stack([losses, 1 - losses / 2.6, lr, others])
            file.writelines(
                f"{i}," + ",".join(map("{:.6g}".format, row)) + "\n" for i, row in zip(step, block, strict=True)
            )


def every_trend(values: np.ndarray) -> None:
    """All that a rule may ask of a series."""
    series = Series("train/loss", np.arange(len(values), dtype=float), values)
    assert series.noise > 0
    assert len(series.reduced[0]) == len(series.smooth)
    assert series.first > series.last >= 0
    assert series.best <= series.first
    assert series.forecast is not None
    assert curve.slope(series.x, series.y)[0] < 0


def measure(folder: Path, rounds: int) -> list[Result]:
    """All comparisons."""
    hello, small, large = folder / "hello.py", folder / "small.csv", folder / "large.csv"
    hello.write_text(HELLO, encoding="utf-8")
    write_log(small, 1_000, 20)
    write_log(large, 1_000_000, 20)
    used = ["step", "train_loss", "val_loss", "train_acc", "val_acc", "lr"]
    reading = f"import pandas; pandas.read_csv({str(large)!r}, usecols={used})"
    million = 2.3 / np.sqrt(np.linspace(1, 100, 1_000_000)) + np.random.default_rng(0).normal(0, 0.02, 1_000_000)
    steps = np.arange(len(million), dtype=float)
    diagnose_large = ("-m", "nndoctor", "diagnose", str(large))
    results = [
        compare(
            "`nndoctor --help`",
            "a Typer hello world's `--help`",
            (process("-m", "nndoctor", "--help"), process(str(hello), "--help")),
            1.2,
            rounds,
        ),
        compare(
            "`diagnose` of 1,000 rows",
            "importing typer, rich and pandas",
            (
                process("-m", "nndoctor", "diagnose", str(small), codes=(0, 1)),
                process("-c", "import typer, rich.console, pandas"),
            ),
            0.6,
            rounds,
        ),
        compare(
            "`diagnose` of 1,000,000 rows × 20 columns",
            "`pandas.read_csv` of the used columns",
            (process(*diagnose_large, codes=(0, 1)), process("-c", reading)),
            1.3,
            min(rounds, 3),
        ),
        compare(
            "all trends of 1,000,000 points",
            "one `numpy.polyfit` of them",
            (inside(lambda: every_trend(million)), inside(lambda: np.polyfit(steps, million, 1))),
            2.0,
            rounds,
        ),
    ]
    peak, bare = peak_memory(*diagnose_large), peak_memory("-c", "pass")
    memory = Result(
        "peak memory of that `diagnose`", "a bare interpreter (subtracted)", peak, bare, "MB", peak - bare, 150
    )
    return [*results[:3], memory, results[3]]


def report(results: list[Result], rounds: int) -> str:
    """The Markdown page."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pandas", "typer", "rich"))
    return "\n".join(
        [
            "# Speed",
            "",
            f"Written by `python -m benchmarks.speed`. CPU time, user and system; the least of {rounds} rounds "  # noqa: ISC004
            "(3 for the large log), both sides in turns.",
            f"Python {platform.python_version()}, {packages}; {platform.system()}, {os.cpu_count()} cores.",
            "",
            "| what | yardstick | ours | yardstick's | measured | goal | met |",
            "|---|---|---:|---:|---:|---:|---|",
            *(result.row for result in results),
            "",
        ]
    )


def main() -> int:
    """0 if every goal is met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="how often each side is measured (default 7)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), rounds)
    text = report(results, rounds)
    TABLE.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(result.measured <= result.goal for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
