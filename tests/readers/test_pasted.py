"""Logs as people paste them: without their line breaks, cut out of an epoch, with remarks and typographic quotes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import nndoctor
from nndoctor.core.run import Run

Write = Callable[[str], Run]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def test_dictionaries_on_one_line_are_a_row_each(pasted: Write) -> None:
    rows = [f"{{'loss': {2 - 0.1 * k:.1f}, 'learning_rate': 1e-05, 'epoch': {0.1 * k:.1f}}}" for k in range(1, 9)]
    run = pasted("It went like this: " + " ".join(rows))
    assert _values(run, "train/loss") == [1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3, 1.2]


def test_epochs_of_keras_on_one_line_are_a_row_each(pasted: Write) -> None:
    bar = "40/40 [==============================] - 1s 9ms/step"
    run = pasted(" ".join(f"Epoch {k}/5 {bar} - loss: 0.{9 - k} - val_loss: 0.{9 - k}5" for k in range(1, 6)))
    assert _values(run, "train/loss") == [0.8, 0.7, 0.6, 0.5, 0.4]
    assert _values(run, "validation/loss") == [0.85, 0.75, 0.65, 0.55, 0.45]


def test_records_of_a_logger_on_one_line_are_a_row_each(pasted: Write) -> None:
    stamp = "[2022/03/04 10:0{}:00] ppocr INFO: epoch: [1/9], iter: {}0, lr: 0.001, loss: {}.5, acc: 0.1"
    run = pasted(" ".join(stamp.format(k, k, 30 - k) for k in range(1, 7)))
    assert _values(run, "train/loss") == [29.5, 28.5, 27.5, 26.5, 25.5, 24.5]


def test_typographic_quotes_are_quotes(pasted: Write) -> None:
    run = pasted("".join(f"{{\u2018loss\u2019: 1.{9 - k}, \u2018epoch\u2019: 0.{k}}}\n" for k in range(1, 7)))
    assert len(run.series["train/loss"]) == 6


def test_a_remark_that_names_a_step_marks_no_line(pasted: Write) -> None:
    rows = [f"{{'loss': 1.{9 - k}, 'grad_norm': {k}.5}}" for k in range(8)]
    rows[2] += "   <-- spike at step 3"
    rows[5] += "   <-- again (step 6)"
    assert len(pasted("\n".join(rows)).series["grad_norm"]) == 8


def test_tensors_of_one_element_are_numbers(pasted: Write) -> None:
    line = "(trainer:20) INFO: {{'discriminator_loss': tensor([{}.25], device='cuda:0'), 'generator_loss': tensor({}., device='cuda:0')}}\n"
    run = pasted("".join(line.format(k, k) for k in range(6)))
    assert _values(run, "discriminator_loss") == [0.25, 1.25, 2.25, 3.25, 4.25, 5.25]
    assert _values(run, "generator_loss") == [0, 1, 2, 3, 4, 5]


def test_bars_of_an_epoch_under_way_are_its_steps(pasted: Write) -> None:
    rows = [
        f" {10 * k}/102 [==>...........................] - ETA: 7:1{k} - loss: 0.{90 - k} - accuracy: 0.5{k}"
        for k in range(1, 8)
    ]
    run = pasted("\n".join(["Epoch 1/10", *rows]))
    assert _values(run, "train/loss") == [0.89, 0.88, 0.87, 0.86, 0.85, 0.84, 0.83]
    assert list(run.series["train/loss"].steps) == [10, 20, 30, 40, 50, 60, 70]


def test_a_loss_in_the_description_of_a_bar_is_read(pasted: Write) -> None:
    rows = [f"1|{k}|Loss: {2 / k:.4f}:   {k}%|    | {k}/100 [00:0{k}<04:50,  4.79s/it]" for k in range(1, 8)]
    assert _values(pasted("\r".join(rows) + "\n"), "train/loss")[:3] == [2.0, 1.0, 0.6667]


def test_lines_of_ranks_that_are_named_last_are_those_of_one(pasted: Write) -> None:
    line = "2024-02-20 00:4{0}:02 DEBUG TRAIN Batch 2/{0}00 loss 3.{0}{1} lr 0.001 grad_norm 1.0 rank {1}\n"
    run = pasted("".join(line.format(k, rank) for k in range(6) for rank in (0, 1)))
    assert _values(run, "train/loss") == [3.0, 3.1, 3.2, 3.3, 3.4, 3.5]


def test_batches_of_cross_validation_are_no_training(pasted: Write) -> None:
    text = "".join(
        f"DEBUG TRAIN Batch {epoch}/{batch} loss {9 - epoch}.{batch} lr 0.1 rank 0\n"
        f"DEBUG CV Batch {epoch}/{batch} loss 90.5 history loss 90.5 rank 0\n"
        + f"INFO Epoch {epoch} CV info cv_loss {20 - epoch}\n"
        * (batch == 3)
        for epoch in range(4)
        for batch in (1, 2, 3)
    )
    run = pasted(text)
    assert run.series["train/loss"].high < 10
    assert _values(run, "validation/loss") == [20, 19, 18, 17]


@pytest.mark.parametrize("rounded", [["0.01", "0.01", "0.02", "0.02", "0.03", "0.03"], ["0.53"] * 6, ["7"] * 6])
def test_rows_of_one_rounded_epoch_are_steps(pasted: Write, rounded: list[str]) -> None:
    rows = [f"{{'loss': 0.{k}, 'reward': 0.{k}, 'kl': 0.1, 'epoch': {epoch}}}" for k, epoch in enumerate(rounded, 1)]
    assert _values(pasted("\n".join(rows)), "reward") == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@pytest.mark.parametrize(
    "line",
    [
        "Episode {0}\tAverage Score: {1}\n",
        "episode: {0}/100, score: {1}, e: 0.9\n",
        "Ep: {0} | Ep_r: {1}\n",
        "Episode {0} \t Last reward: -9.0\tAverage reward: {1}\n",
        "----------\n| episodes | {0}00 |\n| mean 100 episode reward | {1} |\n| steps | {0}000 |\n----------\n",
    ],
)
def test_what_episodes_are_played_for_is_their_reward(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, 10 * k) for k in range(1, 7)))
    assert _values(run, "reward") == [10, 20, 30, 40, 50, 60]


def test_a_batch_without_a_hit_is_not_the_accuracy(pasted: Write) -> None:
    """The last batch of a thousand classes has none right, and the mean so far has: `acc1: 0.0000 (0.2103)` is in percent."""
    rows = [
        f"Epoch: [0]  [ {k}/5005]  loss: 6.9{k} (6.9)  acc1: 0.0000 (0.2{k})  acc5: 0.0000 (0.9{k})" for k in range(6)
    ]
    run = pasted("\n".join(rows))
    assert _values(run, "train/accuracy") == [0.002, 0.0021, 0.0022, 0.0023, 0.0024, 0.0025]


def test_the_tables_of_detectron2_are_evaluations(pasted: Write) -> None:
    row = "[08/14 10:0{0}:13 d2.utils.events]:  eta: 0:43:51  iter: {0}99  total_loss: 1.{0}  lr: 0.0003\n"
    table = (
        "|  AP   |  AP50  |  AP75  |  APs  |\n|:-----:|:------:|:------:|:-----:|\n| {0}.500 | {0}.900 | 0.0 | nan |\n"
    )
    per_category = "| category | AP |\n|:---|:---|\n| cat | 99.0 |\n"
    run = pasted("".join((row + table + per_category).format(k) for k in range(1, 5)))
    assert _values(run, "validation/map") == [0.015, 0.025, 0.035, 0.045]


def test_a_line_that_shows_of_a_loaded_checkpoint_marks_a_resume(pasted: Write) -> None:
    rows = [f"epoch {k} train loss {2 - 0.1 * k:.2f}" for k in range(12)]
    rows[6:6] = ["I Loading best validating checkpoint from runs/best-7"]
    text = "\n".join(["=> loaded checkpoint 'pretrained.pth'", *rows, "Loading the best checkpoint for the test", ""])
    assert pasted(text).fact("resumed_at") == (6.0,)


def test_the_layers_of_darknet_are_one_record(pasted: Write) -> None:
    layer = "v3 (iou loss, Normalizer: (iou: 0.07, obj: 1.00) Region {0} Avg (IOU: 0.{1}), count: 3, class_loss = 1.0, total_loss = {1}.5 \n"
    part = (
        "".join(layer.format(region, "{0}") for region in (139, 150, 161))
        + " total_bbox = 9, rewritten_bbox = 3.9 % \n"
    )
    begun = layer.format(161, 7) + " total_bbox = 9, rewritten_bbox = 3.9 % \n"
    run = pasted(begun + "".join(part.format(k) for k in range(1, 6)))
    assert _values(run, "train/loss") == [4.5, 7.5, 10.5, 13.5, 16.5]
    assert _values(run, "train/iou") == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_rows_of_an_aligned_table_may_leave_columns_empty(pasted: Write) -> None:
    """Chainer prints the validation columns only where it evaluates."""
    names = ("epoch", "iteration", "main/loss", "validation/main/loss", "lr")
    rows = [("1", str(100 * k), f"3.{9 - k}", f"5.{k}" if k % 3 == 0 else "", "0.1") for k in range(1, 8)]
    run = pasted("\n".join("".join(cell.ljust(24) for cell in row) for row in (names, *rows)) + "\n")
    assert _values(run, "train/loss") == [3.8, 3.7, 3.6, 3.5, 3.4, 3.3, 3.2]
    assert _values(run, "validation/loss") == [5.3, 5.6]


def test_a_name_in_bold_is_that_name(pasted: Write) -> None:
    run = pasted(
        "".join(f"STEP : {k}00 / LEARNING RATE : 0.001 / **LOSS : {9 - k}.5** ( 1.9 secs)\n" for k in range(1, 6))
    )
    assert _values(run, "train/loss") == [8.5, 7.5, 6.5, 5.5, 4.5]


@pytest.mark.parametrize(
    "text",
    [
        "GLOBAL STEP : 290 / LEARNING RATE : 0.001 / **LOSS : nan** ( 1.9 secs)",
        "Epoch 1/9\n  46/700 [>.............] - ETA: 7:17 - loss: nan - acc: 0.0944```\n```",
        "Epoch 4: train_perplexity=nan, train_epoch_loss=nan, epoch time 242.3s",
    ],
)
def test_one_line_with_a_lost_loss_is_a_log(pasted: Write, text: str) -> None:
    run = pasted(f"This is all that I see:\n{text}\n")
    assert [f.name for f in nndoctor.diagnose(run).findings] == ["nan-loss"]


def test_rows_of_one_rounded_epoch_under_a_schedule_are_steps(pasted: Write) -> None:
    rows = [f"10.0.0.{7}: {{'loss': 1.{9 - k}, 'learning_rate': {2e-06 * (k + 1)}, 'epoch': 0.0}}" for k in range(8)]
    assert len(pasted("\n".join(rows)).series["train/loss"]) == 8


def test_decibels_are_a_unit(pasted: Write) -> None:
    lines = []
    for k in range(1, 13):
        lines.append(f"<epoch: {k:2}, lr:1.000e-04> loss: {4 - 0.1 * k:.3f}e-01 ")
        if k % 4 == 0:
            lines.append(f"<epoch: {k:2}, Average PSNR : {18 + k / 4:.2f}dB")
    assert _values(pasted("\n".join(lines)), "train/psnr") == [19, 20, 21]


def test_the_length_of_an_episode_is_read(pasted: Write) -> None:
    run = pasted("".join(f"Episode {10 * k}\tLast length:  {9 + k}\tAverage length: {k}.50\n" for k in range(1, 9)))
    assert _values(run, "episode_length") == [k + 0.5 for k in range(1, 9)]


def test_a_percentage_below_one_is_known_by_that_of_the_first_five(pasted: Write) -> None:
    line = "Epoch: [0][{:4}/2000]\tLoss {:.4f} (6.9)\tAcc@1   0.{}2 (  0.11)\tAcc@5   {}.60 (  0.60)"
    run = pasted("\n".join(line.format(20 * k, 6.9 - 0.01 * k, k, k) for k in range(1, 8)))
    assert run.series["train/accuracy"].high < 0.01
