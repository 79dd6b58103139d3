"""The figures of every benchmark's page, in one form: what was measured, against which rival, the goal, and whether it is met."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.tables import meets, number_in, tables

Read = Callable[[str], "Iterator[Figure]"]

# The goals of pages that do not state them.
FAULTS = {
    "fault or its direct consequence named, of 48": "≥ 95%",
    "repaired programs with an error, of 30": "≤ 0",
    "repaired programs with an error or a warning": "≤ 0",
}
RIVALS = re.compile(r"^\* (?P<net>.+?): (?P<ways>naive.*)$", re.MULTILINE)
WAY = re.compile(r"(?P<way>[^:]+?): (?P<times>[\d.]+x)(?:, |$)")
FLEET_SPEED = "≥ 1×"
FASTEST_NAIVE, FASTEST_TRACKER = "≥ 3×", "≥ 15×"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the performance page; `met` is None where there is no goal."""

    what: str
    rival: str
    ours: str
    theirs: str
    result: str
    goal: str
    met: bool | None


def side_by_side(text: str) -> Iterator[Figure]:
    """Of the pages whose tables name a yardstick: start-up, reading, fleets."""
    for row in (row for table in tables(text) for row in table if "yardstick" in row):
        ours, met = row.get("ours") or row["nndoctor"], row["met"]
        judged = None if met not in ("yes", "no") else met == "yes"
        yield Figure(row["what"], row["yardstick"], ours, row["yardstick's"], row["measured"], row["goal"], judged)


def formats(text: str) -> Iterator[Figure]:
    """Real logs read rightly, then the speed of reading."""
    for row in (row for table in tables(text) for row in table if "share" in row):
        yield Figure(
            f"real logs: {row['']}", "", f"{row['logs']} logs", "", row["share"], row["goal"], row["met"] == "yes"
        )
    yield from side_by_side(text)


def fleets(text: str) -> Iterator[Figure]:
    """Judging many runs against reading their files."""
    yardstick, *ways = tables(text)[0]
    for row in ways:
        goal = FLEET_SPEED if row["way"] == "`diagnose`, one process" else ""
        met = meets(row["speed"], goal) if goal else None
        yield Figure(
            row["way"], yardstick["way"], row["CPU of a run"], yardstick["CPU of a run"], row["speed"], goal, met
        )


def dependencies(text: str) -> Iterator[Figure]:
    """What importing each dependency of the core costs."""
    for row in tables(text)[0]:
        what = f"importing {row['package']} ({row['disk']} on disk)"
        yield Figure(what, "a bare interpreter", row["import"], "", f"+{row['import']}", "", None)


def recorder(text: str) -> Iterator[Figure]:
    """What a sampled step, an idle step and the default schedule cost, and how much more the rivals do."""
    for row in tables(text)[0]:
        net, bare = row["net"], row["bare step"]
        costs = {
            "sampled step": (row["sampled step"], f"≤ {row['at most'].partition(':')[0]}"),
            "idle step": (row["idle step"], "≤ 0.15%"),
            "default schedule, 10,000 steps": (row["default, 10 000 steps (samples)"].partition(" ")[0], "≤ 0.5%"),
        }
        for what, (share, goal) in costs.items():
            yield Figure(f"{what}: {net}", "the bare step", share, bare, share, goal, meets(share, goal))
    for line in RIVALS.finditer(text):
        for way in WAY.finditer(line["ways"]):
            times, goal = way["times"].replace("x", "×"), FASTEST_NAIVE if "naive" in way["way"] else FASTEST_TRACKER
            what = f"cost of watching every step: {line['net']}"
            yield Figure(what, way["way"], "1×", times, times, goal, meets(times, goal))


def sanity(text: str) -> Iterator[Figure]:
    """A check-up against its training steps alone."""
    for row in tables(text)[0]:
        what = f"{row['model']}, {row['training steps']} training steps"
        yield Figure(
            what, "the same training steps, bare", row["nndoctor sanity"], row["bare"], f"{row['ratio']}×", "", None
        )


def train(text: str) -> Iterator[Figure]:
    """`nndoctor train` against the loop written by hand."""
    for row in tables(text)[0]:
        result, goal = row["with nndoctor train"].replace("x", "×"), f"≤ {row['goal'].replace('x', '×')}"
        yield Figure(
            row["network"], "the loop by hand", result, row["a step by hand"], result, goal, meets(result, goal)
        )


def pictures(text: str) -> Iterator[Figure]:
    """What a picture and a page cost."""
    for row in tables(text)[0]:
        what, _, rival = row["what"].partition(", against ")
        goal = f"≤ {row['goal'].removeprefix('under ')}"
        met = meets(row["measured"], goal)
        yield Figure(what, rival, row["measured"], "", row["measured"], goal, met)


def prognosis(text: str) -> Iterator[Figure]:
    """How well each change's gain is foreseen on the testing half."""
    testing = text.partition("## Testing half")[2]
    for row in tables(testing)[0]:
        yield Figure(
            f"would {row['change']} help? AUC on {row['runs']} runs", "chance", row["AUC"], "0.5", row["AUC"], "", None
        )


def accuracy(text: str) -> Iterator[Figure]:
    """The measures with a goal, on the testing half."""
    head = "share (of, 95 % interval)"
    for row in (row for row in tables(text.partition("## testing")[2])[0] if row["goal"]):
        yield Figure(
            row["measure"], "", row[head], "", row[head].partition(" ")[0], row["goal"], meets(row[head], row["goal"])
        )


def linters(text: str) -> Iterator[Figure]:
    """The other linters of training logs on the testing half."""
    ours, *others = tables(text.partition("## testing")[2])[0]
    for column in list(ours)[1:]:
        for row in others:
            mine, other = number_in(ours[column]), number_in(row[column])
            yield Figure(column, row["tool"], f"{mine:g}", f"{other:g}", f"{mine - other:+.2f}", "", None)


def faults(text: str) -> Iterator[Figure]:
    """Faulty programs and their repaired twins."""
    for row in tables(text)[0]:
        result, goal = row["result"], FAULTS.get(row["measure"], "")
        share = re.search(r"\d+%", result)
        yield Figure(row["measure"], "", result, "", result, goal, meets(share[0] if share else result, goal))


def treat(text: str) -> Iterator[Figure]:
    """Changes tried on model files, and the plain search."""
    for row in tables(text)[0]:
        goal = f"≤ {row['goal']}" if row["goal"] == "0" else f"≥ {row['goal']}" if row["goal"] else ""
        yield Figure(row["measured"], "", row["result"], "", row["result"], goal, _of(row["result"], goal))


def _of(result: str, goal: str) -> bool | None:
    """`5 of 6` as a percentage where the goal is one."""
    parts = re.match(r"(\d+) of (\d+)$", result)
    if parts and goal.endswith("%"):
        return meets(f"{100 * int(parts[1]) / int(parts[2])}%", goal)
    return meets(result, goal)


def missed(figures: Sequence[Figure]) -> list[Figure]:
    """Those that do not meet their goal."""
    return [figure for figure in figures if figure.met is False]
