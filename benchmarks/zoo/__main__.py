"""Regenerates the zoo.

python -m benchmarks.zoo [--share 0.01] [--engine local] [--jobs 2] [--output FOLDER] [--curves FOLDER]
    trains the split that models are trained on, and goes on where it was interrupted
python -m benchmarks.zoo --split tuning|testing|all|practice [--jobs 2] [--resume] [--limit N] [--curves FOLDER]
    trains the published halves, or the further runs by the same recipes, again
python -m benchmarks.zoo --counts        what the committed files hold
python -m benchmarks.zoo --logs FOLDER   writes the committed logs as CSV files, with labels.jsonl beside them
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.zoo import shards, store
from benchmarks.zoo.batch import planned
from benchmarks.zoo.counts import table
from benchmarks.zoo.experiment import Experiment
from benchmarks.zoo.export import export
from benchmarks.zoo.grow import grow
from benchmarks.zoo.plan import plan
from benchmarks.zoo.runs import make
from nndoctor.diagnosis.workers import Engine, map_items

Maker = Callable[[Experiment], dict[str, Any]]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.zoo", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--split", choices=(*store.SPLITS, "practice", "all", "training"), default="training")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--engine", default="local", help="local, dask:ADDRESS, ray or ray:ADDRESS")
    parser.add_argument("--share", type=float, default=1.0, help="the share of the training split's batches to train")
    parser.add_argument("--resume", action="store_true", help="keep the runs of an interrupted generation")
    parser.add_argument("--limit", type=int, help="only the first N runs of each split")
    parser.add_argument("--output", type=Path, default=store.FOLDER, help="the folder to write to")
    parser.add_argument("--curves", type=Path, help="a folder to keep all curves in: labels them anew when run again")
    parser.add_argument("--counts", action="store_true", help="only count what the files hold")
    parser.add_argument("--logs", type=Path, help="a folder for the committed logs as CSV files")
    options = parser.parse_args()
    if options.split == "training" and not options.logs:
        _training(options)
        return
    for split in store.SPLITS if options.split == "all" else (options.split,):
        if options.logs:
            export(store.read(options.output / f"{split}.jsonl.xz"), options.logs / split)
        elif not options.counts:
            maker = partial(make, kept=options.curves)
            path = options.output / f"{split}.jsonl"
            engine = Engine.of(options.engine, options.jobs)
            generate(plan(split)[: options.limit], path, maker, engine, resume=options.resume)
        print(table(split, store.read(options.output / f"{split}.jsonl.xz")))


def _training(options: argparse.Namespace) -> None:
    """Trains what is missing of the training split, writes its lines, counts them."""
    if not options.counts:
        curves = options.curves or options.output / "curves"
        grow(curves, planned(max(1, round(options.share * shards.PLANNED))), Engine.of(options.engine, options.jobs))
        shards.write(curves, options.output)
    print(table("training", list(shards.load(options.output))))


def generate(experiments: list[Experiment], path: Path, maker: Maker, engine: Engine, *, resume: bool) -> None:
    """Makes every run, writes each as it finishes, and packs them in the plan's order."""
    started = time.perf_counter()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not resume:
        path.unlink(missing_ok=True)
    done = {line["id"] for line in store.lines(path)}
    left = [e for e in experiments if e.id not in done]
    with path.open("a", encoding="utf-8") as file:
        for n, line in enumerate(map_items(maker, left, engine, chunk=1), 1):
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
            file.flush()
            print(f"{n}/{len(left)} {time.perf_counter() - started:.0f} s {line['id']} {line['status']}", flush=True)
    store.pack(path, [e.id for e in experiments])


if __name__ == "__main__":
    main()
