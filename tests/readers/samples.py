"""A small log of each format, which tells of the same run: the losses of tests/readers/one_run.py."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.readers import test_tensorboard as events
from tests.readers import test_wandb_binary as wandb
from tests.readers.one_run import TRAIN, VALID, N

STEPS = range(N)
EPOCHS = list(enumerate(zip(TRAIN, VALID, strict=True)))
LINES = "".join(f"epoch {k}: train loss {t}, val loss {v}\n" for k, (t, v) in EPOCHS)


def text(name: str, content: str) -> Callable[[Path], Path]:
    """A sample that is one file."""

    def make(folder: Path) -> Path:
        (folder / name).write_text(content, encoding="utf-8")
        return folder / name

    return make


def tree(files: dict[str, str]) -> Callable[[Path], Path]:
    """A sample that is a folder of files."""

    def make(folder: Path) -> Path:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        return folder

    return make


def rows(head: str, line: str) -> str:
    """A header and a line for each epoch: `{k}`, `{t}` and `{v}` are its number and its losses."""
    return head + "\n" + "".join(line.format(k=k, t=t, v=v) + "\n" for k, (t, v) in EPOCHS)


def records(*pairs: tuple[str, float]) -> str:
    """A file with one line of JSON."""
    return json.dumps(dict(pairs))


def parquet(folder: Path) -> Path:
    """A table in columns."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    pq.write_table(pa.table({"epoch": list(STEPS), "loss": TRAIN, "val_loss": VALID}), folder / "history.parquet")
    return folder / "history.parquet"


def wandb_file(folder: Path) -> Path:
    """A W&B run as its client writes it."""
    history = [wandb.history(k, loss=t, val_loss=v) for k, (t, v) in EPOCHS]
    (folder / "run-x.wandb").write_bytes(wandb.file_of(*history))
    return folder / "run-x.wandb"


def event_file(folder: Path) -> Path:
    """A TensorBoard event file."""
    scalars = [events.event(k, events.scalar("loss/train", t), events.scalar("loss/val", v)) for k, (t, v) in EPOCHS]
    return events.write(folder, *scalars)


def database(name: str, *statements: str, points: str, values: list[tuple[object, ...]]) -> Callable[[Path], Path]:
    """An SQLite store."""

    def make(folder: Path) -> Path:
        base = sqlite3.connect(folder / name)
        with base:
            for statement in statements:
                base.execute(statement)
            base.executemany(points, values)
        base.close()
        return folder / name

    return make


MLFLOW = database(
    "mlflow.db",
    "create table runs (run_uuid text, name text, lifecycle_stage text, start_time integer)",
    "create table params (key text, value text, run_uuid text)",
    "create table metrics (key text, value float, timestamp integer, run_uuid text, step integer, is_nan integer)",
    "insert into runs values ('u', 'run', 'active', 1)",
    points="insert into metrics values (?, ?, 7, 'u', ?, 0)",
    values=[row for k, (t, v) in EPOCHS for row in (("train_loss", t, k), ("val_loss", v, k))],
)
TRACKIO = database(
    "nets.db",
    "create table metrics (id integer primary key, timestamp text, run_name text, step integer, metrics text)",
    "create table configs (id integer primary key, run_name text, config text)",
    points="insert into metrics (timestamp, run_name, step, metrics) values ('2026-01-01', 'run', ?, ?)",
    values=[(k, records(("train_loss", t), ("val_loss", v))) for k, (t, v) in EPOCHS],
)
YOLO = "Starting training for 9 epochs...\n" + "".join(
    f"""
     Epoch   gpu_mem       box       obj       cls    labels  img_size
       {k}/8     4.89G   {t}   0.0      0.0         0      1280: 100%|██████████| 8/8 [00:06<00:00,  1.83s/it]
               Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95: 100%|██████████| 1/1 [00:02<00:00]
                 all        677       2449      0.{k}5       0.{k}4    0.{k}3    0.{k}2
"""
    for k, (t, _) in EPOCHS
)
TABLE = "".join(
    f"""-----------------------------
| rollout/           |      |
|    ep_rew_mean     | {k}.5  |
| time/              |      |
|    total_timesteps | {k}00  |
| train/             |      |
|    loss            | {t} |
-----------------------------
"""
    for k, (t, _) in EPOCHS
)
PRINTED = {"cell_type": "code", "source": ["fit()"], "outputs": [{"output_type": "stream", "text": [LINES]}]}
MLFLOW_RUN = {
    "meta.yaml": "run_id: x\n",
    "metrics/train_loss": "".join(f"170820836853{k} {t} {k}\n" for k, t in enumerate(TRAIN)),
    "metrics/val_loss": "".join(f"170820836853{k} {v} {k}\n" for k, v in enumerate(VALID)),
}
FACTS = {"recorder": "0.1.0", "optimizer": "Adam"}

