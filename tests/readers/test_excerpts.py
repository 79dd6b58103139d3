"""Excerpts of logs in which an epoch, a rate, a reward or a loss scale is said in words of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Run

Write = Callable[[str], Run]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def test_lines_of_one_epoch_one_below_the_other_are_its_steps(pasted: Write) -> None:
    run = pasted("".join(f"Epoch 1 train Cls Loss: 0.{90 - 7 * k} Accu: 0.0{k}\n" for k in range(9)))
    assert len(run.series["train/cls_loss" if "train/cls_loss" in run.series else "train/loss"]) == 9


def test_a_step_of_all_steps_with_its_share_counts_within_the_epoch(pasted: Write) -> None:
    lines = [
        f"Epoch {epoch}, step/total_step: {k}/60 {100 * k / 60:.2f}% Loss:{6 - epoch - 0.05 * k:.2f}\n"
        for epoch in (1, 2)
        for k in range(10, 70, 10)
    ]
    run = pasted("".join(lines))
    assert _values(run, "train/loss") == [4.5, 4.0, 3.5, 3.0, 2.5, 2.0, 3.5, 3.0, 2.5, 2.0, 1.5, 1.0]
    assert run.axis == "step"


def test_what_is_printed_behind_a_finished_bar_is_a_line(pasted: Write) -> None:
    bar = "100%|#########9| 199/200 [00:1{0}<00:00, 12.{0}it/s]Episode#{0}, steps:199, rewards:-{0}.5\n"
    assert _values(pasted("".join(map(bar.format, range(1, 8)))), "reward") == [-k - 0.5 for k in range(1, 8)]


def test_the_reward_of_an_episode_is_read_from_a_sentence(pasted: Write) -> None:
    run = pasted(
        "".join(f"Total rewards in episode {k} is {k}.25 total number of steps are {49 * k}\n" for k in range(9))
    )
    assert _values(run, "reward") == [k + 0.25 for k in range(9)]


def test_a_rate_that_is_set_after_an_epoch_is_the_learning_rate(pasted: Write) -> None:
    line = "Epoch: {0}, Steps: 9 | Train Loss: 0.{1} Vali Loss: 0.{1}5\nUpdating learning rate to {0}e-05\n"
    assert _values(pasted("".join(line.format(k, 9 - k) for k in range(1, 7))), "lr") == [
        round(k * 1e-5, 6) for k in range(1, 7)
    ]


def test_cuts_of_the_loss_scale_alone_are_a_log(tmp_path: Path) -> None:
    path = tmp_path / "apex.log"
    cuts = [
        f"Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to {2.0**-k}\n" for k in range(3, 19)
    ]
    path.write_text("".join(cuts), encoding="utf-8")
    primary = nndoctor.diagnose(path).primary
    assert primary is not None
    assert primary.name == "loss-scale-collapse"


def test_tesseract_says_the_share_of_wrong_characters(pasted: Write) -> None:
    line = (
        "At iteration {0}12/{0}00/{0}03, mean rms=3.9%, delta=9.1%, BCER train={1}.5%, BWER train=80.25%, skip ratio=0%,  "
        "New best BCER = {1}.5At iteration {0}10, stage 0, Eval Char error rate=4{1}.25, Word error rate=97.5 wrote checkpoint.\n"
    )
    run = pasted("".join(line.format(k, 9 - k) for k in range(1, 8)))
    assert _values(run, "train/character_error") == [0.085, 0.075, 0.065, 0.055, 0.045, 0.035, 0.025]
    assert _values(run, "validation/character_error")[:2] == [0.4825, 0.4725]
    assert run.series["train/character_error"].last_step == 700


def test_the_best_epoch_so_far_starts_no_record(pasted: Write) -> None:
    lines = []
    for k in range(7):
        lines += [
            f"{split}: {{'epoch': {k}, 'loss': 0.{9 - k}{at}, 'auc': 0.6}}" for at, split in enumerate(("train", "val"))
        ]
        lines.append(
            f"> Epoch {k}: took 38.3s (avg 38.3s) | Best so far: epoch {k // 2}\ttrain_loss: 0.{9 - k}0 train_ap: 0.2\tval_loss: 0.{9 - k}1 val_ap: 0.2"
        )
    run = pasted("\n".join(lines))
    assert _values(run, "train/loss") == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert _values(run, "validation/loss") == [0.91, 0.81, 0.71, 0.61, 0.51, 0.41, 0.31]


def test_the_splits_of_the_first_epoch_are_one_run_although_each_says_its_rate(pasted: Write) -> None:
    row = "{}: {{'epoch': {}, 'time_epoch': 2.5, 'loss': 0.{}, 'lr': 0.0{}}}\n"
    parts = [("train", 0, 69, 1), ("val", 0, 68, 0), ("test", 0, 67, 0), ("train", 1, 35, 1), ("val", 1, 36, 0)]
    run = pasted("".join(row.format(*part) for part in parts))
    assert _values(run, "train/loss") == [0.69, 0.35]
    assert _values(run, "validation/loss") == [0.68, 0.36]


def test_a_scheduler_that_counts_its_own_epochs_moves_no_row(pasted: Write) -> None:
    lines = []
    for k in range(1, 13):
        lines.append(f"Epoch {k}/12 train loss: {1 / k:.4f} val loss: {1.1 / k:.4f}")
        lines += [f"Epoch {k - 1:05d}: reducing learning rate of group 0 to 1.0000e-0{k // 4}."] * (k % 4 == 0)
    run = pasted("\n".join(lines))
    assert [int(x) for x in run.series["train/loss"].steps] == list(range(1, 13))
    assert _values(run, "lr") == [0.1, 0.01, 0.001]
    assert "resumed_at" not in run.facts


def test_names_in_brackets_in_front_of_their_numbers_are_read(pasted: Write) -> None:
    row = "2024-02-03 10:11:{0}2.1 | INFO | trainer:fit:91 - [R0] | E{0} iter[ 9/ 10] | [Loss] 41{0}.5 | [step]  {0}9 | [url] none\n"
    run = pasted("".join(row.format(k) for k in range(1, 5)))
    assert _values(run, "train/loss") == [411.5, 412.5, 413.5, 414.5]
    assert [int(x) for x in run.series["train/loss"].steps] == [19, 29, 39, 49]


def test_a_quoted_line_is_read_without_its_sign(pasted: Write) -> None:
    bar = "> {0}0%|###  | {0}00/1000 [1:0{0}<5:00, 8.1it/s]INFO:agent:avg_r: 0.1, avg_l: 0.02, avg_ep_r: 2.{0}, # game: 5\n"
    run = pasted("".join(bar.format(k) for k in range(1, 6)))
    assert _values(run, "reward") == [2.1, 2.2, 2.3, 2.4, 2.5]
    assert "train/loss" not in run.series


def test_a_table_in_a_comment_is_read(pasted: Write) -> None:
    rule = "% |=========================================|\n"
    head = "% |  Epoch  |  Iteration  |  Mini-batch  |  Validation  |\n% |         |             |     Loss     |     Loss     |\n"
    rows = "".join(f"% |    {k} |        {50 * k} |       0.{9 - k}1 |     0.{9 - k}5 |\n" for k in range(1, 5))
    run = pasted(f"% How it went:\n{rule}{head}{rule}{rows}{rule}function net = trained()\n")
    assert _values(run, "train/loss") == [0.81, 0.71, 0.61, 0.51]
    assert _values(run, "validation/loss") == [0.85, 0.75, 0.65, 0.55]


def test_one_step_whose_gradient_is_not_a_number_is_a_log(pasted: Write) -> None:
    run = pasted("step:4 - actor/kl_loss:0.010 - actor/grad_norm:nan - actor/pg_loss:0.02 - critic/score/mean:0.700\n")
    report = nndoctor.diagnose(run)
    assert report.primary is not None
    assert report.primary.name == "gradients-not-finite"


def test_a_loss_scale_that_can_fall_no_further_is_lost(pasted: Write) -> None:
    skipped = "[stage2] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: {}, reducing to {}\n"
    floor = nndoctor.diagnose(pasted(skipped.format(1, 1) * 6))
    assert floor.primary is not None
    assert floor.primary.name == "loss-scale-collapse"
    assert floor.primary.message.startswith("the loss scale is 1 and falls no further:")
    small = nndoctor.diagnose(pasted("".join(f"WARNING ({k}/2) Grad scale is small: 4.1e-22\n" for k in range(2))))
    assert small.primary is not None
    assert small.primary.name == "loss-scale-collapse"


def test_a_sentence_on_a_gradient_norm_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("The gradient norm is NaN at step 7, and the loss is 0.2.\nWe lowered the rate.\n")
    with pytest.raises(UnreadableLog):
        nndoctor.read(path)


def test_a_loss_scale_that_rises_in_between_is_not_lost(pasted: Write) -> None:
    skipped = "[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 2, reducing to 1\n"
    rows = "".join(f"step {k} loss {3 - 0.2 * k:.3f}\n" + skipped * (k % 2) for k in range(1, 13))
    assert nndoctor.diagnose(pasted(rows)).primary is None
