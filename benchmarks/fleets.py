"""Measures the diagnosis of a fleet of runs against reading its files with pandas; prints a table and writes it to fleets.md.

python -m benchmarks.fleets [--count 2000] [--rows 500] [--rounds 3]     needs 20 kB of disk for each run while it runs

Both sides take turns, and the least CPU time (user + system, children included) of each counts. A run has one of nine
kinds (healthy three times, overfitting, NaN, spikes, explosion, plateau, oscillation) and one of four headers.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_suffix(".md")
FAULTS = ("none", "none", "none", "overfitting", "nan", "spikes", "explosion", "plateau", "oscillation")
HEADERS = (
    "step,train_loss,val_loss,lr",
    "epoch,loss,accuracy,val_loss,val_accuracy",
    "lightning",
    "step,loss,grad_norm,lr",
)
READING = """
import sys, pandas
from pathlib import Path
for file in sorted(Path(sys.argv[1]).rglob("*.csv")):
    pandas.read_csv(file)
"""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU and of the clock, and the largest resident size of one process in MB."""

    cpu: float
    wall: float
    memory: float


def falling(random: np.random.Generator, rows: int) -> Array:
    """A training loss that falls by a power law, with noise."""
    start, floor = random.uniform(1.5, 7.0), random.uniform(0.01, 1.0)
    power, speed = random.uniform(0.4, 1.5), 10 ** random.uniform(0.5, 2.5)
    noise = random.normal(0, random.uniform(0.002, 0.03) * start, rows)
    return np.abs(floor + (start - floor) * (1 + speed * np.linspace(0, 1, rows)) ** -power + noise) + 1e-4


def spoil(loss: Array, validation: Array, fault: str, random: np.random.Generator) -> None:
    """Put a fault into the losses, in place."""
    rows = len(loss)
    at = int(random.integers(rows // 5, rows - rows // 5))
    if fault == "overfitting":
        validation += random.uniform(0.3, 2.0) * loss[0] * np.maximum(np.linspace(0, 1, rows) - at / rows, 0)
    elif fault == "nan":
        loss[at:] = validation[at:] = np.nan
    elif fault == "spikes":
        loss[random.integers(10, rows, 8)] += random.uniform(1, 4, 8)
    elif fault == "explosion":
        for curve in (loss, validation):
            curve[at:] *= np.exp(np.minimum(np.arange(rows - at) * 0.1, 40))
    elif fault == "plateau":
        for curve in (loss, validation):
            curve[:] = loss[0] * (1 + random.normal(0, 0.004, rows))
    elif fault == "oscillation":
        loss *= 1 + 0.4 * random.normal(0, 1, rows) ** 2


def log(seed: int, rows: int) -> str:
    """The text of one run's log."""
    random = np.random.default_rng(seed)
    loss = falling(random, rows)
    gap = random.uniform(0, 0.15) * loss[0] * np.linspace(0, 1, rows)
    validation = loss * (1 + random.normal(0, 0.01, rows)) + gap
    spoil(loss, validation, FAULTS[seed % len(FAULTS)], random)
    lr = np.full(rows, 10 ** random.uniform(-4, -1))
    if random.random() < 0.5:
        lr *= 0.5 * (1 + np.cos(np.pi * np.linspace(0, 1, rows)))
    accuracy, other = (np.clip(1 - v / (1.3 * np.nanmax(loss)), 0, 1) for v in (loss, validation))
    step = np.arange(rows, dtype=np.float64)
    header = HEADERS[seed % len(HEADERS)]
    if header == "lightning":
        return lightning(loss, validation, lr)
    columns = {
        "step": step * 10, "epoch": step, "train_loss": loss, "loss": loss, "val_loss": validation, "lr": lr,
        "accuracy": accuracy, "val_accuracy": other, "grad_norm": np.abs(loss) * random.lognormal(0, 0.2, rows),
    }  # fmt: skip
    table = np.column_stack([columns[name] for name in header.split(",")])
    return f"{header}\n" + "".join(",".join(map("{:.6g}".format, row)) + "\n" for row in table.tolist())


def lightning(loss: Array, validation: Array, lr: Array) -> str:
    """A log of Lightning's CSVLogger: validation in rows of its own, the other cells left blank."""
    lines = ["epoch,lr-SGD,step,train_loss,val_loss"]
    for k, (a, b, rate) in enumerate(zip(loss.tolist(), validation.tolist(), lr.tolist(), strict=True)):
        lines.append(f"{k // 10},,{k},,{b:.6g}" if k % 10 == 9 else f"{k // 10},{rate:.6g},{k},{a:.6g},")
    return "\n".join(lines) + "\n"


def write(folder: Path, count: int, rows: int) -> None:
    """A fleet of varied runs, a hundred to a folder, an hour old."""
    for k in range(count):
        file = folder / f"{k // 100:04d}/run{k:06d}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(log(k, rows), encoding="utf-8")
        os.utime(file, (time.time() - 3600,) * 2)


def process(*arguments: str, more: Mapping[str, str] | None = None) -> Callable[[], Cost]:
    """A fresh Python process; calling gives what it cost."""
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment = plain | {"PYTHONPATH": str(ROOT)} | dict(more or {})
    # The size is asked for in a process of its own: the kernel keeps the largest of all children.
    code = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )

    def run() -> Cost:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-S", "-c", code, sys.executable, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 1):
            sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr[-500:]}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        unit = 1e6 if sys.platform == "darwin" else 1e3
        return Cost(cpu, time.perf_counter() - began, int(done.stdout) / unit)

    return run


