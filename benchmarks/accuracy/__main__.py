"""Measures how often nndoctor is right about the zoo's runs.

python -m benchmarks.accuracy [--split tuning|testing|all] [--wrong] [--zoo FOLDER]
python -m benchmarks.accuracy --write      both splits, into benchmarks/accuracy.md; the testing half's summary into README and docs
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

ROOT = Path(__file__).resolve().parents[2]
TOLD = (ROOT / "README.md", ROOT / "docs" / "reading-a-report.md")
SENTENCE = re.compile(r"(<!-- accuracy sentence -->\n).*?(<!-- end -->)", re.DOTALL)
SHARE = re.compile(r"\| ([^|]+?) \|[^|]*\| [\d.]+ \((\d+)/(\d+)")
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
        for reported in TOLD:
            reported.write_text(made_true(reported.read_text(encoding="utf-8"), pages[-1]), encoding="utf-8")


def made_true(text: str, page: str) -> str:
    """A text with the first table of a page, and the sentence that sums it up, between their marks."""
    table = page.split("\n\n")[1]
    text = FIGURES.sub(lambda marks: f"{marks[1]}{table}\n{marks[2]}", text)
    return SENTENCE.sub(lambda marks: f"{marks[1]}{sentence(table)}\n{marks[2]}", text)


def sentence(table: str) -> str:
    """The three shares that matter to a user, in words."""
    shares = {name: (int(part), int(whole)) for name, part, whole in SHARE.findall(table)}
    right, runs = shares["primary finding confirmed, or rightly none"]
    helped, tried = shares["first remedy helped"]
    flagged, healthy = shares["healthy runs with any error or warning"]
    return (
        f"Measured on the testing half of the benchmark ({runs} real trainings, labelled by retraining them with single changes, on data\n"
        f"and networks not used for tuning): the first finding was right, or rightly absent, in {right / runs:.0%} of the runs; the first remedy\n"
        f"helped in {helped / tried:.0%} ({helped} of {tried}); {flagged} of {healthy} healthy runs got a warning or an error."
    )


def tell(lines: list[dict[str, Any]], split: str, jobs: int, *, wrong_only: bool) -> str:
    """Prints the figures of a split, or its wrong runs, and returns what was printed."""
    runs = judge(lines, jobs=jobs)
    text = "\n".join(wrong(runs)) if wrong_only else page(split, lines, runs, jobs)
    print(text)
    return text


if __name__ == "__main__":
    main()
