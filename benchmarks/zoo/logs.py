"""The log that the user of a run would have: rows, columns as loggers spell them, values as loggers round them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.zoo.curves import Array, Curves
from benchmarks.zoo.experiment import Experiment

FEWEST_ROWS = 5  # also of a log that stops at its first NaN
Cells = list[float | int | None]

# Count, loss, validation loss, accuracies, absolute errors, rate, gradient norm; an empty name is a column not written.
SPELLINGS: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split(", "))
    for name, columns in {
        "keras": "epoch, loss, val_loss, accuracy, val_accuracy, mae, val_mae, learning_rate, grad_norm",
        "torch": "epoch, train_loss, val_loss, train_acc, val_acc, train_mae, val_mae, lr, grad_norm",
        "fastai": "epoch, train_loss, valid_loss, , accuracy, , mae, lr, grad_norm",
        "slash": "epoch, train/loss, val/loss, train/acc, val/acc, train/mae, val/mae, lr, grad_norm",
        "words": "Epoch, Train Loss, Val Loss, Train Acc, Val Acc, Train MAE, Val MAE, LR, Grad Norm",
        "error": "epoch, train_loss, test_loss, train_err, test_err, train_mae, test_mae, lr, grad_norm",
        "step": "step, loss, val_loss, acc, val_acc, mae, val_mae, lr, grad_norm",
        "trainer": "step, loss, eval_loss, accuracy, eval_accuracy, mae, eval_mae, learning_rate, grad_norm",
        "step_slash": "step, train/loss, eval/loss, train/acc, eval/acc, train/mae, eval/mae, train/lr, train/grad_norm",
        "iteration": "iter, train_loss, valid_loss, train_acc, valid_acc, train_mae, valid_mae, lr, gradient_norm",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Logged:
    """The series of a log before they are spelled and rounded."""

    end: Array  # steps done at each row
    loss: Array
    error: Array
    val_loss: Array
    val_error: Array
    lr: Array
    grad_norm: Array
    validated: Array  # the rows with a validation


def observe(e: Experiment, curves: Curves) -> Logged:
    """What the user's loop notes down, row by row."""
    k = e.row_steps
    end = np.arange(k, e.steps + 1, k)
    place = {int(step): i for i, step in enumerate(curves.at)}
    known = np.array([place.get(int(s), -1) for s in end])
    validated = (known >= 0) & ((np.arange(len(end)) + 1) % e.log.validate_every == 0)
    m, scale = curves.measured, e.log.scale
    clean = e.log.train == "clean" and bool((known >= 0).all())

    def measured(values: Array, where: Array) -> Array:
        return np.where(where, values[known], np.nan)

    return Logged(
        end,
        scale**2 * (measured(m.train_loss, known >= 0) if clean else _rows(curves.batch_loss, k, e.log.train)),
        _rows(curves.batch_error, k, "running") if not clean else measured(m.train_error, known >= 0),
        scale**2 * measured(m.small_val_loss, validated),
        measured(m.small_val_error, validated),
        curves.lr[end - 1],
        _rows(curves.grad_norm, k, "batch" if e.log.per == "step" else "running"),
        validated,
    )


def _rows(values: Array, k: int, how: str) -> Array:
    table = values[: len(values) // k * k].reshape(-1, k)
    with np.errstate(all="ignore"):
        return np.asarray(table[:, -1] if how == "batch" else table.mean(1))


def written(e: Experiment, logged: Logged, kind: str) -> dict[str, Cells]:
    """The columns of the log file."""
    names = SPELLINGS[e.log.spelling]
    rows = _row_count(e, logged)
    columns: dict[str, Cells] = {
        names[0]: _count(e, logged, names[0])[:rows],
        names[1]: _rounded(logged.loss, e.log.digits)[:rows],
    }
    if e.log.validation:
        columns[names[2]] = _sparse(logged.val_loss, logged.validated, e.log.digits)[:rows]
    if e.log.accuracy and kind in {"classes", "dice", "regression"}:
        columns |= {name: cells[:rows] for name, cells in _metric(e, logged, kind, names).items()}
    if e.log.lr:
        columns[names[7]] = _rounded(logged.lr, 6)[:rows]
    if e.log.grad_norm:
        columns[names[8]] = _rounded(logged.grad_norm, e.log.digits)[:rows]
    return {name: _resumed(cells, e.log.resumed_at) for name, cells in columns.items()}


def _resumed(cells: Cells, share: float) -> Cells:
    """The rows of a run that broke off and went on from a checkpoint a twelfth of its rows earlier."""
    at = int(share * len(cells))
    return cells[:at] + cells[at - max(1, len(cells) // 12) :] if at else cells


def _row_count(e: Experiment, logged: Logged) -> int:
    bad = np.flatnonzero(~np.isfinite(logged.loss))
    return max(int(bad[0]) + 1, FEWEST_ROWS) if e.log.stops_at_nan and len(bad) else len(logged.loss)


def _count(e: Experiment, logged: Logged, name: str) -> Cells:
    if name.lower() != "epoch":
        return [int(s) for s in logged.end - (1 if name == "iter" else 0)]
    first = 0 if e.log.spelling in {"keras", "fastai"} else 1
    return list(range(first, first + len(logged.end)))


def _metric(e: Experiment, logged: Logged, kind: str, names: tuple[str, ...]) -> dict[str, Cells]:
    errors = e.log.spelling == "error"
    of, times = (5, e.log.scale) if kind == "regression" else (3, 100.0 if e.log.percent or errors else 1.0)
    direct = errors or kind == "regression"
    pair = [(names[of + i], times * (v if direct else 1 - v)) for i, v in enumerate((logged.error, logged.val_error))]
    columns = {pair[0][0]: _rounded(pair[0][1], e.log.digits)} if pair[0][0] else {}
    if e.log.validation:
        columns[pair[1][0]] = _sparse(pair[1][1], logged.validated, e.log.digits)
    return columns


def _sparse(values: Array, validated: Array, digits: int) -> Cells:
    """Rounded values; a cell without a validation is empty."""
    return [r if v else None for r, v in zip(_rounded(values, digits), validated, strict=True)]


def _rounded(values: Array, digits: int) -> Cells:
    return [float(f"{v:.{digits}g}") for v in values]
