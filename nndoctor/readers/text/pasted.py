"""Lines put into the form that the other modules read: as they were before pasting, and without a batch's zeros."""

from __future__ import annotations

import re
from itertools import pairwise

MIN_RECORDS = 3  # records on one line that show that its line breaks were lost
STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
REMARK = re.compile(r"\s*(?:<[-=]{2,}|\u2190).*$")
TENSOR = re.compile(
    r"(?:\b(?:tf\.)?tensor|\b(?:np\.|jnp\.|numpy\.|device)?array)\(\s*\[?\s*([-+]?[\d.]+(?:e[-+]?\d+)?|[-+]?(?:nan|inf))\.?\s*\]?(?:\s*,[^()]*(?:\([^()]*\)[^()]*)?)?\)",
    re.IGNORECASE,
)
WENET = re.compile(r"\b(?P<split>TRAIN|CV) Batch (?P<epoch>\d+)/(?P<step>\d+)(?= .*\bloss )")
SOURCE_LINE = re.compile(
    r"(?<=\| )[\w.<>]+:(?:[\w<>]+:)?\d+ - |(?<![\w\[/(.])\w+\.py:\d+(?:\[\d+\])?:? "
)  # loguru, logging
MODULE = re.compile(r"\(\w+:\d+\) (?=(?:INFO|WARNING): )")  # ESPnet
REPLY = re.compile(r"^\s{0,3}>\s+(?![-+]?\d+\.?\d*\s*$)")  # before each line that an e-mail or a comment quotes
# `[Loss] 0.41 | [step] 30`
BRACKETED = re.compile(r"\[(?P<name>[A-Za-z][\w ]{0,30})\](?=\s+[-+]?(?:\d|nan\b|inf\b))", re.IGNORECASE)
MIN_BRACKETED = 2  # such names in a line; one may be a logger's level
BOLD = re.compile(r"(?<!\*)\*\*(?!\*)")
LOGGED = re.compile(r"^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]+:\s*")  # as logging does without a format
ZERO_OF_BATCH = re.compile(r"\b(?P<name>(?:acc|prec|top)[-@]?[15]:?\s+)0\.0+\s*\((?P<mean>\d+\.\d+)\)", re.IGNORECASE)
WINDOWS_NAN = re.compile(
    r"(?<![\w.])[-+]?1\.?#(?P<kind>QNAN|SNAN|IND|INF)0*(?!\w)|-?nan\((?:ind|snan)\)", re.IGNORECASE
)
SPLIT = "train(?:ing)?|val(?:id(?:ation)?)?|dev|test"
# `loss[train]: 0.5`
IN_BRACKETS = re.compile(rf"\b(?P<name>[A-Za-z]\w*)\[(?P<split>{SPLIT})\](?=\s*[:=])", re.IGNORECASE)
PRINTED = r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?\s?%?|nan"
# `loss: 0.41 (train) / 0.52 (val)`
BEHIND_EACH = re.compile(
    rf"(?<!\w)(?P<name>[A-Za-z]\w*(?: \w+)?)\s*[:=]?\s+(?P<first>{PRINTED})\s*\((?P<one>{SPLIT})\)\s*[/,|]?\s*(?P<second>{PRINTED})\s*\((?P<other>{SPLIT})\)",
    re.IGNORECASE,
)
IN_TUPLE = re.compile(rf"\(\s*'(?P<name>[\w ./-]+)'\s*,\s*(?P<value>{PRINTED})\s*\)", re.IGNORECASE)
RATES = re.compile(r"\blr:\s?\(\s*([\d.]+(?:e[-+]?\d+)?)\s*,[^()]*\)")  # BasicSR: one of each group
NORM = re.compile(r"\| norm: (?=[\d.naif]+ \|.*\btok/s)")  # of the gradient, as build-nanogpt prints it
THOUSANDS = re.compile(r"\bstep:(?P<count>\d+(?:\.\d+)?)K\b")  # LeRobot
BREAKS = (
    re.compile(r"\s+(?=\[?\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d)"),  # a logger's time stamp
    re.compile(r"(?<=\})\s*(?=\{['\"]\w)"),  # dictionaries
)
EPOCHS = re.compile(
    r"(?<!so far:)(?<!\bbest)(?<!\bbest:)(?<!\bat)(?<!\bin)(?<!\bof)(?<!\bfrom)(?<!\bsince)(?<!\bafter)\s+(?=\[?epoch[\s:#\[]+(?P<epoch>\d+))",
    re.IGNORECASE,
)  # not of `Best so far: epoch 3`, which names another


