"""Trains small runs of today's kinds and reports how many faults are named and how many healthy runs are flagged.

python -m benchmarks.zoo.modern [--seeds 11,12] [--only grpo,ppo] [--logs FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import torch

import nndoctor
from benchmarks.zoo.modern.cases import Case, cases
from benchmarks.zoo.modern.dialects import WRITERS
from nndoctor.core.finding import Severity


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.modern")
    parser.add_argument("--seeds", default="11", help="with commas")
    parser.add_argument("--only", default="", help="beginnings of names, with commas")
    parser.add_argument("--logs", type=Path, help="a folder to keep the logs in")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [case for case in cases() if case.name.startswith(tuple(options.only.split(",")))]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.logs or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for case in chosen:
            for seed in map(int, options.seeds.split(",")):
                judge(case, seed, folder, counts)
    print(
        f"faulty named: {counts['named']} of {counts['faulty']}; healthy flagged: {counts['flagged']} of {counts['healthy']}"
    )


def judge(case: Case, seed: int, folder: Path, counts: Counter[str]) -> None:
    """Train a run once, and judge it as the log of every framework that would write it."""
    rows = case.make(seed)
    for k, (suffix, write) in enumerate(WRITERS[case.name.split("_")[0]]):
        log = folder / f"{case.name}.{seed}.{k}{suffix}"
        log.write_text(write(rows), encoding="utf-8")
        found = [f.name for f in nndoctor.diagnose(log).at_least(Severity.WARNING)]
        counts["faulty" if case.right else "healthy"] += 1
        counts["named"] += bool(set(case.right) & set(found))
        counts["flagged"] += not case.right and bool(found)
        print(f"{log.name:<44} {', '.join(found) or '-'}", flush=True)


if __name__ == "__main__":
    main()
