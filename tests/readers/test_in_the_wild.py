"""Logs as frameworks and people print them today, one of each kind: every one is read with the series that it tells."""

from __future__ import annotations

import pytest

import nndoctor
from tests.readers.wild import ALL, HELD, HELD_SHARE, LOSSES, SHARE, TRAIN, N, each, reads_as

RULER = "|" + "=" * 60 + "|\n"


def long(rows: list[tuple[str, int, float]], line: str, head: str) -> str:
    """A long table: one value a row."""
    return head + "".join(line.format(name=name, k=k, v=value) for name, k, value in rows)


ROWS = [("train_loss", k, TRAIN[k]) for k in range(N)] + [("val_loss", k, HELD[k]) for k in range(N)]
PIECES = "loss: {a}  [    0/60000]\nloss: {a}  [ 6400/60000]\n"

WILD = {
    "heading above the numbers of a split": (
        each("Epoch {n}\n-------\n" + PIECES + "Test Error: \n Accuracy: {q:.2f}%, Avg loss: {b}\n\n", tail="Done!\n"),
        {"validation/loss": HELD, "validation/accuracy": HELD_SHARE},
    ),
    "splits without a metric are losses": (each("Epoch {n}: train={a} valid={b} lr=0.1\n"), LOSSES),
    "splits beside a loss are accuracies": (
        each("Epoch: {n:03d}, Loss: {a}, Train: {x}, Val: {y}, Test: {y}\n"),
        {"train/loss": TRAIN, "train/accuracy": SHARE, "validation/accuracy": HELD_SHARE},
    ),
    "a metric for both splits that follow": (each("iter {n} | loss train: {a}, val: {b} | 12 ms\n"), LOSSES),
    "one bar drawn anew for all epochs": (
        each("\rEpoch {k}:  50%|#| 5/10 [00:01, v_num=0, train_loss=9.9]\rEpoch {k}: 100%|#| 10/10 [00:01, train_loss={a}, val_loss={b}]"),
        LOSSES,
    ),
    "the last step of an epoch on a line of its own": (
        each("Epoch {k}: 100%|#| 10/10 [00:01, train_loss={a}]\nEpoch {k}, global step {n}00: 'val_loss' reached {b} (best {b})\n"),
        LOSSES,
    ),
    "the average in brackets before the next name": (
        each("Train Epoch: {k} [4096/9999 (4%)] Contrastive_loss: {a} ({a}) Loss: {a} ({a}) LR: 0.1\n"),
        {"train/loss": TRAIN},
    ),
    "metrics of the first epoch said again": (
        each("epoch: [{n}/12], global_step: {n}00, acc: {x}, loss: {a}\ncur metric, acc: {y}\nbest metric, acc: 0.9\n"),
        {"train/loss": TRAIN, "train/accuracy": SHARE},
    ),
    "XGBoost's two sets": (each("[{k}]\tvalidation_0-mlogloss:{a}\tvalidation_1-mlogloss:{b}\n"), LOSSES),
    "LightGBM quotes its best round": (
        each("[{n}0]\ttraining's l2: {a}\tvalid_1's l2: {b}\n", tail="Early stopping, best iteration is:\n[80]\ttraining's l2: 0.3\tvalid_1's l2: 0.4\n"),
        {"train/mse": TRAIN, "validation/mse": HELD},
    ),
    "the best epoch quoted at the end": (
        each("Epoch {n} train_loss {a} val_loss {b}\n", tail=f"Best:\nEpoch 5 train_loss {TRAIN[4]} val_loss {HELD[4]}\n"),
        LOSSES,
    ),
    "DETR prints a summary below its test": (
        each(
            "Epoch: [{k}]  [1/9]  eta: 0:10:00  lr: 0.1  loss: 9.0 (9.0)\nAveraged stats: lr: 0.1  loss: {a} ({a})\n"
            "Test:  [ 0/97]  eta: 0:01:00  loss: 0.5 (0.5)  acc1: 90.0 (90.0)\nTest: Total time: 0:00:20 (0.2 s / it)\n"
            "* Acc@1 {q:.2f} Acc@5 95.0 loss {b}\n"
        ),
        {"train/loss": TRAIN, "validation/loss": HELD, "validation/accuracy": HELD_SHARE},
    ),
    "TensorFlow's object detection": (
        each("INFO:tensorflow:Step {n}00 per-step time 0.3s\nINFO:tensorflow:{{'Loss/classification_loss': 0.2,\n 'Loss/total_loss': {a},\n 'learning_rate': 0.1}}\n"),
        {"train/loss": TRAIN},
    ),
    "Composer's evaluation": (
        each("[batch={n}/12]:\n\t Train loss/train/total: {a}\n[Eval batch={n}/12] Eval on eval data:\n\t Eval metrics/eval/LanguageCrossEntropy: {b}\n"),
        LOSSES,
    ),
    "a table below a preface": (
        each("{n:<10}  {a:<10}  {b:<20}\n", "GPU: 0\n# unit: 1000\n\nepoch       main/loss   validation/main/loss\n"),
        LOSSES,
    ),
    "names cut by a ruler": (
        each("  {k}    {k}00     12.3     {a}   {q:.2f}   60.0   0.5\n", "Pipeline: ner\nE    #       LOSS TOK2VEC  LOSS NER  ENTS_F  ENTS_P  SCORE\n---  ------  ------------  --------  ------  ------  ------\n"),
        {"train/loss": TRAIN, "validation/f1": HELD_SHARE},
    ),
    "a header of two lines": (
        each(
            "| {n:5d} | {n:5d}0 | 00:00:01 | {p:.2f}% | {q:.2f}% | {a} | {b} | 0.0100 |\n",
            RULER + "| Epoch | Iteration | Time Elapsed | Mini-batch | Validation | Mini-batch | Validation | Base Learning |\n"
            "|       |           |  (hh:mm:ss)  |  Accuracy  |  Accuracy  |    Loss    |    Loss    |      Rate     |\n" + RULER,
            RULER,
        ),
        ALL,
    ),
    "one value a row, steps together": (
        long(sorted(ROWS, key=lambda row: row[1]), '"{name}","{k}","{v}","1700000000"\n', '"metric_name","step","metric_value","timestamp"\n'),
        LOSSES,
    ),
    "one value a row, curves together": (long(ROWS, "{name},{k},{v}\n", "series,iter,value\n"), LOSSES),
    "one value a row, the split beside it": (
        long([(f"loss,{'training' if n == 'train_loss' else 'validation'}", k, v) for n, k, v in ROWS], "{k},{v},{name}\n", "epoch,value,metric,data\n"),
        LOSSES,
    ),
    "lists with a name": (f"args: lr=0.1\ntrain_losses = {TRAIN}\nval_losses = {HELD}\n", LOSSES),
    "YAML of lists": ("train_loss:\n" + "".join(f"- {v}\n" for v in TRAIN) + "val_loss:\n" + "".join(f"- {v}\n" for v in HELD), LOSSES),
    "Excel's word on its separator": (each("{k};{a};{b}\n", "\ufeffsep=;\nepoch;loss;val_loss\n"), LOSSES),
    "the name before the epoch": (each("Cost after iteration {k}: {a}\n"), {"train/loss": TRAIN}),
    "PyTorch's tutorial": (
        "EPOCH 1:\n" + each("  batch 1000 loss: {a}\n  batch 2000 loss: {a}\nLOSS train {a} valid {b}\nEPOCH {n}9:\n"),
        LOSSES,
    ),
    "columns called as the splits are": (each("{k},{a},{b}\n", "epoch,train,val\n"), LOSSES),
    "cells in brackets": (each("{k},[{a}],[{b}]\n", "epoch,train_loss,val_loss\n"), LOSSES),
    "a column that says what kind a row is": (
        each('{{"type": "train", "epoch": {k}, "loss": {a}}}\n{{"type": "val", "epoch": {k}, "loss": {b}}}\n'),
        LOSSES,
    ),
    "lists of pairs": (
        '{"train_loss": ' + str([[k, v] for k, v in enumerate(TRAIN)]) + ', "val_loss": ' + str([[k, v] for k, v in enumerate(HELD)]) + "}",
        LOSSES,
    ),
    "records in an envelope": (
        each('{{"event": "epoch_end", "data": {{"epoch": {k}, "train_loss": {a}, "val_loss": {b}}}}}\n'),
        LOSSES,
    ),
    "Chinese": (each("第{n}轮 训练损失: {a} 验证损失: {b} 验证准确率: {y}\n"), {**LOSSES, "validation/accuracy": HELD_SHARE}),
    "a Chinese header": (each("{n},{a},{b}\n", "轮次,训练损失,验证损失\n"), LOSSES),
    "Korean": (each("에폭 {n}, 훈련 손실: {a}, 검증 손실: {b}\n"), LOSSES),
}  # fmt: skip


