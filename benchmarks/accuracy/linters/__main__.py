"""Runs the log linters of PyPI on the zoo's runs.

python -m benchmarks.accuracy.linters --environments FOLDER [--split testing] [--write]

Makes a virtual environment for each in FOLDER, or uses those that are there. Every log is written with the columns that all of
them know: step, loss, eval_loss, accuracy, eval_accuracy, lr, grad_norm.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accuracy.families import Fared, fared, ours
from benchmarks.accuracy.family import FAMILY
from benchmarks.accuracy.judged import Judged, judge
from benchmarks.accuracy.linters.tools import TOOLS, Tool
from benchmarks.tables import table
from benchmarks.zoo import store
from nndoctor import read

PAGE = Path(__file__).resolve().parents[2] / "linters.md"
ALL = frozenset(FAMILY.values())
COLUMNS = {
    "train/loss": "loss",
    "validation/loss": "eval_loss",
    "train/accuracy": "accuracy",
    "validation/accuracy": "eval_accuracy",
    "lr": "lr",
    "grad_norm": "grad_norm",
}
HEAD = """# Log linters on the same runs

Written by `python -m benchmarks.accuracy.linters --environments FOLDER --write`. Each linter in an environment of its own, with
its defaults; flagged is any warning or error. Every finding whose words fit the family of a confirmed fault counts as right.
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.linters")
    parser.add_argument("--environments", type=Path, required=True, help="a folder for the linters' environments")
    parser.add_argument("--split", choices=(*store.SPLITS, "all"), default="all")
    parser.add_argument("--zoo", type=Path, default=store.FOLDER)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    pages = [HEAD]
    for split in store.SPLITS if options.split == "all" else (options.split,):
        runs = judge(store.load(options.zoo, split), jobs=2)
        rows = [(one.name, one.right, one.flagged) for one in compare(runs, options.environments)]
        pages.append(f"## {split}\n\n{table(('tool', 'a finding of the right family', 'healthy flagged'), rows)}\n")
        print(pages[-1])
    if options.write:
        PAGE.write_text("\n".join(pages), encoding="utf-8")


def compare(runs: Sequence[Judged], environments: Path) -> list[Fared]:
    """Every linter beside nndoctor: the right family for faulty runs, any flag for healthy ones."""
    rows = [fared("nndoctor", runs, ours, ALL)]
    with TemporaryDirectory() as folder:
        for run in runs:
            _write(run, Path(folder))
        for tool in TOOLS:
            said = answers(tool, python_of(tool, environments), Path(folder))
            rows.append(fared(f"{tool.name} {tool.version}", runs, _says(said), ALL))
    return rows


def _says(said: dict[str, frozenset[str]]) -> Callable[[Judged], frozenset[str]]:
    return lambda run: said[run.line["id"]]


def _write(run: Judged, folder: Path) -> None:
    """The run's log in the columns that every linter knows; an error rate as an accuracy."""
    source = folder / f"{run.line['id']}.csv"
    source.write_text(store.csv_text(run.line["log"]), encoding="utf-8")
    series = read(source)[-1].series
    columns = {plain: series[name] for name, plain in COLUMNS.items() if name in series}
    columns |= {
        plain: series[wrong].with_values(1 - series[wrong].values)
        for wrong, plain in (("train/error", "accuracy"), ("validation/error", "eval_accuracy"))
        if wrong in series
    }
    steps = sorted({step for s in columns.values() for step in s.steps})
    cells = {plain: dict(zip(s.steps, s.values, strict=True)) for plain, s in columns.items()}
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *columns])
        writer.writerows([int(step), *(cells[c].get(step, "") for c in columns)] for step in steps)


def answers(tool: Tool, python: Path, logs: Path) -> dict[str, frozenset[str]]:
    """What a linter says of each log, in families. Raises CalledProcessError where the linter itself breaks."""
    driver, config = Path(__file__).with_name("driver.py"), json.dumps({**tool.call, "logs": str(logs)})
    done = subprocess.run([python, driver, config], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["file"]: tool.families(line["said"]) for line in lines}


def python_of(tool: Tool, environments: Path) -> Path:
    """The interpreter of the tool's environment, which is made where it is not there."""
    place = environments / tool.name
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"installing {tool.name} {tool.version}", file=sys.stderr)
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"{tool.name}=={tool.version}"], check=True)
    return python


if __name__ == "__main__":
    main()