def ways(folder: Path, work: Path) -> dict[str, Callable[[], Cost]]:
    """What is measured, by name; the first is the yardstick."""
    diagnose = ("-m", "nndoctor", "diagnose", str(folder), "--isolated")
    cache = {"NNDOCTOR_CACHE_DIR": str(work / "cache")}
    return {
        "a loop of `pandas.read_csv`": process("-c", READING, str(folder)),
        "`diagnose`, one process": process(*diagnose, "--jobs", "1"),
        "`diagnose --jobs 2`": process(*diagnose, "--jobs", "2"),
        "`diagnose --output fleet.csv`": process(*diagnose, "--jobs", "1", "-o", str(work / "f.csv"), "--force"),
        "`diagnose --cache`, second look": process(*diagnose, "--jobs", "1", "--cache", more=cache),
    }


def measured(found: Mapping[str, Callable[[], Cost]], rounds: int) -> dict[str, Cost]:
    """The least cost of each way, taken in turns after a first round that warms files, bytecode and the cache."""
    seen: dict[str, list[Cost]] = {name: [] for name in found}
    for k in range(rounds + 1):
        for name, way in found.items():
            cost = way()
            if k:
                seen[name].append(cost)
    return {
        name: Cost(*(min(getattr(c, what) for c in costs) for what in ("cpu", "wall", "memory")))
        for name, costs in seen.items()
    }


def report(costs: Mapping[str, Cost], count: int, rows: int, rounds: int) -> str:
    """The Markdown page."""
    yardstick = next(iter(costs.values()))
    lines = (
        f"| {name} | {c.cpu:.1f} s | {1000 * c.cpu / count:.2f} ms | {yardstick.cpu / c.cpu:.2f}× | {c.wall:.1f} s | {c.memory:.0f} MB |"
        for name, c in costs.items()
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pandas"))
    return "\n".join(
        [
            "# Fleets",
            "",
            f"Written by `python -m benchmarks.fleets --count {count}`: {count:,} runs × {rows} rows of four or five columns, of nine kinds.",
            f"The least of {rounds} rounds in turns, start of the process included.",
            f"Python {platform.python_version()}, {packages}; {platform.system()}, {os.cpu_count()} cores.",
            "The speed is the yardstick's CPU time over that of the way: 1× judges as many runs per CPU second as pandas reads.",
            "",
            "| way | CPU | CPU of a run | speed | clock | largest process |",
            "|---|---:|---:|---:|---:|---:|",
            *lines,
            "",
        ]
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="runs (default 2000)")
    parser.add_argument("--rows", type=int, default=500, help="rows of a run (default 500)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured (default 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        write(work / "runs", options.count, options.rows)
        costs = measured(ways(work / "runs", work), options.rounds)
    text = report(costs, options.count, options.rows, options.rounds)
    TABLE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