@pytest.mark.parametrize("kind", WILD)
def test_a_log_is_read_with_the_series_that_it_tells(tmp_path, kind):
    """One run; the series named here hold these values in this order."""
    reads_as(tmp_path / "log.txt", *WILD[kind])


def test_long_tables_of_several_runs_are_several_runs(tmp_path):
    """A column that names the run keeps them apart."""
    log = tmp_path / "long.csv"
    rows = [f"{run},{name},{k},{v + run}\n" for run in (1, 2) for name, k, v in ROWS]
    log.write_text("run_id,metric,step,value\n" + "".join(rows), encoding="utf-8")
    runs = nndoctor.read(str(log))
    assert [run.series["train/loss"].values[0] for run in runs] == [TRAIN[0] + 1, TRAIN[0] + 2]


@pytest.mark.parametrize(
    "text", ["a = [1, 2, 3]\n", "loss = [0.5, 'x', 0.3]\n", "loss = [0.5,\n", "weights: [[1, 2, 3], [4, 5, 6]]\n"]
)
def test_lists_that_tell_of_no_run_are_refused(tmp_path, text):
    """Lists of other names, of words, or cut off."""
    log = tmp_path / "lists.txt"
    log.write_text(text, encoding="utf-8")
    with pytest.raises(nndoctor.core.errors.NNDoctorError):
        nndoctor.read(str(log))


def test_a_wide_table_with_a_column_called_value_stays_wide(tmp_path):
    """Names and values beside a loss make no long table."""
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss,name,value\n" + "".join(f"{k},{TRAIN[k]},loss,7\n" for k in range(N)), encoding="utf-8")
    assert nndoctor.read(str(log))[0].series["train/loss"].values.tolist() == TRAIN


def test_odd_line_ends_in_a_long_table_break_nothing(tmp_path):
    """A lone carriage return within a cell is no end of a line."""
    log = tmp_path / "long.csv"
    log.write_bytes(b"step,metric,value\n" + b"".join(b"%d,lo\rss,0.5\n%d,loss,%d\n" % (k, k, k) for k in range(9)))
    assert len(nndoctor.read(str(log))[0].series["train/loss"]) == 9
