"""Curves as tracking tools and scripts export them: names and values, rows by split, lines wrapped in JSON."""

from __future__ import annotations

import json

import pytest

import nndoctor
from tests.readers.wild import ALL, HELD, LOSSES, TRAIN, N, each, reads_as

CURVES = (("train_loss", TRAIN), ("val_loss", HELD))


def lines(*records: dict[str, object]) -> str:
    """JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def rows(printed: dict[str, list[float]], split: str) -> list[dict[str, float]]:
    """The rows of one split with their epochs."""
    return [
        {"epoch": k, "loss": printed[f"{split}/loss"][k], "acc": printed[f"{split}/accuracy"][k]} for k in range(N)
    ]  # fmt: skip


def points(name: str, value: str, **more: object) -> list[dict[str, object]]:
    """One value a record with its name beside it."""
    return [{name: m, value: v[k], "step": k, **more} for k in range(N) for m, v in CURVES]


EXPORTS = {
    "names and values": (lines(*points("name", "value")), LOSSES),
    "MLflow's names and values": (lines(*points("metric", "value", run_id="ab12", timestamp=1.7e12)), LOSSES),
    "MLflow's answer": (
        json.dumps({"metrics": [{"key": "train_loss", "value": TRAIN[k], "step": str(k)} for k in range(N)]}),
        {"train/loss": TRAIN},
    ),
    "Comet's numbers in words": (
        json.dumps([{"metricName": m, "metricValue": str(v[k]), "step": k, "epoch": None} for m, v in CURVES for k in range(N)]),
        LOSSES,
    ),
    "names beside nested values": (
        lines(*({"name": "loss", "data": {"step": k, "value": TRAIN[k], "timestamp": "2026"}} for k in range(N))),
        {"train/loss": TRAIN},
    ),
    "curves with their context": (
        json.dumps([{"name": "loss", "context": {"subset": s}, "values": v, "iters": list(range(N))} for s, v in (("train", TRAIN), ("val", HELD))]),
        LOSSES,
    ),
    "curves as x and y": (
        json.dumps({"loss": {"train": {"x": list(range(N)), "y": TRAIN}, "validation": {"x": list(range(N)), "y": HELD}}}),
        LOSSES,
    ),
    "rows by split": (json.dumps({"train": rows(ALL, "train"), "val": rows(ALL, "validation")}, indent=1), ALL),
    "a run that is a split": (
        lines(*({"Run": run, "Step": 100 * k, "Loss": v[k]} for k in range(N) for run, v in (("train", TRAIN), ("valid", HELD)))),
        LOSSES,
    ),
    "an empty reward": (
        lines(*({"current_steps": k, "loss": TRAIN[k], "eval_loss": HELD[k], "reward": None} for k in range(N))),
        LOSSES,
    ),
    "statistics of each value": (
        lines(*({"Loss/loss": {"num": 64, "mean": TRAIN[k], "std": 0.3}, "Progress/kimg": {"num": 1, "mean": 4.0 * k, "std": 0.0}} for k in range(N))),
        {"train/loss": TRAIN},
    ),
    "a frame that is split": (
        json.dumps({"columns": ["epoch", "loss", "val_loss"], "data": [[k, TRAIN[k], HELD[k]] for k in range(N)]}),
        LOSSES,
    ),
    "rows that are optimised or evaluated": (
        lines(*({"loss": v[k], "mode": mode, "epoch": k} for k in range(N) for mode, v in (("opt", TRAIN), ("eval", HELD)))),
        LOSSES,
    ),
    "a header in a comment": (each("{n} {a} {b}\n", "# epoch train_loss val_loss\n"), LOSSES),
    "a header in a comment above commas": (each("{n},{a},{b}\n", "# made by train.py\n# epoch, train_loss, val_loss\n"), LOSSES),
    "a container's output": (
        lines(*({"log": f"epoch {k} train loss {TRAIN[k]} val loss {HELD[k]}\n", "stream": "stdout"} for k in range(N))),
        LOSSES,
    ),
    "keys beside a logger's message": (
        lines(*({"message": f"epoch {k}: loss {TRAIN[k]:.1f}", "epoch": k, "train_loss": TRAIN[k], "val_loss": HELD[k]} for k in range(N))),
        LOSSES,
    ),
    "a logger's message": (
        lines({"severity": "INFO", "message": "start"}, *({"severity": "INFO", "message": f"epoch {k}: train_loss={TRAIN[k]}, val_loss={HELD[k]}"} for k in range(N))),
        LOSSES,
    ),
    "names and numbers joined": (each("{n}\tepoch={k}\tlearning-rate=0.1\ttrain-loss={a}\tval-loss={b}\n"), LOSSES),
    "a header said again": (each("Epoch | Train Loss | Val Loss\n{n} | {a} | {b}\n"), LOSSES),
    "names of two words": (each("{n:10d} {a:16.4f} {b:16.4f}       {k}.10m\n", "      Iter       Train Loss      Valid Loss   Remaining Time \n"), LOSSES),
    "a table of strokes below a word": (
        each(
            "| {n:5d} | {n:5d}0 | 00:00:01 | {a} | {b} | 0.0100 |\n",
            "Training on single CPU.\n|=========|=========|\n| Epoch | Iteration | Time Elapsed | Mini-batch | Validation | Base Learning |\n"
            "|       |           |  (hh:mm:ss)  |    Loss    |    Loss    |      Rate     |\n|=========|=========|\n",
            "|=========|=========|\n",
        ),
        LOSSES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_is_read_with_the_series_that_it_tells(tmp_path, kind):
    """One run; the series named here hold these values in this order."""
    reads_as(tmp_path / "export.json", *EXPORTS[kind])


def test_curves_with_steps_of_their_own_keep_them(tmp_path):
    """Validation every fourth step stands at every fourth step, and not at the beginning."""
    log = tmp_path / "curves.json"
    held = [[4 * k, HELD[k]] for k in range(3)]
    log.write_text(json.dumps({"train_loss": [[k, TRAIN[k]] for k in range(N)], "val_loss": held}))
    (run,) = nndoctor.read(str(log))
    assert run.series["validation/loss"].steps.tolist() == [0.0, 4.0, 8.0]
    assert run.series["train/loss"].steps.tolist() == list(map(float, range(N)))


def test_runs_named_next_to_their_values_are_several(tmp_path):
    """A key that names the run keeps them apart."""
    log = tmp_path / "metrics.jsonl"
    printed = [{**point, "run_id": run, "value": float(str(point["value"])) + add} for run, add in (("a", 0), ("b", 1)) for point in points("name", "value")]  # fmt: skip
    log.write_text(lines(*printed))
    first, second = nndoctor.read(str(log))
    assert first.series["train/loss"].values.tolist() == pytest.approx(TRAIN)
    assert second.series["train/loss"].values.tolist() == pytest.approx([loss + 1 for loss in TRAIN])


def test_a_model_named_test_is_no_split(tmp_path):
    """A column of run names in which one word is a split's name by chance tells no splits apart."""
    log = tmp_path / "log.jsonl"
    log.write_text(lines(*({"run": "test", "epoch": k, "train_loss": TRAIN[k]} for k in range(N))))
    (run,) = nndoctor.read(str(log))
    assert set(run.series) == {"train/loss"}
