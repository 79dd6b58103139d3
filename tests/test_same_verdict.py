"""The same run gets the same verdict in every format, and one that hardly differs gets nearly the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

import nndoctor
from nndoctor.core.finding import Severity
from nndoctor.core.run import Run

ROOT = Path(__file__).resolve().parents[1] / "sample_runs"
NAMES = {
    "train/loss": "loss",
    "validation/loss": "val_loss",
    "train/accuracy": "accuracy",
    "validation/accuracy": "val_accuracy",
}
RUNS = [
    "diverged/log.txt",
    "healthy/plain.csv",
    "healthy/step-decay.csv",
    "high-bias/run.csv",
    "high-variance/training.log",
    "loss-spikes/run.csv",
    "nan-loss/training.csv",
    "noisy-validation/history.json",
    "overtraining/history.json",
    "plateau-at-start/training.csv",
]
Records = list[dict[str, float]]


def records(name: str) -> Records:
    """The rows of a sample run that have every one of its losses and accuracies, epochs counted from 1."""
    (run,) = nndoctor.read(ROOT / name)
    series = {short: run.series[long] for long, short in NAMES.items() if long in run.series}
    steps = sorted(set.intersection(*(set(s.steps.tolist()) for s in series.values())))
    by_step = {short: dict(zip(s.steps.tolist(), s.values.tolist(), strict=True)) for short, s in series.items()}
    return [
        {"epoch": k, **{short: float(f"{values[step]:.6g}") for short, values in by_step.items()}}
        for k, step in enumerate(steps, 1)
    ]


def table(rows: Records, delimiter: str = ",", suffix: str = "") -> str:
    """A table with a header."""
    lines = [delimiter.join(rows[0]), *(delimiter.join(str(v) for v in row.values()) for row in rows)]
    text = "\n".join(lines) + "\n"
    return text.replace(".", ",") if suffix == "comma" else text


def printed(rows: Records) -> str:
    """What a training loop prints, a line an epoch."""
    return "".join(
        f"Epoch {row['epoch']:.0f}/{len(rows)} - "
        + " - ".join(f"{k}: {v}" for k, v in row.items() if k != "epoch")
        + "\n"
        for row in rows
    )


def trainer_state(rows: Records) -> str:
    """Transformers' state: training and evaluation in entries of their own."""
    history: list[dict[str, float]] = []
    for row in rows:
        mark = {"epoch": float(row["epoch"]), "step": row["epoch"]}
        history.append({k: v for k, v in row.items() if k in {"loss", "accuracy"}} | mark)
        history.append({k.replace("val_", "eval_"): v for k, v in row.items() if k.startswith("val_")} | mark)
    return json.dumps({"global_step": len(rows), "log_history": [entry for entry in history if len(entry) > 2]})


FORMATS: dict[str, tuple[str, Callable[[Records], str]]] = {
    "csv": ("run.csv", table),
    "tsv": ("run.tsv", lambda rows: table(rows, "\t")),
    "semicolons": ("run.csv", lambda rows: table(rows, ";", "comma")),
    "markdown": (
        "run.md",
        lambda rows: (
            "\n".join(
                ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
                + ["| " + " | ".join(str(v) for v in row.values()) + " |" for row in rows]
            )
            + "\n"
        ),
    ),
    "json lines": ("run.jsonl", lambda rows: "".join(json.dumps(row) + "\n" for row in rows)),
    "json array": ("run.json", json.dumps),
    "history": ("history.json", lambda rows: json.dumps({key: [row[key] for row in rows] for key in rows[0]})),
    "trainer state": ("trainer_state.json", trainer_state),
    "printed lines": ("train.log", printed),
}


def verdict(runs: Iterable[Run]) -> list[str]:
    """The names of the errors and warnings."""
    return sorted({f.name for run in runs for f in nndoctor.diagnose(run).at_least(Severity.WARNING)})


def of_rows(rows: Records, folder: Path, form: str = "csv") -> list[str]:
    """The verdict on rows written in a format."""
    name, write = FORMATS[form]
    log = folder / name
    log.write_text(write(rows), encoding="utf-8")
    return verdict(nndoctor.read(log))


@pytest.mark.parametrize("name", RUNS)
def test_every_format_of_a_run_gets_one_verdict(name, tmp_path):
    """Nine formats and a data frame hold the same numbers."""
    rows = records(name)
    found = {form: of_rows(rows, tmp_path, form) for form in FORMATS}
    pandas = pytest.importorskip("pandas")
    found["data frame"] = verdict(nndoctor.read(pandas.DataFrame(rows)))
    assert found == dict.fromkeys(found, found["csv"])


def rounded(rows: Records) -> Records:
    """Every value to three digits."""
    return [{k: v if k == "epoch" else float(f"{v:.3g}") for k, v in row.items()} for row in rows]


CHANGES: dict[str, Callable[[Records], Records]] = {
    "without the first row": lambda rows: rows[1:],
    "without the last row": lambda rows: rows[:-1],
    "to three digits": rounded,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", [name for name in RUNS if not name.startswith("nan-loss")])
def test_a_small_change_of_a_run_does_not_change_its_verdict(name, change, tmp_path):
    """One row less, or fewer digits, tell nothing else."""
    rows = records(name)
    assert of_rows(CHANGES[change](rows), tmp_path) == of_rows(rows, tmp_path)


def test_a_meaningless_accuracy_next_to_a_regression_changes_nothing(tmp_path):
    """Keras logs an accuracy that is asked for, also where the targets are real numbers."""
    rng = np.random.default_rng(3)
    falls = 541 * np.exp(-np.arange(40) / 6) + 21 + rng.normal(0, 0.5, 40)
    rows = [
        {"epoch": k, "loss": round(float(v), 4), "val_loss": round(float(1.05 * v), 4)} for k, v in enumerate(falls)
    ]
    beside = [row | {"accuracy": 0.012, "val_accuracy": 0.01 + 0.002 * (k % 2)} for k, row in enumerate(rows)]
    assert of_rows(beside, tmp_path) == of_rows(rows, tmp_path) == []
