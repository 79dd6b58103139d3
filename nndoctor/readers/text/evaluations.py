"""Evaluations that are printed as training is, below a line that announces them (Paddle's high-level API, BERT's scripts)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from nndoctor.readers.vocabulary.names import meaning_of

BEGINS = re.compile(r"^\W*Eval begin\b", re.IGNORECASE)
ENDS = re.compile(r"^\W*(?:Eval samples\b|Epoch\W+\d)", re.IGNORECASE)
EPOCH = re.compile(r"^\W*Epoch\W+(?P<epoch>\d+)\b", re.IGNORECASE)
STEP = re.compile(r"^\s*step\s+(?P<done>\d+)/(?P<total>\d+)\s+(?:\[[^\]]*\]\s+)?-\s+(?P<rest>.*)", re.IGNORECASE)
RESULTS = re.compile(r"\*{3,}\s*(?P<split>eval|evaluation|validation|dev|test)\s+results?\b", re.IGNORECASE)
RESULT = re.compile(
    r"(?<!\S)(?P<name>[A-Za-z][\w/@.-]*)\s+=\s+(?P<value>[-+]?[\d.]+(?:e[-+]?\d+)?|nan|inf)\s*$", re.IGNORECASE
)


def results_joined(lines: Iterable[str]) -> Iterator[str]:
    """The lines; those below `***** Eval results *****` as one, on the last of them: the step stands between their metrics."""
    split = ""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        if split and (found := RESULT.search(line)):
            pairs.append((found["name"], found["value"]))
            continue
        yield from _of_results(split, pairs)
        announced = RESULTS.search(line) if "***" in line else None
        split, pairs = announced["split"] if announced else "", []
        yield line
    yield from _of_results(split, pairs)


def _of_results(split: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Empty lines and the joined one."""
    if pairs:
        yield from [""] * (len(pairs) - 1)
        yield evaluated(split, pairs)


def evaluated(split: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The metrics of an evaluation in one line; a bare loss next to that of the split repeats it, or is that of training so far."""
    meanings = {name: meaning_of(name) for name, _ in pairs}
    of_split = any(meaning.metric == "loss" and meaning.split for meaning in meanings.values())
    kept = [(name, value) for name, value in pairs if not (of_split and name == "loss")]
    bare = {name for name, meaning in meanings.items() if meaning.is_metric and not meaning.split}
    return ", ".join(f"{split} {name} = {value}" if name in bare else f"{name} = {value}" for name, value in kept)


def evaluations_named(lines: Iterable[str]) -> Iterator[str]:
    """The lines; of an evaluation only the last, its numbers as those of validation at the epoch."""
    epoch, evaluating = "", False
    for line in lines:
        if found := EPOCH.match(line):
            epoch = found["epoch"]
        evaluating = BEGINS.match(line) is not None or (evaluating and ENDS.match(line) is None)
        step = STEP.match(line) if evaluating and epoch else None
        yield line if step is None else _of_validation(step, epoch)


def _of_validation(step: re.Match[str], epoch: str) -> str:
    """The last line of an evaluation; the empty text for the others, which tell of a part of the set."""
    if step["done"] != step["total"]:
        return ""
    return f"Epoch {epoch} " + ", ".join(f"val {pair.strip()}" for pair in step["rest"].split(" - ") if ": " in pair)