# By the reader's name, in the order of READERS; `aim` is recognized, and refused with advice.
SAMPLES: dict[str, Callable[[Path], Path]] = {
    "nndoctor-run": tree({"run.json": json.dumps(FACTS), "run.csv": rows("step,train/loss,validation/loss", "{k},{t},{v}")}),
    "wandb": wandb_file,
    "columnar": parquet,
    "catboost": tree({f"{s}_error.tsv": rows("iter\tLogloss", "{k}\t" + c) for s, c in (("learn", "{t}"), ("test", "{v}"))}),
    "dvclive": tree({f"plots/metrics/{s}/loss.tsv": rows("step\tloss", "{k}\t" + c) for s, c in (("train", "{t}"), ("eval", "{v}"))}),
    "mlflow": tree(MLFLOW_RUN),
    "trackio-db": TRACKIO,
    "mlflow-db": MLFLOW,
    "aim": tree({".aim/meta/chunks/x": "", ".aim/seqs/chunks/x": ""}),
    "numbered-json": tree({f"metrics_epoch_{k}.json": records(("epoch", k), ("training_loss", t), ("validation_loss", v)) for k, (t, v) in EPOCHS}),
    "tensorboard": event_file,
    "hf-trainer-state": text("trainer_state.json", json.dumps({"log_history": [x for k, (t, v) in EPOCHS for x in ({"step": k, "loss": t}, {"step": k, "eval_loss": v})], "max_steps": N})),
    "notebook": text("train.ipynb", json.dumps({"cells": [PRINTED], "metadata": {}, "nbformat": 4, "nbformat_minor": 2})),
    "wrapped-text": text("x-json.log", "".join(json.dumps({"log": line + "\n", "stream": "stdout"}) + "\n" for line in LINES.splitlines())),
    "jsonl": text("log.jsonl", "".join(records(("epoch", k), ("train_loss", t), ("val_loss", v)) + "\n" for k, (t, v) in EPOCHS)),
    "json-objects": text("log.txt", "\n".join(json.dumps({"epoch": k, "main/loss": t, "validation/main/loss": v}, indent=4) for k, (t, v) in EPOCHS)),
    "keras-history": text("history.json", json.dumps({"loss": TRAIN, "val_loss": VALID})),
    "wandb-panel": text("panel.csv", rows('"Step","a - train/loss","a - val/loss"', '"{k}","{t}","{v}"')),
    "tensorboard-csv": text("run-train-tag-loss.csv", rows("Wall time,Step,Value", "1700000000.{k},{k},{t}")),
    "yolo-results-txt": text("results.txt", "".join(f"   {k}/8   1.86G   {t}   0   0   {t}   9   640   0.{k}1 0.{k}2 0.{k}3 0.{k}2   {v}   0   0\n" for k, (t, v) in EPOCHS)),
    "yolo-terminal": text("yolo.log", YOLO),
    "long-table": text("long.csv", rows("step,metric,value", "{k},train_loss,{t}\n{k},val_loss,{v}")),
    "csv": text("log.csv", rows("epoch,loss,val_loss", "{k},{t},{v}")),
    "markdown": text("README.md", "# Model\n\nA small network.\n\n### Training results\n\n" + rows("| Epoch | Training Loss | Validation Loss |\n|:---:|:---:|:---:|", "| {k} | {t} | {v} |")),
    "ruled-tables": text("sb3.log", TABLE),
    "text": text("train.log", LINES),
    "aligned": text("chainer.log", "device: cpu\nminibatch: 64\n\n" + rows("epoch       main/loss   validation/main/loss", "{k}           {t}      {v}")),
    "lists": text("losses.txt", f"train_losses = {TRAIN}\nval_losses = {VALID}\n"),
}  # fmt: skip
