"""Free text with a run's numbers: printed loops, logging lines, progress bars, a framework's own output."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nndoctor.core.errors import NotALog, UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.io.source import HEAD, Source, pieces
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table, from_rows, joined
from nndoctor.readers.text.episodes import counts_episodes
from nndoctor.readers.text.preface import is_below_settings
from nndoctor.readers.text.toolkits import LIKELIHOOD

if TYPE_CHECKING:
    from nndoctor.readers.text.records import Record

MAX_PREFACE = 1 << 20  # bytes that a log may print before its first numbers
LONG_LINE = 1000  # characters; only longer lines are searched for endless numbers
ENDLESS = re.compile(
    r"\d{100,}|\s{100,}"
)  # no log prints such numbers or blanks; patterns take quadratic time over them
OTHER_LOSS = re.compile(
    r"\b(?:packets?|frame|path|insertion|hearing|blood|stop)[ _-]loss\b", re.IGNORECASE
)  # no training's
OF_MPI = re.compile(r"^\[\d+,(?:mpirank:)?\d+(?:,[\w.-]+)?\]<std(?:out|err)>:?")  # before each line, by mpirun
BETAS = re.compile(r"step=\d+, skipped=\d+, lr=\[[^\]]*\], mom=\[(\()?")
NANO = re.compile(r"^iter \d+: loss [\d.]+, time [\d.]+ms", re.MULTILINE)
EPOCH_LENGTH = re.compile(
    r"\bepoch\W{0,3}\d+(?:\s*/\s*\d+)?\W{0,5}(?:\[\s*|(?:step|batch|iter|iteration)\W{0,4})\d+\s*(?:/|of)\s*(?P<steps>\d+)(?![\w.])",
    re.IGNORECASE,
)
TURNED = "the log-likelihood of the log is read as a loss, without its minus sign"
ONE_EPOCH = re.compile(r"^Epoch 1/1\s*$", re.MULTILINE)
CUT = "the last line is incomplete and was skipped"


def sniff(source: Source) -> bool:
    """Two lines or more, each of another epoch or step, with a loss or a metric by its name."""
    if source.is_dir or not source.is_text or _is_json(source.start):
        return False
    from nndoctor.readers.text.decisive import is_log  # patterns that only a printed log needs

    if is_log(_records_of(source.start.split("\n"), source)):
        return True
    return source.size > HEAD and is_log(_records_of(source.beginning(MAX_PREFACE).split("\n"), source))


def read(source: Source) -> list[Table]:
    """One table with a row for each epoch or step in the text, and the line on which it begins."""
    from nndoctor.readers.text.decisive import has_metric, printed_digits
    from nndoctor.readers.text.ranks import lines_of_one_rank

    parts: list[Table] = []
    digits: list[int] = []
    before = 0
    silent: tuple[int, int] | None = None
    for text in pieces(source):
        voice = lines_of_one_rank(text.split("\n"), has_metric)
        lines = voice.lines
        found = _records_of(lines, source)
        silent = voice.stopped_rank and (voice.stopped_rank[0], before + voice.stopped_rank[1])
        cut = _ends_within_a_record(found, lines)
        found = found[: len(found) - cut]
        notes = (*((CUT,) if cut else ()), *((TURNED,) if not before and LIKELIHOOD.search(source.start) else ()))
        if found:
            at = [record.line + before for record in found]
            parts.append(from_rows([record.row for record in found], "text", at, notes=notes))
            digits.append(printed_digits(found))
        before += text.count("\n")
    if not parts:
        raise UnreadableLog(
            f"{source.path} has no line with a loss or a metric; expected 'epoch 1 loss 0.5' or the like"
        )
    whole = joined(parts)
    facts = {**whole.facts, **_said_at_the_start(source.start)}
    if digits[0] and len(digits) == 1:
        facts["printed_digits"] = Fact(digits[0])
    if silent:
        facts["silent_rank"] = Fact(*silent)
    return [replace(whole, facts=facts)]


def _ends_within_a_record(found: Sequence[Record], lines: Sequence[str]) -> bool:
    """Whether the last record is on the last line, which has no end, and lacks what the record before it holds."""
    at_end = len(found) > 2 and found[-1].line == len(lines) and bool(lines[-1].strip())
    return at_end and _is_cut(found[-1].row, found[-2].row)


def _said_at_the_start(start: str) -> dict[str, Fact]:
    """The framework, the steps of an epoch, and whether the steps are episodes, or fits of one epoch in a loop."""
    length = EPOCH_LENGTH.search(start)
    counted = {"counts_episodes": Fact(True)} if counts_episodes(start) else {}
    if len(ONE_EPOCH.findall(start)) > 1:
        counted["fits_of_one_epoch"] = Fact(True)
    return {**_framework(start), **counted, **({"steps_per_epoch": Fact(int(length["steps"]))} if length else {})}


def _framework(start: str) -> dict[str, Fact]:
    """The framework by its own lines; DeepSpeed prints each parameter group's momentum, and a pair of them is that of Adam."""
    if found := BETAS.search(start):
        return {"framework": Fact("DeepSpeed"), **({"optimizer": Fact("adam")} if found[1] else {})}
    return {"framework": Fact("nanoGPT")} if NANO.search(start) else {}


