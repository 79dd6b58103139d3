"""Reads and judges the corpus of real logs, measures reading speed, prints a page and writes it to formats.md.

python -m benchmarks.formats [--runs N] [--rounds N] [--only corpus|speed]

The corpus is looked for in ../shared/corpus, or where NNDOCTOR_CORPUS says; the event file is timed where tensorboard
is installed. Both sides of a ratio take turns and CPU time counts, so that other work on the machine falls on both alike;
only the line by the clock wants an idle machine. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.formats import corpus, speed
from benchmarks.formats.corpus import Outcome

TABLE = Path(__file__).resolve().parents[1] / "formats.md"


def shares(found: list[Outcome]) -> list[tuple[str, int, str, bool]]:
    """What is counted over the corpus: in words, how many, the goal, whether it is met."""
    n = len(found)
    understood = sum(o.understood for o in found)
    agree = sum(o.agrees for o in found)
    wrong = sum(bool(o.wrong) for o in found)
    return [
        ("read with the series that the expert quotes, or refused where no verdict is possible", understood, "all", understood == n),
        ("the expert's reading, or one that the expert calls defensible, is among the findings", agree, "≥ 90 %", agree >= 0.9 * n),
        ("a warning or error that the expert calls plainly wrong", wrong, "≤ 1 %", wrong <= 0.01 * n),
    ]  # fmt: skip


def of_corpus(found: list[Outcome]) -> list[str]:
    """The page's part on the corpus."""
    refused = sum(not o.reports for o in found)
    quoting = sum(o.quoted is not None for o in found)
    lines = [
        f"## {len(found)} real logs",
        "",
        f"Each with the reading of one expert. {refused} of them hold nothing to judge and are refused in one line. Series "  # noqa: ISC004
        f"are checked by the decimals that the expert quotes: half of them or more must stand in a series, to the last digit "
        f"({quoting} logs; differences, ratios and parts of summed losses stand in none).",
        "",
        "| | logs | share | goal | met |",
        "|---|---:|---:|---|---|",
    ]
    for words, count, goal, met in shares(found):
        lines.append(
            f"| {words} | {count} | {100 * count / len(found):.1f} % | {goal} | {'yes' if met else '**no**'} |"
        )
    return lines


def differences(found: list[Outcome]) -> list[str]:
    """The logs on which the report and the expert differ, for the screen: names of logs stay out of the page."""
    return [
        f"{o.name}: said {', '.join(sorted(o.readings))}; expected {', '.join(sorted(o.expected))}"
        + (f"; plainly wrong {', '.join(sorted(o.wrong))}" if o.wrong else "")
        + ("" if o.understood else f"; series not as quoted ({o.quoted})")
        for o in found
        if not (o.agrees and o.understood) or o.wrong
    ]


def of_speed(found: list[speed.Measured], load: float) -> list[str]:
    """The page's part on speed."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pandas"))
    return [
        "## Speed",
        "",
        "CPU time, both sides in turns; by the clock only where it says so, which wants an idle machine.",
        f"Load {load:.1f} as it began. Python {platform.python_version()}, {packages}; {platform.system()}, {os.cpu_count()} cores.",
        "",
        "| what | yardstick | nndoctor | yardstick's | measured | goal | met |",
        "|---|---|---:|---:|---:|---|---|",
        *(one.row for one in found),
    ]


def main() -> int:
    """0 if every goal is met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="how many small runs (default 10,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is timed (default 3)")
    parser.add_argument(
        "--only", choices=("corpus", "speed"), help="one part; the page is then printed and not written"
    )
    given = parser.parse_args()
    page = ["# Formats", "", "Written by `python -m benchmarks.formats`."]
    met = True
    if given.only != "speed" and corpus.CORPUS.is_dir():
        found = list(corpus.outcomes())
        page += ["", *of_corpus(found)]
        met = all(good for *_, good in shares(found))
        print(*differences(found), sep="\n", file=sys.stderr)
    elif given.only != "speed":
        print(f"no corpus in {corpus.CORPUS} (NNDOCTOR_CORPUS): it is left out", file=sys.stderr)
    if given.only != "corpus":
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        with tempfile.TemporaryDirectory() as folder:
            measured = speed.measure(Path(folder), given.runs, given.rounds)
        page += ["", *of_speed(measured, load)]
        met = met and all(one.met is not False for one in measured)
    text = "\n".join([*page, ""])
    if given.only is None:
        TABLE.write_text(text, encoding="utf-8")
    print(text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
