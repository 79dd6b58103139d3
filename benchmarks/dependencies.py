"""What each dependency of the core costs: `python -m benchmarks.dependencies` writes dependencies.md.

Import time is the CPU time of a process that imports the package, with all that it needs itself, less that of a bare
interpreter: the least of seven rounds in turns. Disk space is that of the package alone.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

HERE = Path(__file__).resolve()
ROOT = HERE.parents[1]
ROUNDS = 7
WHY = {
    "typer": "the command line: parsing, help, completion; `diagnose` with its usual options starts without it",
    "rich": "colors, links and text wrapped by its width on the screen; typer needs it as well",
    "numpy": "every measurement, every rule and the prognosis",
    "pandas": "the readers of CSV, JSON and Parquet, and DataFrames in Python",
    "matplotlib": "`nndoctor plot`, and the pictures of `nndoctor report`; imported only there",
}
LOADED = (
    "import os, sys; from nndoctor.cli.entry import run; sys.stdout = open(os.devnull, 'w', encoding='utf-8'); "
    "run(['diagnose', 'sample_runs/overtraining']); "
    f"sys.stderr.write(' '.join(name for name in {tuple(WHY)!r} if name in sys.modules))"
)


def seconds(code: str) -> float:
    """CPU time of a Python process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def megabytes(name: str) -> float:
    """Disk space of an installed package."""
    files = (Path(str(file.locate())) for file in distribution(name).files or ())
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def loaded_by_diagnose() -> set[str]:
    """The dependencies that `nndoctor diagnose` of a JSON log imports."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", LOADED]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def declared() -> list[str]:
    """The names in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [one.partition(">")[0] for one in project["dependencies"]]


def main() -> None:
    """Measure, print and write the table."""
    codes = {name: f"import {name}" for name in declared()} | {"": "pass"}
    least = dict.fromkeys(codes, float("inf"))
    for _ in range(ROUNDS):
        least = {name: min(least[name], seconds(code)) for name, code in codes.items()}
    loaded = loaded_by_diagnose()
    lines = [
        "# Dependencies of the core",
        "",
        "Written by `python -m benchmarks.dependencies`. Import time: CPU time of importing the package and what it needs, less that",
        f"of a bare interpreter ({1e3 * least['']:.0f} ms); the least of {ROUNDS} rounds. Disk: the package alone.",
        "",
        "| package | why it stays | `diagnose` of a JSON log imports it | import | disk |",
        "|---|---|---|---:|---:|",
    ]
    for name in declared():
        cost = f"{1e3 * (least[name] - least['']):.0f} ms | {megabytes(name):.0f} MB"
        lines.append(f"| {name} | {WHY[name]} | {'yes' if name in loaded else 'no'} | {cost} |")
    text = "\n".join([*lines, ""])
    HERE.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
