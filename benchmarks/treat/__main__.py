"""`python -m benchmarks.treat` treats every model file and writes benchmarks/treat.md.

Budgets are seconds of the processor, so that what else runs on the machine changes nothing. `--only WORD` takes the
files whose names hold it; `--results FILE` keeps what is measured, so that an interrupted run goes on. All files are
treated first; the search and the first remedy, to which the treatment is compared, follow.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.treat.measure import MODELS, Measured, treated, with_first, with_search
from benchmarks.treat.page import page, pruning
from benchmarks.treat.pruning import measure, recorded

TABLE = Path(__file__).parents[1] / "treat.md"


def main() -> None:
    """Measure what is not known yet, and write the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--budget", type=float, default=120.0, help="seconds of the processor for each file and method")
    words.add_argument("--only", default="", help="files whose names hold this word")
    words.add_argument("--results", type=Path, default=Path("treat-results.jsonl"), help="where measurements are kept")
    words.add_argument("--table", action="store_true", help="write the table of what is measured so far, and stop")
    given = words.parse_args()
    torch.set_num_threads(1)
    known = _known(given.results)
    for step in () if given.table else (_treat, _search, _first):
        for file in sorted(MODELS.glob("*.py")):
            if given.only not in file.stem or (found := step(file, known.get(file.stem), given.budget)) is None:
                continue
            known[file.stem] = found
            with given.results.open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(found)) + "\n")
            print(found, flush=True)
    beside = given.results if str(given.results) == os.devnull else given.results.with_suffix(".pruning.jsonl")
    pruned = recorded(beside) if given.table or given.only else measure(beside)
    text = page(list(known.values()), given.budget) + pruning(pruned)
    if not given.only:
        TABLE.write_text(text, encoding="utf-8")
    print(text)


def _treat(file: Path, known: Measured | None, budget: float) -> Measured | None:
    return treated(file, budget) if known is None else None


def _search(file: Path, known: Measured | None, budget: float) -> Measured | None:
    del file
    return with_search(known, budget) if known is not None and known.searched is None else None


def _first(file: Path, known: Measured | None, budget: float) -> Measured | None:
    del file, budget
    return with_first(known) if known is not None and known.first_gain is None else None


def _known(file: Path) -> dict[str, Measured]:
    if not file.is_file():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    found = [Measured.of(json.loads(line)) for line in lines if line.strip()]
    return {one.name: one for one in found}


main()
