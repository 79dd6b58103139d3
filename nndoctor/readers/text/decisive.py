"""Whether records of a text are those of a log: what names and values are wanted, and how often."""

from __future__ import annotations

import re
from collections import Counter

from nndoctor.readers.semantics.single_row import proves_a_fault
from nndoctor.readers.tables.cells import number_or_nan
from nndoctor.readers.text.records import Record
from nndoctor.readers.text.scales import NAME
from nndoctor.readers.text.shapes import parse
from nndoctor.readers.vocabulary.names import WITHOUT_SPLIT, meaning_of
from nndoctor.readers.vocabulary.tasks import task

MIN_JUDGED = 5  # records that rules judge
MIN_ALIKE = 3  # records of one shape that make a log
NOT_FINITE = frozenset({"nan", "inf", "infinity", "nan.0", "inf.0"})
MIN_IN_ROW = 3  # numbers of a row
NO_DIGIT = re.compile(r"[^0-9]")
NOT_DECISIVE = frozenset({"lr", "grad_norm", "epoch_time", "loss_scale", "nan_iterations", "skipped_iterations"})


def has_metric(text: str) -> bool:
    """Whether a line holds a loss or a metric by its name."""
    return any(map(_is_metric, parse(text).pairs))


def is_log(found: list[Record]) -> bool:
    """Whether these records are a log: one loss or metric in two of them, the two sides of a GAN, a reward, or a row that proves a fault.

    Where no line is marked by epoch or step, three records of one shape are wanted: prose and settings have none.
    """
    if _is_enough(found):
        return True
    if len(found) < 2:
        return any(map(_proves_a_fault, found))
    if not any(record.own for record in found):
        shapes = Counter(tuple(filter(_is_metric, record.values)) for record in found)
        shape, count = shapes.most_common(1)[0]
        return (
            count >= MIN_ALIKE and 2 * count > len(found) and (bool(shape) or task(list(found[0].values)) is not None)
        )
    occurrences = Counter(
        what
        for record in found
        for what in {_series_of(n) for n, value in record.values.items() if _is_metric(n) or _is_nan_gradient(n, value)}
    )
    return max(occurrences.values(), default=0) > 1 or task(list(found[0].values)) is not None


def _series_of(name: str) -> tuple[str, str]:
    """The split and the metric of a name, or the name itself where there is none.

    A name without a split is that of training: fairseq logs `loss` within an epoch and `train loss` at its end.
    """
    meaning = meaning_of(name)
    if not meaning.metric:
        return "", name
    return "" if meaning.metric in WITHOUT_SPLIT else meaning.split or "train", meaning.metric


def are_few(found: list[Record]) -> bool:
    """Whether these are too few to judge a run by, and none has a loss: the results of some evaluations."""
    return len(found) < MIN_JUDGED and not any(
        meaning_of(name).metric == "loss" for one in found for name in one.values
    )


def printed_digits(found: list[Record]) -> int:
    """How many significant digits a training loss is printed with that is spelled the same in all records (4 of `4.600`); else 0."""
    spelled: dict[str, set[object]] = {}
    for record in found:
        for name, value in record.values.items():
            spelled.setdefault(name, set()).add(value)
    constant = (str(next(iter(values))) for name, values in spelled.items() if len(values) == 1 and _is_loss(name))
    return max((len(NO_DIGIT.sub("", text.lower().partition("e")[0]).lstrip("0")) for text in constant), default=0)


def _is_loss(name: str) -> bool:
    meaning = meaning_of(name)
    return meaning.metric == "loss" and meaning.split in ("", "train")


def _is_enough(found: list[Record]) -> bool:
    """Whether a loss is lost in one of the records, or all of them are cuts of the loss scale, which no other log is."""
    return any(map(_is_lost, found)) or (bool(found) and all(record.values.keys() == {NAME} for record in found))


def _is_lost(record: Record) -> bool:
    """Whether a record says its epoch or step, and that a loss or the gradient norm is NaN or infinite there: one such line is enough to report.

    Prose says that of a gradient norm, too, and has fewer numbers than a row.
    """
    lost = [name for name, value in record.values.items() if str(value).lower().lstrip("+-") in NOT_FINITE]
    metrics = {meaning_of(name).metric for name in lost}
    row = len(record.values) >= MIN_IN_ROW and "grad_norm" in metrics
    return bool(record.own) and (row or any(metric.endswith("loss") for metric in metrics))


def _proves_a_fault(record: Record) -> bool:
    """Whether a record is a row that says its epoch or step, and that proves a fault by itself."""
    if not record.own or len(record.values) < MIN_IN_ROW:
        return False
    values = {"/".join(filter(None, _series_of(name))): _number(value) for name, value in record.values.items()}
    return proves_a_fault(values)


def _number(value: object) -> float:
    return number_or_nan(str(value).removesuffix("%"))


def _is_metric(name: str) -> bool:
    meaning = meaning_of(name)
    return meaning.is_metric and meaning.metric not in NOT_DECISIVE


def _is_nan_gradient(name: str, value: object) -> bool:
    """Whether a gradient norm is NaN: it shows how the run goes even if the trainer does not log a loss."""
    return meaning_of(name).metric == "grad_norm" and _is_nan(value)


def _is_nan(value: object) -> bool:
    return "nan" in str(value).lower()
