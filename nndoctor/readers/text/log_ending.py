"""How a printed log ends: error messages below its last numbers, and the loss scales that half precision gave up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from nndoctor.core.run import Fact
from nndoctor.readers.io.source import ESCAPES, LARGE_TEXT, PIECE, Source
from nndoctor.readers.tables.table import Table
from nndoctor.readers.text.commands import commanded_rates
from nndoctor.readers.text.marks import EPOCH
from nndoctor.readers.text.resumes import begun_lines, resume_lines

TAIL_BYTES = 1 << 16  # bytes at the end that are searched for an error message
MAX_CHARACTERS = 300  # characters of a line that are kept
MAX_CUTS = 10_000  # reductions of the loss scale that are kept

ENDINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "out_of_memory",
        re.compile(
            r"out of memory|OutOfMemory|RESOURCE_?EXHAUSTED|ResourceExhausted|ALLOC_FAILED|oom[-_ ]?kill|bad_alloc"
            r"|cannot allocate memory|can't allocate memory|\bMemoryError\b|not enough memory",
            re.IGNORECASE,
        ),
    ),
    ("minimum_loss_scale", re.compile(r"minimum loss scale|loss scale (?:is )?already at minimum", re.IGNORECASE)),
    (
        "loss_not_finite",
        re.compile(
            r"loss (?:is|was|became|becomes|=|:)?\s*(?:now )?[-+]?(?:nan|inf(?:inite|inity)?)\b|invalid loss, terminating"
            r"|(?:nan|non-?finite|infinite|inf) (?:loss|gradient|value)s?\b|loss is not finite|loss (?:has )?(?:diverged|exploded)"
            r"|(?:nan|inf)s? (?:or \w+ )?(?:was |were |has been )?(?:detected|encountered|found\b(?! in input tensor))|ModelDivergedError",
            re.IGNORECASE,
        ),
    ),
    (
        "no_progress",
        re.compile(
            r"\bno progress\b|\b(?:has|have) not (?:reported|responded)|heartbeat\w* (?:timed out|timeout|missed|lost|expired)|missed \d* ?heartbeats?"
            r"|\brank \d+\W+(?:is |seems |appears )?(?:not responding|unresponsive|hung|stuck|stalled|missing)|\bhang detected|(?:training|job|process|run) (?:is |seems |appears )?(?:hung|stuck|stalled)",
            re.IGNORECASE,
        ),
    ),
    (
        "process_error",
        re.compile(
            r"^Traceback \(most recent call last\)|NCCL (?:timeout|error|failure)|nccl\w*Error|collective operation timeout|^\s*\w+(?:Error|Exception)\s*$"
            r"|\b[A-Za-z_]*(?:Error|Exception)\s*[:(](?!\s*[-+.\d])"
            r"|segmentation fault|core dumped|^Killed\b|SIG(?:TERM|KILL|SEGV|ABRT)\b|device-side assert|\bassert\w* failed"
            r"|ChildFailedError|bus error|DUE TO TIME LIMIT|slurmstepd: error|exited with code [1-9]|fatal error",
            re.MULTILINE,
        ),
    ),
)
"""What the last lines say, the most specific first; the fact is `ended:<name>`."""

BOOSTING = re.compile(r"^\s*\d+:\s+learn: |^\[\d+\]\s+[\w']*(?:train|valid|eval|test)[\w' -]*:", re.MULTILINE)
# Ray's advice.
HEDGED = re.compile(r"(?:some )?(?:common|potential|possible)(?: root)? (?:causes|reasons)\b.*", re.IGNORECASE)
STOPPED_BY_USER = re.compile(r"KeyboardInterrupt")
SCALE_CUT = re.compile(
    r"(?:ttempted loss scale:? (?P<before>\d+\.?\d*(?:e[-+]?\d+)?), )?(?:reducing(?: loss scale)? to|setting loss scale to):?\s*(?P<scale>\d+\.?\d*(?:e[-+]?\d+)?)"
)


def with_ending(source: Source, tables: Sequence[Table]) -> list[Table]:
    """The tables of a printed log, the last one with what the text says of the run's end among its facts."""
    if not tables or tables[-1].lines is None or not len(tables[-1].lines):
        return list(tables)
    last = tables[-1]
    lines = np.unique(last.lines) if last.lines is not None else np.zeros(1)
    before = (
        int(lines[-2]) if len(lines) > 1 else 0
    )  # an error message may itself name a step, and count as the last record
    found = {
        **_boosted(source),
        **_planned(source),
        **_ended(source, before),
        **_scale_cuts(source),
        **resume_lines(source),
        **begun_lines(source),
        **commanded_rates(source),
    }
    return [*tables[:-1], replace(last, facts={**last.facts, **found})] if found else list(tables)


def _boosted(source: Source) -> dict[str, Fact]:
    """The kind of training, where the lines are those of a boosting library."""
    return {"workload": Fact("boosting")} if BOOSTING.search(source.start) else {}


def _planned(source: Source) -> dict[str, Fact]:
    """How many epochs the run is to have, by its first `epoch 1/100`."""
    found = EPOCH.search(source.start)
    return {"planned_epochs": Fact(int(found["epoch_end"]))} if found and found["epoch_end"] else {}


def _ended(source: Source, last_record: int) -> dict[str, Fact]:
    """The first line of each kind of error below the last record, by the kind, with its line number."""
    below = [(number, HEDGED.sub("", ESCAPES.sub("", text))) for number, text in _tail(source, last_record)]
    if any(STOPPED_BY_USER.search(text) for _, text in below):
        return {}
    found: dict[str, Fact] = {}
    for name, pattern in ENDINGS:
        hits = [(number, text) for number, text in below if pattern.search(text)]
        if hits:
            number, text = hits[-1] if name == "process_error" else hits[0]
            found[f"ended:{name}"] = Fact(text.strip()[:MAX_CHARACTERS], number)
    return found


def _tail(source: Source, after: int) -> Iterator[tuple[int, str]]:
    """The numbered lines in the last bytes of a file that come after a line; of UTF-16, whose newlines are two bytes, of the whole text."""
    if source.encoding.startswith("utf-16"):
        yield from enumerate(source.text().split("\n")[after:], after + 1)
        return
    left = max(source.size - TAIL_BYTES, 0)
    first = 1
    with source.open() as file:
        while left and (block := file.read(min(left, PIECE))):
            first += block.count(b"\n")
            left -= len(block)
        tail = file.read()
    for number, line in enumerate(tail.decode(source.encoding, errors="replace").split("\n"), first):
        if number > after:
            yield number, line


def _scale_cuts(source: Source) -> dict[str, Fact]:
    """The loss scale before the first cut, and those that the log says it fell back to, in order."""
    if source.size > LARGE_TEXT:
        return {}
    text = source.text()
    found = list(SCALE_CUT.finditer(text))[:MAX_CUTS] if "to" in text else []
    if not found:
        return {}
    cuts = [float(cut["scale"]) for cut in found]
    before = float(found[0]["before"] or 2 * cuts[0])
    moved = [k for k, cut in enumerate(found) if not cut["before"] or float(cut["before"]) != cuts[k]]
    stuck = len(cuts) - (moved[-1] + 1 if moved else 0)  # overflows at the end that lower the scale no further
    line = text.count("\n", 0, found[0].start()) + 1
    return {"loss_scale_cuts": Fact((before, *cuts), line), **({"loss_scale_stuck": Fact(stuck)} if stuck else {})}
