"""How often another seed of a good training is called bad, by the number of good runs kept; prints a table.

python -m benchmarks.baselines     trains 56 small networks, about a minute
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import nndoctor
from nndoctor.compare.comparison import ComparisonVerdict, Side, compare
from nndoctor.core.report import Report
from nndoctor.diagnosis.baseline import from_text, to_text
from nndoctor.rules.standard.outside_baseline import check
from nndoctor.settings import with_facts
from tests.little import trained

SEEDS = 8
TRAININGS: tuple[dict[str, float], ...] = (
    {"lr": 0.02},
    {"lr": 0.0005},
    {"lr": 0.1},
    {"lr": 0.05, "examples": 60},
    {"lr": 0.005, "weight_decay": 0.01},
    {"lr": 0.02, "hidden": 64},
    {"lr": 0.002, "hidden": 64},
)


def reports(folder: Path, settings: dict[str, float]) -> list[Report]:
    """The runs of all seeds of one training."""
    paths = [trained(folder / f"{seed}.csv", seed=seed, **settings) for seed in range(SEEDS)]
    return [Report(nndoctor.read(str(path))[0], (), (), ()) for path in paths]


def alarms(runs: list[Report], count: int) -> tuple[int, int]:
    """Of all runs beside each `count` good ones, those that leave the band, and how many there are."""
    left = beside = 0
    for first in range(SEEDS):
        good = [(first + k) % SEEDS for k in range(count)]
        facts = from_text(to_text([runs[k] for k in good]), "").facts()
        others = [runs[k].run for k in range(SEEDS) if k not in good]
        left += sum(any(check(with_facts(run, facts))) for run in others)
        beside += len(others)
    return left, beside


def differing(runs: list[Report]) -> tuple[int, int]:
    """Of all pairs and series, those that compare calls better or worse, and how many there are."""
    found = [compare([Side("A", "", (a,)), Side("B", "", (b,))]) for a, b in itertools.combinations(runs, 2)]
    outcomes = [measure.outcome(0, 1) for one in found for measure in one.measures if not measure.seconds]
    return sum(outcome is not ComparisonVerdict.ALIKE for outcome in outcomes), len(outcomes)


def main() -> None:
    """Train, count, print."""
    with tempfile.TemporaryDirectory() as folder:
        searched = [reports(Path(folder), settings) for settings in TRAININGS]
    print("| good runs | other seeds that leave their band |\n|---:|---:|")
    for count in (1, 2, 3, 4):
        reported = [alarms(runs, count) for runs in searched]
        left, beside = (sum(column) for column in zip(*reported, strict=True))
        print(f"| {count} | {left} of {beside}, {100 * left / beside:.1f} % |")
    differ, pairs = (sum(column) for column in zip(*map(differing, searched), strict=True))
    print(f"\ncompare calls {differ} of {pairs} pairs of seeds different, {100 * differ / pairs:.1f} %")


if __name__ == "__main__":
    main()
