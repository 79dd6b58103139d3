"""One run, written as data by every writer that is known, is one run: tables, JSON, JSON lines, folders."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.readers.one_run import FORMS, RATE, RIGHT, TLA, TRAIN, VALID, read_as_given

RUN = list(enumerate(zip(TRAIN, VALID, RIGHT, RATE, strict=True)))


def rows(header, line):
    """A table with a line an epoch."""
    return (
        header
        + "\n"
        + "".join(
            line.format(k=k, s=100 * (k + 1), t=t, v=v, a=a, r=r, p=round(100 * a, 2)) + "\n" for k, (t, v, a, r) in RUN
        )
    )


def lines(*makers, head=()):
    """JSON lines, one for each maker and epoch."""
    made = [maker(k, *numbers) for k, numbers in RUN for maker in makers]
    return "\n".join(map(json.dumps, [*head, *made])) + "\n"


def array(*makers, indent=None):
    """The same as one JSON array."""
    return json.dumps([maker(k, *numbers) for k, numbers in RUN for maker in makers], indent=indent)


def both(k, t, v, a, r):
    return {"epoch": k, "train_loss": t, "val_loss": v, "val_acc": a, "lr": r}


WRITERS: dict[str, tuple[str, str]] = {
    "keras": (rows("epoch,loss,lr,val_accuracy,val_loss", "{k},{t},{r},{a},{v}"), TLA + " lr"),
    "keras, semicolons": (rows("epoch;loss;val_acc;val_loss", "{k};{t};{a};{v}"), TLA),
    "lightning": (rows("epoch,lr-Adam,step,train_loss,val_acc,val_loss", "{k},,{s},{t},,\n{k},{r},{s},,,\n{k},,{s},,{a},{v}"), TLA + " lr"),
    "timm": (rows("epoch,train_loss,eval_loss,eval_top1,eval_top5,lr", "{k},{t},{v},{p},99.0,{r}"), TLA + " lr"),
    "fastai": (rows("epoch,train_loss,valid_loss,accuracy,time", "{k},{t},{v},{a},00:12"), TLA),
    "flair": (rows("EPOCH\tTIMESTAMP\tLEARNING_RATE\tTRAIN_LOSS\tDEV_LOSS\tDEV_ACCURACY", "{k}\t12:00:01\t{r}\t{t}\t{v}\t{a}"), TLA + " lr"),
    "ultralytics": (rows("                  epoch,      train/box_loss,        val/box_loss,               lr/pg0,       lr/pg1", "  {k},   {t},  {v},   0.1, {r}"), "train/loss validation/loss lr"),
    "pandas": (rows(",train_loss,valid_loss,valid_acc", "{k},{t},{v},{a}"), TLA),
    "excel": (rows('"Epoch";"Train Loss";"Val Loss";"Val Acc (%)"', '{k};"{t}";"{v}";"{p}"').replace(".", ","), TLA),
    "blanks": (rows("epoch train_loss val_loss val_acc", "{k} {t} {v} {a}"), TLA),
    "phases": (rows("epoch,phase,loss,acc", "{k},train,{t},0.5\n{k},val,{v},{a}"), TLA),
    "wandb history": (lines(lambda k, t, v, a, r: {"_step": k, "_runtime": 9, "_timestamp": 1.7e9, "train/loss": t, "val/loss": v, "val/acc": a, "lr": r}), TLA + " lr"),
    "wandb api": (rows(",_step,_runtime,_timestamp,train_loss,val_loss,val_acc", "{k},{k},9.1,1700000000,{t},{v},{a}"), TLA),
    "deit": (lines(lambda k, t, v, a, r: {"train_lr": r, "train_loss": t, "test_loss": v, "test_acc1": 100 * a, "test_acc5": 99.0, "epoch": k, "n_parameters": 9}), TLA + " lr"),
    "mmdet": (lines(lambda k, t, _v, _a, r: {"mode": "train", "epoch": k + 1, "iter": 50, "lr": r, "loss_cls": 0.1, "loss": t}, lambda k, _t, v, a, r: {"mode": "val", "epoch": k + 1, "iter": 10, "lr": r, "accuracy_top-1": 100 * a, "loss": v}, head=[{"env_info": "x", "seed": 1}]), TLA),
    "mmengine": (lines(lambda k, t, _v, _a, r: {"lr": r, "data_time": 0.1, "loss": t, "epoch": k + 1, "iter": 50 * (k + 1), "memory": 99, "step": 50 * (k + 1)}, lambda k, _t, _v, a, _r: {"accuracy/top1": 100 * a, "data_time": 0.1, "time": 0.1, "step": 50 * (k + 1)}), "train/loss validation/accuracy lr"),
    "detectron2": (lines(lambda k, t, _v, _a, r: {"iteration": 100 * (k + 1), "total_loss": t, "loss_cls": 0.1, "lr": r, "data_time": 0.1, "eta_seconds": 9.0}), "train/loss lr"),
    "llama-factory": (lines(lambda k, t, _v, _a, r: {"current_steps": 10 * (k + 1), "total_steps": 90, "loss": t, "lr": r, "epoch": k + 0.1, "percentage": 9.0, "elapsed_time": "0:00:01", "remaining_time": "0:01:00"}, lambda k, _t, v, _a, _r: {"current_steps": 10 * (k + 1), "total_steps": 90, "eval_loss": v, "epoch": k + 0.1, "percentage": 9.0}), "train/loss validation/loss lr"),
    "trainer state": (json.dumps({"best_metric": None, "log_history": [x for k, (t, v, a, r) in RUN for x in ({"epoch": k + 1.0, "loss": t, "learning_rate": r, "step": 10 * (k + 1)}, {"epoch": k + 1.0, "eval_loss": v, "eval_accuracy": a, "step": 10 * (k + 1)})], "max_steps": 90}), TLA + " lr"),
    "log history alone": (json.dumps([x for k, (t, v, a, r) in RUN for x in ({"epoch": k + 1.0, "loss": t, "learning_rate": r, "step": 10 * (k + 1)}, {"epoch": k + 1.0, "eval_loss": v, "eval_accuracy": a, "step": 10 * (k + 1)})]), TLA + " lr"),
    "chainer": (array(lambda k, t, v, a, _r: {"main/loss": t, "main/accuracy": 0.5, "validation/main/loss": v, "validation/main/accuracy": a, "epoch": k + 1, "iteration": 100 * (k + 1), "elapsed_time": 9.0}, indent=4), TLA),
    "array": (array(both), TLA + " lr"),
    "history": (json.dumps({"loss": TRAIN, "val_loss": VALID, "val_accuracy": RIGHT, "lr": RATE}), TLA + " lr"),
    "lists": (json.dumps({"train_losses": TRAIN, "val_losses": VALID, "val_accs": RIGHT}), TLA),
    "nested lists": (json.dumps({"train": {"loss": TRAIN}, "val": {"loss": VALID, "acc": RIGHT}}), TLA),
    "settings, then lists": (json.dumps({"config": {"lr": 0.1, "layers": [3, 4]}, "history": {"train_loss": TRAIN, "val_loss": VALID}}), "train/loss validation/loss"),
    "epochs in a list": (json.dumps({"config": {"seed": 1}, "epochs": [both(k, *n) for k, n in RUN]}), TLA + " lr"),
    "history of records": (json.dumps({"model": "m", "history": [both(k, *n) for k, n in RUN]}, indent=1), TLA + " lr"),
    "epochs by name": (json.dumps({str(k): {"train_loss": t, "val_loss": v, "val_acc": a} for k, (t, v, a, _) in RUN}), TLA),
    "epochs by name, indented": (json.dumps({f"epoch_{k}": {"train": {"loss": t}, "val": {"loss": v}} for k, (t, v, _, _) in RUN}, indent=2), "train/loss validation/loss"),
    "keras' columns by index": (json.dumps({"loss": {str(k): t for k, t in enumerate(TRAIN)}, "val_loss": {str(k): v for k, v in enumerate(VALID)}}), "train/loss validation/loss"),
    "nested records": (lines(lambda k, t, v, a, _r: {"epoch": k, "train": {"loss": t}, "val": {"loss": v, "accuracy": a}}), TLA),
    "python dicts": (repr({"loss": TRAIN, "val_loss": VALID, "val_accuracy": RIGHT}), TLA),
    "python dicts, a line each": ("".join(f"{both(k, *n)}\n" for k, n in RUN), TLA + " lr"),
    "xgboost": (json.dumps({"validation_0": {"logloss": TRAIN}, "validation_1": {"logloss": VALID}}), "train/loss validation/loss"),
    "lightgbm": (json.dumps({"training": {"binary_logloss": TRAIN}, "valid_1": {"binary_logloss": VALID}}), "train/loss validation/loss"),
    "catboost": (json.dumps({"learn": {"Logloss": TRAIN}, "validation": {"Logloss": VALID}}), "train/loss validation/loss"),
    "catboost_training.json": (json.dumps({"meta": {"learn_sets": ["learn"], "test_sets": ["test"], "learn_metrics": [{"best_value": "Min", "name": "Logloss"}], "test_metrics": [{"best_value": "Min", "name": "Logloss"}]}, "iterations": [{"learn": [t], "iteration": k, "passed_time": 0.1, "test": [v]} for k, (t, v, _, _) in RUN]}), "train/loss validation/loss"),
    "scikit-learn": (json.dumps({"loss_curve_": TRAIN, "validation_scores_": RIGHT}), "train/loss"),
    "skorch": (array(lambda k, t, v, a, _r: {"batches": [{"train_loss": t, "train_batch_size": 9}], "epoch": k + 1, "train_batch_count": 4, "train_loss": t, "train_loss_best": True, "valid_loss": v, "valid_acc": a, "dur": 0.1}), TLA),
    "allennlp": (lines(lambda k, t, v, a, _r: {"best_epoch": 1, "epoch": k, "training_loss": t, "validation_loss": v, "validation_accuracy": a, "best_validation_loss": 0.1}), TLA),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_of_data_shows_of_the_same_run(writer, form):
    """Series, values and even steps."""
    for series in read_as_given(*WRITERS[writer], form):
        assert np.ptp(np.diff(series.steps)) < 1e-9, series.name