def _records_of(lines: Sequence[str], source: Source) -> list[Record]:
    """The records of some lines, or of their progress bars if the lines alone are not a log, or only a few results."""
    from nndoctor.readers.text.bars import bar_records
    from nndoctor.readers.text.decisive import are_few, is_log
    from nndoctor.readers.text.examples import is_of_examples
    from nndoctor.readers.text.records import records
    from nndoctor.readers.text.scales import scale_records

    lines = _in_one_spelling(lines, source.start)
    found = records(lines)
    said = is_log(found)
    if said and is_of_examples(found, lines):
        raise NotALog(
            f"{source.path} has the scores of another file or class on each line, so it is not the log of a training"
        )
    if said and not are_few(found):
        return _of_training(found, lines, source)
    bars = bar_records(lines) if any(sign in source.start for sign in ("|", "ETA: ", "it/s", "s/it")) else []
    if is_log(bars) and (not said or len(bars) > len(found)):
        return _of_training(bars, lines, source)
    return found if said else scale_records(lines) or found


def _of_training(found: list[Record], lines: Sequence[str], source: Source) -> list[Record]:
    """The records; raises NotALog where they are the episodes that an evaluation plays."""
    from nndoctor.readers.text.examples import is_of_evaluated_episodes

    if is_of_evaluated_episodes(found, lines):
        raise NotALog(f"{source.path} has the episodes of an evaluation, so it is not the log of a training")
    return found


def _in_one_spelling(lines: Sequence[str], start: str) -> Sequence[str]:
    """The lines as most frameworks write them, for a log that begins with a text."""
    from nndoctor.readers.text.counts import counts_epochs, with_epoch
    from nndoctor.readers.text.dialects import comma_decimals, trees_rise, with_points, with_scores
    from nndoctor.readers.text.sklearn_scores import are_scores, with_named_scores

    lines = [ENDLESS.sub(" ? ", line) if len(line) > LONG_LINE else line for line in lines]
    if "]<std" in start:
        lines = [OF_MPI.sub("", line) for line in lines]
    if OTHER_LOSS.search(start):
        lines = [OTHER_LOSS.sub("?", line) for line in lines]
    if comma_decimals(start):
        lines = list(map(with_points, lines))
    if "learn: " in start and trees_rise(start):
        lines = list(map(with_scores, lines))
    if are_scores(start):
        lines = with_named_scores(lines)
    if counts_epochs(start):
        lines = list(map(with_epoch, lines))
    return lines


def _is_cut(last: dict[str, object], other: dict[str, object]) -> bool:
    return len(last) < len(other) and list(last) == list(other)[: len(last)]


def _is_json(start: str) -> bool:
    start = start.lstrip()
    if start.startswith("["):
        return start[1:].lstrip()[:1] in ("{", "[", '"')
    return not is_below_settings(start) and start.startswith("{") and not start.startswith(("{'", "{\u2018"))


READER = Reader(
    "text",
    "free text: print loops, logging lines, Keras fit output, nanoGPT, llm.c, OLMo, Megatron, Caffe, mmdet, Flair, nnU-Net",
    sniff,
    read,
)
