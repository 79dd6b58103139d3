"""The zoo as a table: the measurements of every run and of its derived logs, with what the retrainings showed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.prognosis.derive import Derived, derived
from benchmarks.zoo.expected import FINDINGS, Expected
from nndoctor.analysis.chance import meaningful
from nndoctor.analysis.measurements import NAMES, vector
from nndoctor.core.errors import NNDoctorError
from nndoctor.core.run import Fact, Run
from nndoctor.prognosis.changes import CHANGES
from nndoctor.readers import read

Table = NDArray[np.float64]

TRAIN, VALIDATION = 0, 1
RETRAININGS = {  # the retrainings that make a change; the better one counts
    "lr*10": ("lr_x10", "lr_x100"),
    "lr/10": ("lr_d10", "lr_d100"),
    "steps*4": ("steps_x4",),
    "wider": ("wider", "hidden_layers"),
    "more-data": ("data_x4",),
    "weight-decay": ("weight_decay", "weight_decay_strong"),
    "dropout": ("dropout",),
    "less-regularization": ("no_regularization",),
    "constant-schedule": ("constant_schedule",),
    "stop-early": ("early_stopping",),
}
WHOLE = 0.8  # of the rows: of a log cut shorter nobody knows what more steps would have brought
ABOUT_THE_END = {"steps*4", "stop-early", "constant-schedule", "not-converged", "overtraining", "lr-decayed-too-early"}
ONLY_WHERE_IT_CHANGES = {
    "less-regularization",
    "constant-schedule",
}  # not retrained where there is nothing to take away
LIMITS = (-1.0, 2.0)  # gains beyond are as good as these


@dataclass(frozen=True)
class Dataset:
    """One row for each log. Gains, labels and `right` are NaN where nobody knows; `weight` makes the copies of a run count as one."""

    x: Table
    gains: Table  # (rows, CHANGES)
    labels: Table  # (rows, FINDINGS): 1 confirmed, 0 not there, NaN accepted or undecided
    right: Table  # (rows, FINDINGS): 1 where an experiment confirms the finding at least weakly, else 0
    healthy: NDArray[np.bool_]
    original: NDArray[np.bool_]
    weight: Table
    split: NDArray[np.str_]  # of the zoo: tuning, training, testing
    workload: NDArray[np.str_]
    run: NDArray[np.str_]
    kind: NDArray[np.str_]
    per: NDArray[np.str_]  # epoch or step
    share: Table

    def __len__(self) -> int:
        return len(self.x)

    def rows(self, at: NDArray[Any]) -> Dataset:
        """Some of the rows."""
        return Dataset(*(getattr(self, name)[at] for name in self.__dataclass_fields__))


def gathered(lines: Sequence[dict[str, Any]], copies: int, jobs: int = 1) -> Dataset:
    """The table of some of the zoo's runs, each with `copies` derived logs."""
    one = partial(_rows, copies=copies)
    if jobs == 1:
        found = [row for line in lines for row in one(line)]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            found = [row for rows in pool.map(one, lines, chunksize=20) for row in rows]
    columns = zip(*found, strict=True)
    return Dataset(*(np.array(column) for column in columns))


def _rows(line: dict[str, Any], copies: int) -> list[tuple[Any, ...]]:
    views = line.get("views", ()) if copies else ()
    logs = [(line, log) for log in derived(line["id"], line["log"], max(copies - len(views), 0))]
    for view in views:
        start, end = view.get("part", (0.0, 1.0))
        logs.append(({**line, **view}, Derived(view["log"], "another logger", end - start)))
    kept = min(line.get("copies", copies), copies)
    logs[1:] = random.Random(line["id"]).sample(logs[1:], min(kept, len(logs) - 1))  # noqa: S311
    known = [(line, log, run) for line, log in logs if (run := _run(line, log)) is not None]
    return [_row(*one, weight=float(line.get("weight", 1.0)) / len(known)) for one in known]


def _run(line: dict[str, Any], log: Derived) -> Run | None:
    try:
        run = meaningful(read(log.log)[-1])
    except NNDoctorError:
        return None
    if not any(
        f"{split}/loss" in run.series and len(run.series[f"{split}/loss"].y) for split in ("train", "validation")
    ):
        return None
    if log.kind != "as logged" and len(log.kind) % 2:  # about half of the copies name the optimizer and the classes
        facts = {k: Fact(v) for k, v in line["facts"].items() if k in {"optimizer", "num_classes"} and v is not None}
        run = replace(run, facts={**run.facts, **facts})
    return run


def _row(line: dict[str, Any], log: Derived, run: Run, *, weight: float) -> tuple[Any, ...]:
    whole = log.share >= WHOLE
    expected = Expected.of(line)
    return (
        vector(run),
        _known([change.name for change in CHANGES], [gain(line, c.name, c.split) for c in CHANGES], whole=whole),
        _known(FINDINGS, [_label(expected, name) for name in FINDINGS], whole=whole),
        _known(FINDINGS, [_right(line, name) for name in FINDINGS], whole=whole),
        expected.healthy and line["status"] == "labelled" and whole,
        log.kind == "as logged",
        weight,
        line["split"],
        line["workload"],
        line["id"],
        log.kind,
        "epoch" if next(iter(line["log"])).lower() == "epoch" else "step",
        log.share,
    )


def _known(names: Sequence[str], values: Sequence[float], *, whole: bool) -> list[float]:
    """The values, but for NaN in place of those about the end of a run that is not whole."""
    pairs = zip(names, values, strict=True)
    return [value if whole or name not in ABOUT_THE_END else np.nan for name, value in pairs]


def gain(line: dict[str, Any], change: str, split: str) -> float:
    """What a change gained, of the better of its retrainings; NaN where it was not tried."""
    at = TRAIN if split == "train" else VALIDATION
    tried: Iterable[Any] = (line["gains"].get(name, (None, None))[at] for name in RETRAININGS[change])
    known = [float(v) for v in tried if v is not None]
    if not known:
        return 0.0 if change in ONLY_WHERE_IT_CHANGES else float("nan")
    return float(np.clip(max(known), *LIMITS))


def _label(expected: Expected, name: str) -> float:
    if name in expected.found:
        return 1.0
    return float("nan") if name in expected.accepted else 0.0


def _right(line: dict[str, Any], name: str) -> float:
    if name in line["strong"] or name in line["weak"]:
        return 1.0
    return float("nan") if line["status"] != "labelled" or name in Expected.of(line).open else 0.0


assert len(NAMES) < 256  # a tree's node names its measurement in one byte
