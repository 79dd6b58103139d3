"""Logs of one row: those that prove a fault are judged, all others are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog
from nndoctor.core.finding import Severity
from nndoctor.core.run import Fact, Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

GROUPS = "{{'loss': 0.0, 'grad_norm': {norm}, 'learning_rate': 1e-06, 'completions/mean_length': 410.5, 'reward': 1.5, 'reward_std': {std}, 'frac_reward_zero_std': {dead}, 'epoch': 0.21}}\n"
PROOFS = {
    "loss-exactly-zero": "Epoch: 3/20 Train Loss: 0.0000 Train Acc: 0.3321\nEpoch: 3/20 Val Loss: 0.0000 Val Acc: 0.3402\n",
    "no-reward-signal": GROUPS.format(norm=0.0, std=0.0, dead=1.0),
    "discriminator-wins": "[Epoch 7000] [D loss: 0.000052, acc: 100%] [G loss: 24.118095]\n",
}
OTHERS = (
    "Epoch: 3/20 Train Loss: 0.0000 Train Acc: 0.9998\n",
    "Epoch: 3/20 Train Loss: 0.6931 Train Acc: 0.5021\n",
    GROUPS.format(norm=0.31, std=0.52, dead=0.25),
    "[Epoch 7000] [D loss: 0.612, acc: 71.88%] [G loss: 0.98]\n",
    "[Epoch 7000] [D loss: 0.000052, acc: 100%] [G loss: 0.98]\n",
    "In epoch 3 the loss was 0.0 and the accuracy 50.\n",
)


def _warnings(path: Path) -> list[str]:
    return [found.name for found in nndoctor.diagnose(path).at_least(Severity.WARNING)]


@pytest.mark.parametrize("name", PROOFS)
def test_a_row_that_proves_a_fault_is_judged(tmp_path: Path, name: str) -> None:
    path = tmp_path / "paste.log"
    path.write_text(PROOFS[name], encoding="utf-8")
    assert _warnings(path)[0] == name


@pytest.mark.parametrize("text", OTHERS)
def test_any_other_row_is_too_few(tmp_path: Path, text: str) -> None:
    path = tmp_path / "paste.log"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableLog):
        nndoctor.read(path)


def test_a_table_of_one_row_that_proves_a_fault_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,acc\n0,0.0,0.11\n", encoding="utf-8")
    assert _warnings(path)[0] == "loss-exactly-zero"


def test_the_first_loss_of_a_training_and_of_its_epoch_are_two_values(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(
        "2021-05-06 10:00:00 | INFO | train | epoch 004 | loss 8.412 | ppl 340.6 | num_updates 812 | lr 0.0002 | gnorm 31.5 | loss_scale 0\n"
        "2021-05-06 10:01:00 | INFO | train_inner | epoch 005:  8 / 203 loss=8.31, ppl=317.4, num_updates=820, lr=0.0002, gnorm=64.2, loss_scale=0\n"
        + "".join(
            f"2021-05-06 10:0{k}:00 | INFO | fairseq.trainer | NOTE: overflow detected, setting loss scale to: {scale}\n"
            for k, scale in enumerate((0.001953125, 0.0009765625, 0.00048828125), 2)
        ),
        encoding="utf-8",
    )
    assert _warnings(path)[0] == "loss-scale-collapse"


def test_one_score_at_its_worst_is_enough_without_labels_or_boxes() -> None:
    drawn = Run.drawn(train_loss="0.5 0.4 0.3", validation_map="0 0 0")
    assert _named(drawn) is Severity.INFO
    unlabelled = Run(drawn.series, {**drawn.facts, "validation_labels": Fact(0)})
    assert _named(unlabelled) is Severity.WARNING
    assert "counts 0 labels" in next(
        f.message for f in diagnose(unlabelled, RULES).findings if f.name == "metric-at-worst"
    )


def test_one_score_at_its_worst_is_enough_where_no_box_is_compared_late_in_a_run(tmp_path: Path) -> None:
    text = "epoch,train/loss,train/iou_loss,metrics/mAP50(B)\n"
    rows = "".join(f"{k},0.0{90 - k},{{iou}},{'0' if k == 66 else ''}\n" for k in range(60, 67))
    found = {}
    for name, iou in (("zero", "0"), ("falls", "0.3")):
        path = tmp_path / f"{name}.csv"
        path.write_text(text + rows.format(iou=iou), encoding="utf-8")
        found[name] = _warnings(path)
    assert "metric-at-worst" in found["zero"]
    assert "metric-at-worst" not in found["falls"]


def test_two_gradients_that_are_nan_end_a_short_log_but_no_long_one() -> None:
    for grad_norm, severity in (
        ("1.4 1.2 1.3 1.1 nan nan", Severity.WARNING),
        ("1.4 1.2 1.3 1.1 inf inf", Severity.INFO),
        ("1.4 1.2 1.3 nan 1.1 nan", Severity.INFO),
        ("1.4 1.2 1.3 1.1 1.2 1.1 1.2 1.3 nan nan", Severity.INFO),
    ):
        count = len(grad_norm.split())
        run = Run.drawn(grad_norm=grad_norm, train_loss=f"2.3..2.1*{count}")
        found = {f.name: f.severity for f in diagnose(run, RULES).findings}
        assert found["gradients-not-finite"] is severity, grad_norm


def _named(run: Run) -> Severity:
    return next(f.severity for f in diagnose(run, RULES).findings if f.name == "metric-at-worst")
