"""A verdict does not change with the unit, the order or the format that a run is written in."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.readers import read
from nndoctor.readers.io.source import Source

SHIFTED_ELSEWHERE = {
    "NN101",
    "NN102",
    "NN103",
    "NN104",
    "NN106",
    "NN109",
    "NN201",
    "NN202",
    "NN203",
    "NN205",
    "NN206",
    "NN304",
    "NN307",
    "NN310",
}
"""Rules that know zero: those that ask the prognosis, which compares levels with zero and with chance, a flat loss without a
chance level, an impossible loss by its sign, and runs or validations at chance by their level."""

LEVEL_OF_GUESSING = {"NN109", "NN310"}
"""Rules that know the cross-entropy of guessing, which is a number of nats."""


@st.composite
def curves(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """A training and a validation loss: a fall to a floor, a gap or a rise, noise, maybe a jump."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(8, 60))
    t = np.arange(n) / n
    train = draw(st.floats(0.05, 1.0)) + 2 * np.exp(-t / draw(st.floats(0.05, 2.0)))
    validation = train + draw(st.floats(0.0, 0.5)) + draw(st.sampled_from([0.0, 0.0, 1.5])) * t**2
    noise = draw(st.sampled_from([0.0, 0.003, 0.03, 0.3]))
    train = train + noise * rng.normal(size=n)
    validation = validation + noise * rng.normal(size=n)
    return {"train/loss": train, "validation/loss": validation}


def verdict(loss: dict[str, np.ndarray], without: set[str] = frozenset()) -> list[str]:
    """The codes that the rules give these curves."""
    run = Run({name: Series.of(name, values) for name, values in loss.items()})
    return [f.code for f in diagnose(run, [r for r in RULES if r.code not in without]).findings]


@settings(max_examples=150, deadline=None)
@given(curves(), st.floats(-6, 6))
def test_verdict_does_not_change_with_the_loss_scale(loss, power):
    """A loss in other units (nats, bits, cents) gets the same findings."""
    scaled = {name: values * 10**power for name, values in loss.items()}
    assert verdict(scaled, LEVEL_OF_GUESSING) == verdict(loss, LEVEL_OF_GUESSING)


@settings(max_examples=150, deadline=None)
@given(curves(), st.floats(0, 50))
def test_verdict_does_not_change_when_a_constant_is_added(loss, constant):
    """A constant in the loss (a penalty, a likelihood's normalizer) changes no finding that does not know zero.

    It may change how grave one is, and so their order: a gap or a rise that is a small part of the loss is a remark.
    """
    raised = {name: values + constant + 2 for name, values in loss.items()}
    start = {name: values + 2 for name, values in loss.items()}
    assert sorted(verdict(raised, SHIFTED_ELSEWHERE)) == sorted(verdict(start, SHIFTED_ELSEWHERE))


def rows(loss: dict[str, np.ndarray]) -> list[dict[str, float]]:
    """One record an epoch, with accuracies that follow from the losses."""
    train, validation = loss["train/loss"], loss["validation/loss"]
    return [
        {
            "epoch": k,
            "loss": round(float(a), 6),
            "accuracy": round(float(np.clip(np.exp(-a), 0, 1)), 6),
            "val_loss": round(float(b), 6),
            "val_accuracy": round(float(np.clip(np.exp(-b), 0, 1)), 6),
        }
        for k, (a, b) in enumerate(zip(train, validation, strict=True))
    ]


def table(records: list[dict[str, float]], delimiter: str = ",") -> bytes:
    """The records as a table."""
    lines = [delimiter.join(records[0])] + [delimiter.join(str(v) for v in r.values()) for r in records]
    return ("\n".join(lines) + "\n").encode()


def codes(data: bytes) -> list[str]:
    """The findings on a log given as bytes."""
    (run,) = read(Source("-", data))
    return [f.code for f in diagnose(run, RULES).findings]


@settings(max_examples=40, deadline=None)
@given(curves(), st.integers(0, 1000))
def test_verdict_does_not_change_with_the_order_of_columns_and_rows(loss, seed):
    """Columns and rows in another order say the same, as long as an epoch tells the rows apart."""
    records = rows(loss)
    names = list(records[0])
    shuffled = [*records]
    random.Random(seed).shuffle(names)
    random.Random(seed).shuffle(shuffled)
    assert codes(table([{name: r[name] for name in names} for r in shuffled])) == codes(table(records))


@settings(max_examples=40, deadline=None)
@given(curves())
def test_verdict_does_not_change_when_accuracy_comes_in_percent(loss):
    """92.1 and 0.921 are the same accuracy."""
    records = rows(loss)
    percent = [{name: v * 100 if "accuracy" in name else v for name, v in r.items()} for r in records]
    if max(r["accuracy"] for r in records) > 0.016:  # below 1.6 % no reader can tell
        assert codes(table(percent)) == codes(table(records))


@settings(max_examples=30, deadline=None)
@given(curves())
def test_verdict_does_not_change_with_the_format(loss):
    """CSV, TSV, semicolons with decimal commas, JSON lines, an array, a history: one run."""
    records = rows(loss)
    comma = table(records, ";").replace(b".", b",")
    history = {name: [r[name] for r in records] for name in records[0]}
    lines = "".join(json.dumps(r) + "\n" for r in records).encode()
    written = [table(records, "\t"), comma, lines, json.dumps(records).encode(), json.dumps(history).encode()]
    expected = codes(table(records))
    assert [codes(data) for data in written] == [expected] * len(written)


@pytest.mark.parametrize("points", [400, 4000])
def test_verdict_does_not_change_when_the_log_is_subsampled(points):
    """A run logged ten times as often gets the same primary finding."""
    rng = np.random.default_rng(5)

    def run(n):
        t = np.arange(n) / n
        train = 0.05 + 2 * np.exp(-t / 0.15) + 0.01 * rng.normal(size=n)
        validation = train + 0.2 + 1.2 * np.clip(t - 0.3, 0, None)
        return {"train/loss": train, "validation/loss": validation}

    assert verdict(run(points))[0] == verdict(run(points // 10))[0]
