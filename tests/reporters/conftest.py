"""Reports made by hand, so that a rule's change of mind changes no page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nndoctor.core.finding import Cause, Finding, Location, Remedy, Severity
from nndoctor.core.report import Report, Skipped
from nndoctor.core.run import Run

STOP = Remedy("stop", "stop when validation has not improved for ten epochs", "it only gets worse", "Prechelt, 1998")
MORE = tuple(replace(STOP, name=f"remedy-{k}", text=f"try remedy number {k}") for k in range(2, 6))
RISEN = Finding(
    code="NN103",
    name="overtraining",
    severity=Severity.WARNING,
    confidence=0.84,
    message="validation loss was best at step 9 (1) and is 1.4 now",
    evidence={"best": 1.0, "best_step": 9, "last": 1.4, "settled": True, "unknown": None},
    location=Location("run.csv", 11, 9.0),
    causes=(),
    remedies=(STOP, *MORE),
    series="validation/loss",
    span=(9.0, 19.0),
)
FLAT = Finding(
    code="NN304",
    name="plateau-at-start",
    severity=Severity.ERROR,
    confidence=0.95,
    message="training loss stays at 2.303",
    evidence={"first": 2.303},
    location=Location("flat.csv", 2, 0.0),
    causes=(
        Cause("learning rate too low", 0.6, "a rate near zero looks like this", "one run with ten times the rate"),
        Cause("dead units", 0.4, "they pass no gradient", "the recorder"),
    ),
    remedies=(STOP,),
)
FEW = replace(
    FLAT,
    code="NN001",
    name="too-little-data",
    severity=Severity.INFO,
    message="the log holds 2 points a series",
    causes=(),
)
NO_RATE = tuple(
    Skipped(f"NN20{k}", name, "no lr in the log", "lr") for k, name in ((3, "decayed"), (4, "never-decayed"))
)
SKIPPED = (*NO_RATE, Skipped("NN206", "starved", "optimizer not known", "fact:optimizer"))
CURVES = Run.drawn(train_loss="2.0..0.5*20", validation_loss="2.0..1.0*10 1.04..1.4*10")


def named(run: Run, source: str, **changes: object) -> Run:
    """The run under a file's name."""
    return replace(run, source=source, path=source, format="csv", **changes)


@pytest.fixture
def sick() -> Report:
    """One warning, columns that were not understood, and a note."""
    run = named(CURVES, "run.csv", unknown=("foo", "bar baz"), notes=("the last line is cut off and was left out",))
    explained = Skipped("NN104", "not-converged", "explained by overtraining")
    return Report(run, (RISEN,), ("NN001", "NN002", "NN003", "NN101", "NN301"), (explained, *SKIPPED))


@pytest.fixture
def flat() -> Report:
    """One error with ranked causes."""
    run = named(Run.drawn(train_loss="2.303*12"), "flat.csv")
    return Report(run, (FLAT,), ("NN001", "NN301"), NO_RATE)


@pytest.fixture
def healthy() -> Report:
    """Nothing found."""
    run = named(Run.drawn(train_loss="2.0..0.5*20", validation_loss="2.1..0.6*20"), "good.csv")
    return Report(run, (), ("NN001", "NN101", "NN102"), SKIPPED)


@pytest.fixture
def unjudged() -> Report:
    """Two points, and a rule that says so."""
    run = named(Run.drawn(train_loss="2.0 1.5"), "short.csv")
    few = Skipped("NN101", "high-bias", "train loss has 2 points, needs 5", "train/loss")
    return Report(run, (FEW,), ("NN002",), (few,))
