"""Measures how often nndoctor is right about the zoo's runs.

python -m benchmarks.accuracy [--split tuning|testing|all] [--wrong] [--zoo FOLDER]
python -m benchmarks.accuracy --write      both splits, into benchmarks/accuracy.md; the testing half's summary into the README
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from benchmarks.accuracy.confusion import wrong
from benchmarks.accuracy.judged import judge
from benchmarks.accuracy.page import page
from benchmarks.zoo import store

README = Path(__file__).resolve().parents[2] / "README.md"
FIGURES = re.compile(r"(<!-- accuracy -->\n).*?(<!-- end -->)", re.DOTALL)
PAGE = Path(__file__).resolve().parent.with_suffix(".md")
HEAD = """# Accuracy

Written by `python -m benchmarks.accuracy --write`. Every run of the [zoo](zoo) is a network that was really trained; its labels
come from retraining it with single changes. Each log is diagnosed as a CSV file without further information. Thresholds of
rules were set, and the prognosis was trained, on the tuning half, among others; the testing half has other workloads,
networks and seeds, and was used for neither.
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--split", choices=(*store.SPLITS, "all"), default="tuning")
    parser.add_argument(
        "--zoo", type=Path, default=store.FOLDER, help="the folder of the zoo's files, packed or growing"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--wrong", action="store_true", help="only list the runs that went wrong")
    parser.add_argument("--write", action="store_true", help=f"measure both splits and write {PAGE.name}")
    options = parser.parse_args()
    splits = store.SPLITS if options.write or options.split == "all" else (options.split,)
    pages = [tell(store.load(options.zoo, split), split, options.jobs, wrong_only=options.wrong) for split in splits]
    if options.write and not options.wrong:
        PAGE.write_text("\n".join([HEAD, *pages]), encoding="utf-8")
        README.write_text(made_true(README.read_text(encoding="utf-8"), pages[-1]), encoding="utf-8")


def made_true(readme: str, page: str) -> str:
    """The README with the first table of a page between its marks."""
    table = page.split("\n\n")[1]
    return FIGURES.sub(lambda marks: f"{marks[1]}{table}\n{marks[2]}", readme)


def tell(lines: list[dict[str, Any]], split: str, jobs: int, *, wrong_only: bool) -> str:
    """Prints the figures of a split, or its wrong runs, and returns what was printed."""
    runs = judge(lines, jobs=jobs)
    text = "\n".join(wrong(runs)) if wrong_only else page(split, lines, runs, jobs)
    print(text)
    return text


if __name__ == "__main__":
    main()