def cleaned(line: str) -> str:
    """A line with straight quotes, numbers for tensors of one element, and without a remark behind an arrow.

    >>> cleaned("{\u2018loss\u2019: tensor([0.5], device='cuda:0')}  <-- here")
    "{'loss': 0.5}"
    """
    if not line.isascii():
        line = line.translate(STRAIGHT)
    line = LOGGED.sub("", _plainly(_unquoted(line)), count=1)
    if "(" in line or "[" in line:
        line = _with_splits_in_front(line)
    if "<" in line or "\u2190" in line:
        line = REMARK.sub("", line)
    if "**" in line:
        line = BOLD.sub("", line)
    if "ensor(" in line or "rray(" in line:
        line = TENSOR.sub(r"\1", line)
    if " Batch " in line and (found := WENET.search(line)):
        if found["split"] == "CV":
            return ""  # of one batch of many; the epoch's line has the mean
        line = f"{line[: found.start()]}epoch {found['epoch']} batch {found['step']} train{line[found.end() :]}"
    if "0 (" in line:
        line = ZERO_OF_BATCH.sub(r"\g<name>\g<mean>%", line)  # a batch of a thousand classes is often all wrong
    if "step:" in line and (found := THOUSANDS.search(line)):
        line = f"{line[: found.start()]}step:{1000 * float(found['count']):.0f}{line[found.end() :]}"
    return line


def _unquoted(line: str) -> str:
    """A line without the sign in front of a quotation, and with names in brackets as those of pairs."""
    if ">" in line:
        line = REPLY.sub("", line, count=1)
    if "| [" in line and len(BRACKETED.findall(line)) >= MIN_BRACKETED:
        line = BRACKETED.sub(r"\g<name>: ", line)
    return line


def _with_splits_in_front(line: str) -> str:
    """A line with the split of a number before its name, and the pairs of an OrderedDict as those of a dictionary."""
    if "](" not in line and "]" in line:
        line = IN_BRACKETS.sub(r"\g<split> \g<name>", line)
    if "OrderedDict([" in line:
        line = IN_TUPLE.sub(r"'\g<name>': \g<value>", line)
    if ")" in line:
        line = BEHIND_EACH.sub(r"\g<one> \g<name>: \g<first>, \g<other> \g<name>: \g<second>", line)
    return line


def _plainly(line: str) -> str:
    """A line with NaN and infinity in plain words where Windows prints them, with one rate of its groups, and without the place in the program that logs it."""
    if "1.#" in line or "nan(" in line:
        line = WINDOWS_NAN.sub(lambda found: "inf" if (found["kind"] or "").upper() == "INF" else "nan", line)
    if "lr:" in line:
        line = RATES.sub(r"lr: \1", line)
    if "| norm: " in line:
        line = NORM.sub("| grad_norm: ", line)
    if ") INFO: " in line or ") WARNING: " in line:
        line = MODULE.sub("", line, count=1)
    return SOURCE_LINE.sub("", line) if " - " in line or ".py:" in line else line


def broken(line: str) -> list[str]:
    """The records of a line whose line breaks were lost; the line itself where it is one record.

    >>> broken("{'loss': 0.5} {'loss': 0.4} {'loss': 0.3}")
    ["{'loss': 0.5}", "{'loss': 0.4}", "{'loss': 0.3}"]
    """
    for pattern in BREAKS:
        pieces = pattern.split(line)
        if len(pieces) >= MIN_RECORDS:
            return pieces
    starts = {found["epoch"]: found.start() for found in reversed(list(EPOCHS.finditer(line)))}
    if len(starts) < MIN_RECORDS - 1:
        return [line]
    cuts = [0, *sorted(starts.values()), len(line)]
    return [line[a:b] for a, b in pairwise(cuts) if line[a:b].strip()]
