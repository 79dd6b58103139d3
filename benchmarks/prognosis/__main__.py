"""Trains the prognosis on the zoo's runs, and measures it on workloads that were left out.

python -m benchmarks.prognosis --train [--zoo FOLDER ...]     train, calibrate, write the model and benchmarks/prognosis.md
python -m benchmarks.prognosis --compare                      other kinds of models on the same measurements
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.prognosis.compare import compared
from benchmarks.prognosis.source import lines, table
from benchmarks.prognosis.train import trained
from benchmarks.zoo import store

PAGE = Path(__file__).resolve().parent.with_suffix(".md")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prognosis", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--train", action="store_true", help="train and write the model and its figures")
    parser.add_argument("--compare", action="store_true", help="print how other kinds of models fare")
    parser.add_argument("--zoo", type=Path, default=store.FOLDER, help="the folder of the zoo's files")
    parser.add_argument("--tables", type=Path, help="a folder that keeps the measured tables between calls")
    parser.add_argument("--copies", type=int, default=4, help="derived logs of each run")
    parser.add_argument("--trees", type=int, default=200, help="trees of each head")
    parser.add_argument("--folds", type=int, default=6, help="groups of workloads that are left out in turn")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    options = parser.parse_args()
    data = table(lines(options.zoo), options.copies, options.jobs, options.tables)
    if options.compare:
        print(compared(data, options.folds))
    if options.train:
        testing = table(store.load(store.FOLDER, "testing"), 0, options.jobs, options.tables)
        PAGE.write_text(
            trained(data, testing, trees=options.trees, folds=options.folds, jobs=options.jobs), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
