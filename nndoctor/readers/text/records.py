"""From the lines of a free-text log to records: one row for the numbers of each epoch or step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nndoctor.readers.text.between_runs import settings_below
from nndoctor.readers.text.conlleval import entities_scored
from nndoctor.readers.text.darknet import regions_joined
from nndoctor.readers.text.dialects import plain, second_bars_named, single_epochs_counted
from nndoctor.readers.text.drawings import drawings
from nndoctor.readers.text.evaluations import evaluations_named, results_joined
from nndoctor.readers.text.headings import heading
from nndoctor.readers.text.pairs import Line, known
from nndoctor.readers.text.pasted import cleaned
from nndoctor.readers.text.repeats import add_quoted, without_repeats
from nndoctor.readers.text.shapes import parse
from nndoctor.readers.text.tables import named_above, rows_as_pairs
from nndoctor.readers.text.tiers import MIN_EPOCHS, one_tier, series_of, without_parts
from nndoctor.readers.text.vectors import vectors_summed
from nndoctor.readers.vocabulary.english import in_english
from nndoctor.readers.vocabulary.names import WITHOUT_SPLIT, Kind, meaning_of
from nndoctor.readers.vocabulary.tasks import task

MAX_UNKNOWN = 64  # names kept that the vocabulary does not know
# Names in the summary that the Hugging Face trainer prints after the run.
AFTER_THE_RUN = frozenset({"train_runtime", "train_samples_per_second"})
DIGIT = re.compile(r"\d")
WORD_FOR_NONE = re.compile(r"nan|\binf(?:inity)?\b", re.IGNORECASE)
QUOTES = re.compile(
    r"best iteration is:?\s*$", re.IGNORECASE
)  # LightGBM says one of its rounds below it, printed before or not


NONE: frozenset[str] = frozenset()
OWN: dict[tuple[str, ...], frozenset[str]] = {
    kinds: frozenset(kinds) for kinds in (("epoch",), ("step",), ("epoch", "step"), ("step", "epoch"))
}  # one each


@dataclass(slots=True)
class Record:
    """One epoch or step as it is gathered.

    `own` are the marks that it does not inherit, `total` the length of its progress bar and `drawn` the name of that bar,
    `aside` the names that stand on lines without a mark; once `closed`, no other bar is taken. `again` marks one that repeats the names of its epoch.
    """

    marks: dict[str, str]
    own: frozenset[str]
    line: int
    values: dict[str, object] = field(default_factory=dict)
    total: int = 0
    drawn: str = ""
    closed: bool = False
    aside: frozenset[str] = NONE
    again: bool = False

    @property
    def row(self) -> dict[str, object]:
        """The record as a row of a table."""
        return {**self.marks, **self.values}


def records(lines: Iterable[str]) -> list[Record]:
    """The records of a log, in order. Where lines are marked by epoch or step, what is not is left out."""
    found: list[Record] = []
    epoch: dict[str, str] = {}
    under = ""
    for number, text, above, quoted in _with_numbers(lines):
        under = above or under
        if quoted:
            add_quoted(found, parse(text), number)
            continue
        for drawn in drawings(text):
            line = parse(drawn, under)
            if not AFTER_THE_RUN.isdisjoint(line.pairs):
                continue
            if line.marks:
                line, under = (line if not under or _repeats(found, line, drawn) else parse(drawn)), ""
            if "epoch" in line.marks:
                epoch = {"epoch": line.marks["epoch"]}
            _take(found, line, number, epoch)
    found = _first_as_later(found)
    found = without_repeats([record for record in found if _informative(record.values)])
    marked = [record for record in found if record.own]
    if len(marked) > 1:
        found = settings_below(marked, first=found[0])
    return _few_unknown(_repeated(one_tier(_placed(found))))


def _with_numbers(lines: Iterable[str]) -> Iterator[tuple[int, str, str, bool]]:
    """The lines that may say a number, counted from 1, each with the heading that was read since the one before, and whether it is quoted."""
    joined = entities_scored(results_joined(regions_joined(map(cleaned, lines))))
    named = second_bars_named(single_epochs_counted(evaluations_named(joined)))
    under, quoted = "", False
    for number, text in enumerate(map(in_english, plain(rows_as_pairs(named_above(vectors_summed(named))))), 1):
        if not _has_number(text):
            under, quoted = heading(text) or under, QUOTES.search(text) is not None
        else:
            yield number, text, under, quoted
            under, quoted = "" if not quoted else under, False


def _repeats(found: list[Record], line: Line, text: str) -> bool:
    """Whether a line below a heading says again what the record of its epoch or step says: it is of the heading's split."""
    if not found or found[-1].marks != line.marks:
        return False
    return any(map(known, found[-1].values.keys() & parse(text).pairs.keys()))


def _has_number(text: str) -> bool:
    """Whether a line may say a number: it has a digit or a word for what is none."""
    return DIGIT.search(text) is not None or WORD_FOR_NONE.search(text) is not None


def _placed(found: list[Record]) -> list[Record]:
    """An epoch's own record, of which the one below it alone says the step that it ended on, is one with that; so is a heading that says its rate."""
    held = Counter(record.marks.get("epoch") for record in found)
    placed: list[Record] = []
    for record in found:
        if placed and _is_one(placed[-1], record, held):
            placed[-1].marks, placed[-1].own = record.marks, record.own
            placed[-1].values.update(record.values)
        else:
            placed.append(record)
    return placed


