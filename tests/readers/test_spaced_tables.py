"""Tables that blanks part: times behind their rows, the columns of YOLOv6, and scores of a set without labels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nndoctor.core.run import Run

Write = Callable[[str], Run]
TIMED = "epoch train_loss valid_loss accuracy\n" + "".join(
    f"{k} {2.1 - 0.2 * k:.6f} {2.3 - 0.2 * k:.6f} {0.1 * k:.6f} (01:0{k})\n" for k in range(1, 8)
)
BAR = "100%|##########| 12/12 [00:03<00:00,  4.00it/s]"


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


@pytest.mark.parametrize("above", ["", "Total time: 07:28\n", "learn.fit_one_cycle(7)\n\n"])
def test_a_time_in_brackets_behind_a_row_moves_no_column(pasted: Write, above: str) -> None:
    run = pasted(above + TIMED)
    assert _values(run, "train/loss") == [1.9, 1.7, 1.5, 1.3, 1.1, 0.9, 0.7]
    assert _values(run, "validation/loss") == [2.1, 1.9, 1.7, 1.5, 1.3, 1.1, 0.9]
    assert list(run.series["train/loss"].steps) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("lr", ["", "   0.00333"])
def test_the_losses_of_yolov6_are_read_without_memory_and_labels(pasted: Write, lr: str) -> None:
    head = f"     Epoch {'       lr' if lr else ''}  iou_loss  dfl_loss  cls_loss\n"
    rows = "".join(
        f"\n{head}       {k}/5{lr}      1.{9 - k}      0.{9 - k}         0:  50%|#####     | 6/12 [00:01<00:01]\r"
        f"       {k}/5{lr}      1.{8 - k}      0.{8 - k}         0: {BAR}\n"
        for k in range(6)
    )
    run = pasted(f"Training start...\n{rows}Epoch: 5 | mAP@0.5: 0.31 | mAP@0.50:0.95: 0.17\n")
    assert _values(run, "train/iou_loss") == [1.8, 1.7, 1.6, 1.5, 1.4, 1.3]
    assert _values(run, "train/dfl_loss") == [0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert _values(run, "train/cls_loss") == [0] * 6
    assert _values(run, "validation/map") == [0.17]


def test_a_loss_of_yolov6_that_is_zero_throughout_is_read(pasted: Write) -> None:
    head = "\n     Epoch  iou_loss  dfl_loss  cls_loss\n"
    run = pasted("".join(f"{head}      {k}/9         0         0   0.0{9 - k}: {BAR}\n" for k in range(6)))
    assert _values(run, "train/iou_loss") == [0] * 6
    assert _values(run, "train/loss") == [0.09, 0.08, 0.07, 0.06, 0.05, 0.04]


@pytest.mark.parametrize(("labels", "known"), [("0", 0), ("112", None)])
def test_a_validation_set_without_labels_is_a_fact(pasted: Write, labels: str, known: int | None) -> None:
    rows = "".join(
        "\n     Epoch   gpu_mem       box       obj       cls    labels  img_size\n"
        f"       {k}/3     1.89G   0.0{9 - k}   0.03      0.01        40       640: {BAR}\n"
        "               Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95: 100%|###| 1/1 [00:00<00:00]\n"
        f"                 all         25        {labels}          0          0          0          0\n"
        for k in range(4)
    )
    assert pasted(rows).fact("validation_labels") == known
