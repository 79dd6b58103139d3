"""Logs whose losses, metrics and steps go by short names of their own: CycleGANs, rankings, demucs, group losses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Run
from nndoctor.readers import read
from nndoctor.readers.vocabulary.names import meaning_of

Write = Callable[[str], Run]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def _steps(run: Run, name: str) -> list[float]:
    return [float(step) for step in run.series[name].steps]


def _cycle(epoch: int, step: int) -> str:
    return f"(epoch: {epoch}, iters: {step}, time: 1.2) D_A: 0.{epoch}5 G_A: 0.3{epoch} cycle_A: 1.{epoch} D_B: 0.2 G_B: 0.4 cycle_B: 0.9\n"


def test_the_first_pair_of_a_cycle_gan_stands_for_both(pasted: Write) -> None:
    run = pasted("".join(_cycle(epoch, step) for epoch in (1, 2, 3) for step in (40, 80)))
    assert _values(run, "discriminator_loss") == [0.15, 0.15, 0.25, 0.25, 0.35, 0.35]
    assert _values(run, "generator_loss")[-1] == 0.33


def test_steps_within_the_epoch_are_joined_though_one_epoch_was_begun_again(pasted: Write) -> None:
    rows = [(epoch, step) for epoch in range(1, 13) for step in (40, 80)]
    run = pasted("".join(_cycle(*row) for row in [*rows, (12, 40), (12, 80)]))
    assert _steps(run, "generator_loss")[:4] == [40, 80, 120, 160]
    assert run.numbers("resumed_at") == (920.0,)


def test_two_runs_of_few_epochs_are_still_two(tmp_path: Path) -> None:
    log = tmp_path / "two.log"
    run = "".join(_cycle(epoch, step) for epoch in range(1, 13) for step in (40, 80))
    log.write_text(run + run.replace("G_A: 0.3", "G_A: 0.4"), encoding="utf-8")
    assert [len(run.series["generator_loss"]) for run in read(log)] == [24, 24]


def test_an_epoch_headed_by_its_rate_is_no_run_of_its_own(tmp_path: Path) -> None:
    text = ""
    for epoch in range(1, 5):
        text += f"Epoch: 00{epoch}/004 | Current Learning Rate: 0.00{5 - epoch}\n"
        text += "".join(f"Epoch: 00{epoch}/004 | Batch 00{k}/009 | Loss: {9 - epoch}.{8 - k}1\n" for k in (0, 4, 8))
    log = tmp_path / "rates.log"
    log.write_text(text, encoding="utf-8")
    (run,) = read(log)
    assert len(run.series["train/loss"]) == 12
    assert _values(run, "lr") == [0.004, 0.003, 0.002, 0.001]


def test_a_count_of_batches_between_bars_is_a_step_and_the_summary_is_the_epochs(pasted: Write) -> None:
    text = ""
    for epoch in range(1, 6):
        text += "".join(f"- Train | Epoch {epoch} | {k}0/25 | 1.4 it/sec | Loss 0.{9 - epoch}{k}\n" for k in (1, 2))
        text += f"- Train Summary | Epoch {epoch} | Loss=0.{9 - epoch}5\n"
        text += "".join(f"- Valid | Epoch {epoch} | {k}/3 | 0.3 it/sec | Loss 0.9{k}\n" for k in (1, 2, 1, 2))
        text += f"- Valid Summary | Epoch {epoch} | Loss=0.9{epoch}\n"
    run = pasted(text)
    assert run.axis == "epoch"
    assert _values(run, "train/loss") == [0.85, 0.75, 0.65, 0.55, 0.45]
    assert _values(run, "validation/loss") == [0.91, 0.92, 0.93, 0.94, 0.95]


@pytest.mark.parametrize("name", ["R@1", "Recall@10", "recall_at_20", "HR@10"])
def test_the_recall_of_a_ranking_is_of_validation(name: str) -> None:
    assert meaning_of(name).series in ("validation/recall", "")
    assert meaning_of(f"train {name}").split == "train"


def test_the_recall_of_a_ranking_is_read_next_to_a_training_loss(pasted: Write) -> None:
    text = "".join(f"Epoch {k}/9 | Loss: 0.{9 - k}\nValidation | R@1: 0.{k}1 | R@5: 0.{k}9\n" for k in range(1, 6))
    assert _values(pasted(text), "validation/recall") == [0.11, 0.21, 0.31, 0.41, 0.51]


def test_names_that_end_in_a_number_are_a_header(pasted: Write) -> None:
    header = "epoch,batch,avg_loss_group:0,avg_loss_group:1,actual_loss,avg_acc\n"
    run = pasted(header + "".join(f"{k},9,0.{9 - k},1.{9 - k},0.{9 - k}5,0.{k}\n" for k in range(1, 7)))
    assert _values(run, "train/accuracy") == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_reports_of_the_share_that_is_correct(pasted: Write) -> None:
    run = pasted("".join(f"REPORT\n  Batch = {k}00\n  alpha = 0.01\n  Correct = {40 + k}.5%\n\n" for k in range(1, 7)))
    assert _values(run, "train/accuracy")[0] == 0.415
    assert _steps(run, "train/accuracy") == [100, 200, 300, 400, 500, 600]


def test_the_only_number_of_a_visualizer_is_the_loss(pasted: Write) -> None:
    rows = [(epoch, step) for epoch in (1, 2, 3) for step in (0, 20)]
    run = pasted("".join(f"[epoch: {e}/9, iter: {s}/40] total: {4 - e}.{s}1 \n" for e, s in rows))
    assert len(run.series["train/loss"]) == 6


def test_losses_called_loss_metric_are_parts(pasted: Write) -> None:
    run = pasted("".join(f"iter {k}00:, hard_loss_metric=0.{9 - k}, full_loss_metric=0.2\n" for k in range(1, 7)))
    assert _values(run, "train/loss")[0] == 1.0


def test_lists_of_numbers_and_of_rows_in_one_object_are_joined(tmp_path: Path) -> None:
    log = tmp_path / "history.json"
    history = {
        "train_loss": [0.9, 0.7, 0.6],
        "val_loss": [1.0, 0.8, 0.75],
        "train_metrics": [{"mae": 0.5}, {"mae": 0.4}, {"mae": 0.3}],
        "val_metrics": [{"mae": 0.55}, {"mae": 0.45}, {"mae": 0.4}],
    }
    log.write_text(json.dumps(history), encoding="utf-8")
    (run,) = read(log)
    assert _values(run, "validation/loss") == [1.0, 0.8, 0.75]
    assert _values(run, "train/mae") == [0.5, 0.4, 0.3]
    assert _values(run, "validation/mae") == [0.55, 0.45, 0.4]


def test_the_mean_reward_is_preferred_to_that_of_one_episode(pasted: Write) -> None:
    header = "episode,reward,epsilon,avg_reward\n"
    run = pasted(header + "".join(f"{k}0,{(-3) ** k},0.9,{k}.5\n" for k in range(1, 7)))
    assert _values(run, "reward") == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]


def test_the_average_of_the_last_episodes_is_the_reward(pasted: Write) -> None:
    run = pasted(
        "".join(
            f"Episode  {k}00   Avg:  {k - 9}.5   BestAvg:  1.0   |   Steps:   {k * 77}  Secs: 9\n" for k in range(1, 7)
        )
    )
    assert _values(run, "reward") == [-8.5, -7.5, -6.5, -5.5, -4.5, -3.5]
    assert _steps(run, "reward") == [100, 200, 300, 400, 500, 600]


def test_algorithms_below_one_another_are_runs_though_no_step_comes_twice(tmp_path: Path) -> None:
    log = tmp_path / "two.csv"
    first = "".join(f"{k * 1000},0.{9 - k}\n" for k in range(1, 8))
    second = "".join(f"{k * 370 + 1},0.{8 - k}5\n" for k in range(1, 8))
    log.write_text("step,loss\n" + first + second, encoding="utf-8")
    assert [len(run.series["train/loss"]) for run in read(log)] == [7, 7]


def test_rows_that_fill_each_others_gaps_are_one_run(tmp_path: Path) -> None:
    log = tmp_path / "one.csv"
    odd = "".join(f"{k},0.{9 - k // 2}\n" for k in range(1, 12, 2))
    even = "".join(f"{k},0.{9 - k // 2}5\n" for k in range(0, 12, 2))
    log.write_text("step,loss\n" + odd + even, encoding="utf-8")
    assert [len(run.series["train/loss"]) for run in read(log)] == [12]


def test_a_last_row_from_before_the_start_is_an_evaluation_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "ddpg.log"
    text = "".join(f"Episode: {k}00  Avg: {k}.5  BestAvg: 2.0\n" for k in range(1, 7))
    log.write_text(text + "#### Evaluation\nEpisode: 5  Avg: 40.0  BestAvg: -inf\n", encoding="utf-8")
    assert [len(run.series["reward"]) for run in read(log)] == [6, 1]


def test_the_last_of_several_runs_bears_the_error_at_the_end(tmp_path: Path) -> None:
    log = tmp_path / "killed.log"
    run = "".join(f"epoch {k} train loss 0.{9 - k}\n" for k in range(1, 7))
    log.write_text(run + run.replace("loss 0", "loss 1") + "Killed\n", encoding="utf-8")
    assert ["ended:process_error" in run.facts for run in read(log)] == [False, True]


def test_two_steps_of_a_warm_up_are_one_run(pasted: Write) -> None:
    row = "{{'loss': {}, 'grad_norm': 0.9, 'learning_rate': {}, 'epoch': 0.0}}\n"
    run = pasted(row.format(1.5, 5.5e-7) + row.format(1.4, 6.6e-7))
    assert len(run.series["train/loss"]) == 2


def test_two_rates_of_a_search_are_of_two_runs(tmp_path: Path) -> None:
    log = tmp_path / "search.log"
    log.write_text(
        "epoch 1 lr 0.1 train loss 1.5 val loss 1.7\nepoch 1 lr 0.01 train loss 1.2 val loss 1.4\n", encoding="utf-8"
    )
    with pytest.raises(UnreadableLog, match="one row per run"):
        read(log)


def test_a_log_below_its_settings_is_no_json(tmp_path: Path) -> None:
    log = tmp_path / "trees.log"
    settings = json.dumps({"learning_rate": 0.2, "num_leaves": 10}, indent=1)
    rounds = "".join(f"[{k}0]\tvalid's binary_logloss: 0.{90 - k}\n" for k in range(1, 7))
    log.write_text(f"{settings}\n{rounds}", encoding="utf-8")
    (run,) = read(log)
    assert _steps(run, "validation/loss") == [10, 20, 30, 40, 50, 60]


def test_the_count_in_front_of_an_epoch_is_the_runs(pasted: Write) -> None:
    run = pasted("".join(f"{k * 5}/900 (epoch {k // 3}) loss: 8.{9 - k}, gen_loss: 7.1, \n\t\n" for k in range(1, 8)))
    assert _steps(run, "train/loss")[-1] == 35


def test_the_adversarial_part_of_a_generator_stands_for_it(pasted: Write) -> None:
    run = pasted(
        "".join(f"epoch {k}:\nloss_D: 0.{9 - k}, loss_G_fake: 0.{k}, loss_perturb: 2.{k}\n" for k in range(1, 7))
    )
    assert _values(run, "generator_loss") == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