def _is_one(above: Record, record: Record, held: Mapping[str | None, int]) -> bool:
    """Whether a record says the step of its epoch's own record above it; `held` counts the records of each epoch."""
    epoch = record.marks.get("epoch")
    if epoch is None or above.marks != {"epoch": epoch} or "step" not in record.own:
        return False
    return (held[epoch] == 2 or _is_of_rates(above)) and above.values.keys().isdisjoint(record.values)


def _is_of_rates(record: Record) -> bool:
    """Whether all that a record says is the rate, the time or the like, and neither a loss nor a metric."""
    return all(meaning_of(name).metric in WITHOUT_SPLIT for name in record.values if known(name))


def _first_as_later(found: list[Record]) -> list[Record]:
    """Lines without a mark that say a name of their epoch again are left out; of the first epoch that is known only later."""
    if len({tuple(record.marks.items()) for record in found if record.own}) < 2:
        return found
    kept: list[Record] = []
    for record in found:
        if record.again and kept:
            kept[-1].values = {**record.values, **kept[-1].values}
        else:
            kept.append(record)
    return kept


def _repeated(found: list[Record]) -> list[Record]:
    """A number that occurs once, on a line without a mark, describes the whole run; a final test is kept."""
    found = without_parts(found)
    held = Counter(name for record in found for name in record.values)
    for record in found:
        kept = {name for name in record.aside if known(name) and meaning_of(name).split == "test"}
        once = {name for name in record.aside - kept if held[name] == 1 and len(found) > MIN_EPOCHS}
        record.values = {name: value for name, value in record.values.items() if name not in once}
    return found


def _informative(pairs: Mapping[str, object]) -> bool:
    """Whether one of the names is understood, or they are those of a game or of the two sides of a GAN."""
    return any(map(known, pairs)) or (len(pairs) > 1 and task(tuple(pairs)) is not None)


def _take(found: list[Record], line: Line, number: int, epoch: Mapping[str, str]) -> None:
    """Add what a line says to the record it belongs to, or to a new one."""
    if line.marks and not (found and _of(found[-1], line)):
        found.append(Record({**epoch, **line.marks}, OWN[tuple(line.marks)], number))
    pairs = dict(line.pairs) if _informative(line.pairs) else {}  # else it is prose
    if found and not pairs:
        _add_aside(found[-1], line)
    if _follows_losses(found, line):
        pairs = {_as_accuracy(name): value for name, value in pairs.items()}
    if line.bar is not None and (found or pairs):
        _draw(found, line, line.bar, pairs, number)
    elif pairs:
        _add(found, pairs, number, marked=bool(line.marks))


def _as_accuracy(name: str) -> str:
    return f"{name.removesuffix('loss')}accuracy" if name.endswith("loss") else name


def _follows_losses(found: list[Record], line: Line) -> bool:
    """Whether the shares of a line without marks belong to a record that has its losses already."""
    if not (line.shares and found) or line.marks:
        return False
    return any(series_of(name) == ("train", "loss") for name in found[-1].values)


def _add_aside(record: Record, line: Line) -> None:
    """Add the epoch or step that a record names on a line below, or the speed and memory of a marked one."""
    for name, value in line.pairs.items():
        meaning = meaning_of(name)
        if meaning.is_axis if not record.own else (meaning.kind is Kind.MACHINE and line.bar is None):
            record.values.setdefault(name, value)


def _draw(found: list[Record], line: Line, bar: tuple[int, int], pairs: Mapping[str, object], number: int) -> None:
    """A bar counts once it is full. A second one of the same epoch shows that something else is evaluated.

    The epoch's own bar is drawn full again behind that, with what was found (Lightning).
    """
    here = found[-1] if found else Record({}, NONE, number)
    done, total = bar
    again = bool(line.marks and line.drawn) and line.drawn == here.drawn
    if done < total:
        here.closed = here.closed or here.total > 0
        here.drawn = "" if again else here.drawn  # it begins once more, so it is another one
    elif pairs and (again or _is_next(here, total)):
        here.total, here.line, here.drawn = total, number, line.drawn
        here.values.update(pairs)
        if not found:
            found.append(here)
    elif pairs and here.total not in (0, total) and all(meaning_of(name).split for name in filter(known, pairs)):
        here.values.update(pairs)  # the bar of an evaluation that says so


def _is_next(here: Record, total: int) -> bool:
    """Whether a full bar may be the record's own: no other has begun since."""
    return not here.closed and here.total in (0, total)


def _add(found: list[Record], pairs: dict[str, object], number: int, *, marked: bool) -> None:
    if not found:
        found.append(Record({}, NONE, number))
    here = found[-1]
    if any(map(known, pairs.keys() & here.values.keys())):
        if here.total or (not marked and len(found) > 1 and found[-2].marks != here.marks):
            pairs = {name: value for name, value in pairs.items() if name not in here.values}  # a summary of the run
        else:
            here = Record(dict(here.marks), here.own, number, again=not marked and bool(here.own))
            found.append(here)
    if not here.values:
        here.line = number
    if not marked:
        here.aside |= pairs.keys()
    for name, value in pairs.items():
        here.values.setdefault(name, value)


def _of(here: Record, line: Line) -> bool:
    """Whether a marked line belongs to this record: the same epoch and step, and not the epoch's own line after a step."""
    same = all(here.marks.get(kind) == at for kind, at in line.marks.items())
    return same and ("step" in line.marks or "step" not in here.own)


def _few_unknown(found: list[Record]) -> list[Record]:
    names = dict.fromkeys(name for record in found for name in record.values)
    unknown = [name for name in names if not known(name)]
    if len(unknown) > MAX_UNKNOWN:
        left_out = frozenset(unknown[MAX_UNKNOWN:])
        for record in found:
            record.values = {name: value for name, value in record.values.items() if name not in left_out}
    return found
