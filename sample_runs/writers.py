"""Writes the points of a run as the logs that people keep: one function for each layout, points -> text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from training import Point, batches_of, epochs_of

Writer = Callable[[list[Point]], str]
Value = float | int | str | None

# What a column may hold; a column whose name starts with '=' holds the rest of that name in every row.
VALUES: Mapping[str, Callable[[Point], Value]] = {
    "step": lambda p: p.step,
    "epoch": lambda p: round(p.epoch) - 1,
    "epoch from 1": lambda p: round(p.epoch),
    "part of epoch": lambda p: round(p.epoch, 2),
    "loss": lambda p: _round(p.loss),
    "metric": lambda p: _round(p.metric),
    "percent": lambda p: round(100 * p.metric, 2),
    "lr": lambda p: _round(p.lr),
    "grad norm": lambda p: _round(p.grad_norm),
    "validation loss": lambda p: _round(p.validation_loss),
    "validation metric": lambda p: _round(p.validation_metric),
    "validation percent": lambda p: None if p.validation_metric is None else round(100 * p.validation_metric, 2),
}


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _row(point: Point, columns: Mapping[str, str]) -> dict[str, Value]:
    return {name: what[1:] if what.startswith("=") else VALUES[what](point) for name, what in columns.items()}


def table(columns: Mapping[str, str], separator: str = ",", *, decimal: str = ".", header: bool = True) -> Writer:
    """A row for each epoch; `columns` maps the header's names to VALUES."""

    def write(points: list[Point]) -> str:
        rows = ([_cell(v, decimal) for v in _row(p, columns).values()] for p in epochs_of(points))
        return _csv(([list(columns)] if header else []), rows, separator)

    return write


def _cell(value: Value, decimal: str) -> str:
    return "" if value is None else str(value).replace(".", decimal) if isinstance(value, float) else str(value)


def _csv(header: list[list[str]], rows: Iterable[list[str]], separator: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows([*header, *rows])
    return text.getvalue()


KERAS = {
    "epoch": "epoch",
    "accuracy": "metric",
    "loss": "loss",
    "val_accuracy": "validation metric",
    "val_loss": "validation loss",
}
keras = table(KERAS)
keras_semicolons = table(KERAS, ";")


def steps(columns: Mapping[str, str], every: int) -> Writer:
    """A row for every so many batches, and one for each epoch's validation, in one table."""

    def write(points: list[Point]) -> str:
        kept = [p for p in points if p.validation_loss is not None or p.step % every == 0]
        rows = ([_cell(v, ".") for v in _row(p, columns).values()] for p in kept)
        return _csv([list(columns)], rows)

    return write


def json_lines(columns: Mapping[str, str]) -> Writer:
    """An object for each epoch, one a line."""
    return lambda points: "".join(json.dumps(_row(p, columns)) + "\n" for p in epochs_of(points))


def keras_history(points: list[Point]) -> str:
    """The `history` of Keras' History object: one list for each metric."""
    rows = [_row(p, {k: v for k, v in KERAS.items() if k != "epoch"}) for p in epochs_of(points)]
    return json.dumps({name: [row[name] for row in rows] for name in rows[0]}) + "\n"


def trainer_state(points: list[Point], every: int = 5) -> str:
    """`trainer_state.json` of Hugging Face's Trainer: means over `every` steps, and evaluations apart."""
    history: list[dict[str, Any]] = []
    waiting: list[float] = []
    for p in points:
        if p.validation_loss is not None:
            scores = {"eval_loss": "validation loss", "eval_accuracy": "validation metric"}
            history.append({"epoch": round(p.epoch, 2), **_row(p, scores), "step": p.step + 1})
            continue
        waiting.append(p.loss)
        if (p.step + 1) % every == 0:
            row = {"grad_norm": _round(p.grad_norm), "learning_rate": p.lr, "loss": round(sum(waiting) / every, 4)}
            history.append({"epoch": round(p.epoch, 2), **row, "step": p.step + 1})
            waiting = []
    last = points[-1]
    mean = sum(p.loss for p in batches_of(points)) / len(batches_of(points))
    end = {"epoch": last.epoch, "step": last.step + 1, "total_flos": 0.0, "train_loss": mean}
    state = {
        "best_metric": None,
        "best_model_checkpoint": None,
        "epoch": last.epoch,
        "eval_steps": 500,
        "global_step": last.step + 1,
        "is_local_process_zero": True,
        "is_world_process_zero": True,
        "log_history": [*history, end],
        "logging_steps": every,
        "max_steps": last.step + 1,
        "num_train_epochs": round(last.epoch),
    }
    return json.dumps(state, indent=1) + "\n"


def lightning(points: list[Point], every: int = 20) -> str:
    """`metrics.csv` of Lightning's CSVLogger: sorted columns, most cells empty, steps counted over the run."""
    columns = ("epoch", "lr-SGD", "step", "train_loss", "val_acc", "val_loss")
    rows: list[dict[str, Any]] = []
    for p in points:
        where = {"epoch": round(p.epoch - 1) if p.validation_loss is not None else int(p.epoch - 1e-9), "step": p.step}
        if p.validation_loss is not None:
            scores = {"val_acc": _round(p.validation_metric), "val_loss": _round(p.validation_loss)}
            rows.append(where | scores)
        elif (p.step + 1) % every == 0:
            rows.append({"step": p.step, "lr-SGD": p.lr})
            rows.append(where | {"train_loss": _round(p.loss)})
    return _csv([list(columns)], ([str(row.get(c, "")) for c in columns] for row in rows))


german = partial(table, separator="\t", decimal=",")
