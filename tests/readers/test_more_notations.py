"""Notations of further tools: DeepXDE, Paddle's high-level API, Flax examples, first versions of CatBoost, rlpyt, StyleGAN."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndoctor.core.run import Run
from nndoctor.readers import read

Write = Callable[[str], Run]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def _steps(run: Run, name: str) -> list[float]:
    return [float(step) for step in run.series[name].steps]


HEADER = "Step      Train loss              Test loss               Test metric   \n"


def test_the_lists_of_deepxde_are_summed(pasted: Write) -> None:
    row = "{}00       [{:.2e}, 2.50e-01]    [{:.2e}, 1.00e-01]    [{:.2e}]    \n"
    run = pasted(HEADER + "".join(row.format(k, 4 / k, 5 / k, 1 / k) for k in range(1, 6)))
    assert _values(run, "train/loss") == [4.25, 2.25, 1.58, 1.25, 1.05]
    assert _values(run, "validation/loss") == [5.1, 2.6, 1.77, 1.35, 1.1]


def test_a_test_loss_without_the_boundary_is_not_compared(pasted: Write) -> None:
    row = "{}00       [{:.2e}, 2.50e-01]    [{:.2e}, 0.00e+00]    []\n"
    run = pasted(HEADER + "".join(row.format(k, 4 / k, 5 / k) for k in range(1, 6)))
    assert "validation/loss" not in run.series


def test_a_row_that_is_cut_is_left_out(pasted: Write) -> None:
    row = "{}00       [{:.2e}, 2.50e-01]    [1.00e-01, 1.00e-01]    []\n"
    run = pasted(HEADER + "".join(row.format(k, 4 / k) for k in range(1, 6)) + "600       [5.10e-01, 2.5")
    assert _steps(run, "train/loss")[-1] == 500


def test_an_evaluation_that_is_printed_as_training_is_of_validation(pasted: Write) -> None:
    text = ""
    for epoch in range(1, 5):
        text += f"Epoch {epoch}/4\n"
        text += "".join(
            f"step {k}0/30 - loss: 0.{9 - epoch}{3 - k} - acc: 0.{4 + epoch}{k} - 80ms/step\n" for k in (1, 2, 3)
        )
        text += "save checkpoint at out/0\nEval begin...\n"
        text += "".join(f"step {k}/2 - loss: 0.8{k} - acc: 0.{3 + epoch}{k} - 60ms/step\n" for k in (1, 2))
        text += "Eval samples: 64\n"
    run = pasted(text)
    assert _values(run, "validation/accuracy") == [0.42, 0.52, 0.62, 0.72]
    assert len(run.series["train/loss"]) == 12


@pytest.mark.parametrize(("kind", "at"), [("Epoch", "{}/90"), ("Step", "{}")])
def test_the_marks_of_flax_examples(pasted: Write, kind: str, at: str) -> None:
    line = kind + "... (" + at + " | Loss: {}, Learning Rate: 0.0003)\n"
    run = pasted("".join(line.format(k, 3 - k / 100) for k in range(31, 37)))
    assert _steps(run, "train/loss") == [31, 32, 33, 34, 35, 36]


def test_a_count_of_the_whole_run_before_its_epoch(pasted: Write) -> None:
    run = pasted(
        "".join(
            f"{k}/900 (epoch {k // 300}), train_loss = {4 - k / 1000:.3f}, time/batch = 0.1\n" for k in range(298, 306)
        )
    )
    assert _steps(run, "train/loss") == list(range(298, 306))


def test_first_versions_of_catboost_glue_the_loss_to_a_word(pasted: Write) -> None:
    run = pasted(
        "".join(f"{k}:\tlearn {0.7 - k / 10:.4f}passed: 1.2 sec\ttotal: {k}s\tremaining: 9s\n" for k in range(4))
        + "4:\tlearn nanpassed: 1.2 sec\ttotal: 6s\tremaining: 9s\n"
    )
    assert [str(value) for value in run.series["train/loss"].values] == ["0.7", "0.6", "0.5", "0.4", "nan"]


def test_of_a_summary_the_average_is_kept(pasted: Write) -> None:
    row = "2031-01-05 10:00:0{0}.1234  | {1}             {2}\n"
    names = ("value_loss/Average", "value_loss/Std", "reward/Average")
    run = pasted("".join(row.format(k, name, 2.5 - k / 4) for k in range(6) for name in names))
    assert _values(run, "value_loss") == [2.5, 2.25, 2.0, 1.75, 1.5, 1.25]


def test_snapshots_of_a_generator_are_numbered(pasted: Write) -> None:
    run = pasted(
        "".join(
            f"network-snapshot-{200 * k:06d}        time 4m 0{k}s      fid50k_full {90 - 9 * k}.25\n" for k in range(6)
        )
    )
    assert _steps(run, "fid") == [0, 200, 400, 600, 800, 1000]


def test_the_loss_of_one_head_is_not_that_of_the_model(pasted: Write) -> None:
    row = " iteration {0}/ 900 | lm loss: {1:.6E} | mtp_1 loss: {2:.6E} | grad norm: 0.9 |\n"
    run = pasted("".join(row.format(k, 3 - k / 10, 4 - k / 10) for k in range(1, 7)))
    assert _values(run, "train/loss") == [2.9, 2.8, 2.7, 2.6, 2.5, 2.4]
    assert _values(run, "train/mtp_1_loss")[0] == 3.9


def test_a_part_of_the_loss_behind_its_split(pasted: Write) -> None:
    run = pasted(
        "".join(
            f"ITER {k}00 TRAINING (phase 1). loss_vae: {3 - k / 10:.2f}; loss_mmd: 0.{k}1; Grad_norm: 0.5\n"
            for k in range(1, 7)
        )
    )
    assert _values(run, "train/loss")[0] == 2.9
    assert _values(run, "train/mmd_loss")[0] == 0.11


def test_the_best_epoch_quoted_below_the_run_is_no_resume(pasted: Write) -> None:
    rows = "".join(
        f"Epoch {k:04d} : ckpt/{k}.pt\n   Dice = 0.{60 + (k if k < 7 else 13 - k)} | Folds = 0.1\n"
        for k in range(1, 12)
    )
    run = pasted(rows + "Best model: Epoch 0007  Dice = 0.66\n")
    assert len(run.series["train/dice"]) == 11
    assert "resumed_at" not in run.facts


def test_a_checkpoint_quoted_between_two_stages_is_no_resume(tmp_path: Path) -> None:
    first = "".join(f"Epoch #{k}: train_loss={7 - k / 4}, val_loss={7.5 - k / 4}\n" for k in range(20))
    second = "".join(f"Epoch {k}0/60: train_loss=0.{9 - k}, val_loss=0.{10 - k}5\n" for k in range(1, 7))
    log = tmp_path / "stages.log"
    log.write_text(first + "Loaded best model from epoch 17 (val_loss=3.25)\n" + second, encoding="utf-8")
    runs = read(log)
    assert [len(run.series["train/loss"]) for run in runs] == [20, 6]
    assert not any("resumed_at" in run.facts for run in runs)


def test_a_resume_with_the_same_cadence_is_still_one(pasted: Write) -> None:
    rows = [*range(10, 110, 10), *range(80, 150, 10)]
    run = pasted("".join(f"epoch {k} train loss {3 - i / 10:.2f}\n" for i, k in enumerate(rows)))
    assert run.numbers("resumed_at") == (80.0,)


def test_a_network_of_two_heads_that_is_validated_is_no_game(pasted: Write) -> None:
    header = "round,train_loss,val_loss,train_policy_loss,val_policy_loss,train_value_loss,val_value_loss\n"
    run = pasted(
        header + "".join(f"{k},{3 - k / 10},{3.2 - k / 10},{2.5 - k / 10},2.6,0.{k},0.5\n" for k in range(1, 8))
    )
    assert {"train/loss", "validation/loss"} <= run.series.keys()
    assert "task" not in run.facts


def test_the_spread_of_latents_is_no_sign_of_a_collapse(pasted: Write) -> None:
    run = pasted(
        "".join(f"Epoch {k} | train: {9 - k} | val: {9.5 - k} | z_mean: 0.0{k} | z_std: 0.{k}\n" for k in range(1, 8))
    )
    assert "embedding_std" not in run.series


@pytest.mark.parametrize("metric", ["gamma-nloglik", "poisson-nloglik", "tweedie-nloglik@1.5", "cox-nloglik"])
def test_likelihoods_of_boosted_trees_are_losses(pasted: Write, metric: str) -> None:
    run = pasted("".join(f"[{k}]\ttrain-{metric}:{2 - k / 10}\teval-{metric}:{2.2 - k / 10}\n" for k in range(6)))
    assert _values(run, "validation/loss")[0] == 2.2


RESULTS = """05/01/2026 12:00:00 - INFO - __main__ -   ***** Eval results *****
05/01/2026 12:00:00 - INFO - __main__ -     eval_accuracy = 0.{1}
05/01/2026 12:00:00 - INFO - __main__ -     {2} = {3}
05/01/2026 12:00:00 - INFO - __main__ -     global_step = {0}00
05/01/2026 12:00:00 - INFO - __main__ -     loss = {4}
"""


@pytest.mark.parametrize("name", ["eval_loss", "eval_f1"])
def test_results_of_an_evaluation_are_of_the_step_between_them(pasted: Write, name: str) -> None:
    """BERT's scripts print the step in the order of the alphabet, and below it a loss without a split."""
    run = pasted("".join(RESULTS.format(k, 70 + k, name, 1 / (k + 1), 0.9 / (k + 1)) for k in range(1, 7)))
    accuracy = run.series["validation/accuracy"]
    assert accuracy.steps.tolist() == [100, 200, 300, 400, 500, 600]
    assert accuracy.values.tolist() == [0.71, 0.72, 0.73, 0.74, 0.75, 0.76]
    assert run.series["validation/loss"].values[0] == (0.5 if name == "eval_loss" else 0.45)
    assert "train/loss" not in run.series


def test_the_loss_of_an_evaluation_is_not_that_of_training(pasted: Write) -> None:
    training = "".join(f"INFO:tensorflow:loss = {1 / k:.4f}, step = {k}00 (16.2 sec)\n" for k in range(1, 7))
    saved = "INFO:tensorflow:Saving dict for global step 650: eval_auc = 0.69, eval_loss = 0.7217, global_step = 650, loss = 0.7218\n"
    run = pasted(training + saved)
    assert run.series["train/loss"].values[-1] == 0.1667
    assert run.series["validation/loss"].values.tolist() == [0.7217]
    assert run.unknown == ()


@pytest.mark.parametrize("line", ["Episode {0}/9 | Steps: 2{0} | Loss: {1} | Epsilon: 0.9\n", "Episode {0}: loss = {1}, ε = 0.5\n"])  # fmt: skip
def test_the_loss_of_episodes_with_exploration_is_not_judged(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, 0.5 * k) for k in range(1, 10)))
    assert run.fact("task") == "reinforcement-learning"
    assert "train/loss" not in run.series


def test_epochs_of_an_attack_are_no_episodes(pasted: Write) -> None:
    run = pasted("".join(f"Ep {k}/9 | loss: {2 / k:.3f} | eps: 0.031\n" for k in range(1, 10)))
    assert run.fact("task") is None
    assert len(run.series["train/loss"]) == 9


PAIRED = ["epoch {0} train/val loss {1:.4f}/{2:.4f}\n", "epoch {0} train / val loss: {1:.4f} / {2:.4f}\n"]
BARE = ["epoch-{0} loss {1:.4f} -- val {2:.4f}\n", "(epoch {0}) Loss {1:.4f} (Val {2:.4f})\n"]


@pytest.mark.parametrize("line", PAIRED + BARE)
def test_the_second_of_two_losses_is_that_of_validation(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, 2 / k, 2.5 / k) for k in range(1, 7)))
    assert run.axis == "epoch"
    assert run.series["train/loss"].values.tolist() == [2, 1, 0.6667, 0.5, 0.4, 0.3333]
    assert run.series["validation/loss"].values.tolist() == [2.5, 1.25, 0.8333, 0.625, 0.5, 0.4167]


@pytest.mark.parametrize("line", ["epoch {0} train/val acc: {1}%/{2}%\n", "Epoch {0} Loss 0.5 Train 0.{1} Val 0.{2}\n"])
def test_the_second_of_two_shares_is_that_of_validation(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, f"{70 + k}.0" if "%" in line else 70 + k, f"{60 + k}.5" if "%" in line else 60 + k) for k in range(1, 7)))  # fmt: skip
    assert run.series["train/accuracy"].values[-1] == 0.76
    assert run.series["validation/accuracy"].values[-1] == (0.665 if "%" in line else 0.66)


def test_the_seconds_of_an_evaluation_are_no_loss(pasted: Write) -> None:
    run = pasted("".join(f"epoch {k} loss {2 / k:.3f} eval 20.{k}5 s\n" for k in range(1, 7)))
    assert set(run.series) == {"train/loss"}


@pytest.mark.parametrize(
    "line",
    [
        "epoch: {0} | train_loss: {1} | train_metrics: {{'acc': 0.{2}}} | val_loss: {3} | val_metrics: {{'acc': 0.{4}}}\n",
        "epoch {0} loss: Array({1}, dtype=float32), acc 0.{2}, val loss: tf.Tensor({3}, shape=(), dtype=float32), val acc 0.{4}\n",
        "epoch\t{0}\ttrain_loss\t{1}\ttrain_acc\t0.{2}\tval_loss\t{3}\tval_acc\t0.{4}\n",
    ],
)
def test_each_number_goes_to_its_split(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, 2 / k, 40 + k, 2.5 / k, 30 + k) for k in (1, 2, 4, 5, 8)))
    last = {name: series.values[-1] for name, series in run.series.items()}
    expected = {"train/loss": 0.25, "train/accuracy": 0.48, "validation/loss": 0.3125, "validation/accuracy": 0.38}
    assert last == expected
    assert run.series["train/loss"].steps.tolist() == [1, 2, 4, 5, 8]


def test_splits_in_a_row_are_losses(pasted: Write) -> None:
    run = pasted("".join(f"Epoch {k} train {2 / k:.2f} valid {2.5 / k:.2f}\n" for k in range(1, 6)))
    assert run.series["validation/loss"].values.tolist() == [2.5, 1.25, 0.83, 0.62, 0.5]


def test_a_loss_behind_the_accuracy_of_a_split_is_not_of_that_split(pasted: Write) -> None:
    run = pasted("".join(f"Epoch {k}: 4{k}.0% val accuracy, loss {2 / k:.2f}\n" for k in range(1, 6)))
    assert run.series["train/loss"].values[-1] == 0.4


@pytest.mark.parametrize("prefix", ["INFO:root:", "DEBUG:my_pkg.train: "])
def test_the_prefix_of_logging_does_not_hide_an_episode(pasted: Write, prefix: str) -> None:
    run = pasted("".join(f"{prefix}Episode {10 * k} | Avg Reward: {k}.5 | Epsilon: 0.9\n{prefix}\n" for k in range(9)))
    assert run.series["reward"].steps.tolist() == [10 * k for k in range(9)]


def test_a_step_of_the_whole_run_within_a_tag_is_no_mark(pasted: Write) -> None:
    run = pasted("".join(f"step:{k} - actor/loss:{0.5 / k:.3f} - training/global_step:{k} - training/epoch:0 - critic/rewards/mean:0.{k}\n" for k in range(1, 9)))  # fmt: skip
    assert run.series["reward"].steps.tolist() == [*range(1, 9)]


def test_episodes_behind_a_time_stamp_are_counted(pasted: Write) -> None:
    line = "2026-05-01 10:00:0{0} | Episode 1{0}/90 | Score:  {0} | Reward: {0}.5 | Steps: {1}\n"
    run = pasted("".join(line.format(k, 300 - (97 * k) % 200) for k in range(1, 9)))
    assert run.series["reward"].steps.tolist() == [10 + k for k in range(1, 9)]


def test_episodes_of_two_runs_in_a_table_are_counted(tmp_path: Path) -> None:
    """The column `steps` holds the length of each episode."""
    rows = [(k, 0.5 * k, 300 - (97 * k) % 200) for n in (30, 20) for k in range(1, n + 1)]
    log = tmp_path / "log.csv"
    log.write_text("episode,reward,steps\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    assert [len(run.series["reward"]) for run in read(log)] == [30, 20]


@pytest.mark.parametrize(
    ("line", "steps"),
    [("Epoch {k}. Loss: {v}.\n", range(2, 9)), ("it {k}00, Loss: {v}, Loss_u: 1e-3, Time: 0.{k}\n", range(200, 900, 100))],
)  # fmt: skip
def test_a_mark_before_a_full_stop_or_of_it_alone_is_read(pasted: Write, line: str, steps: range) -> None:
    run = pasted("".join(line.format(k=k, v=round(2 / k, 3)) for k in range(2, 9)))
    assert run.series["train/loss"].steps.tolist() == [*steps]


def test_a_test_reward_is_a_reward(pasted: Write) -> None:
    run = pasted("".join(f"Epoch #{k}: test_reward: {k}.5 ± 0.7, best_reward: {k}.5 ± 0.7 in #{k}\n" for k in range(1, 9)))  # fmt: skip
    assert run.series["reward"].values.tolist() == [k + 0.5 for k in range(1, 9)]


def test_two_results_of_an_evaluation_do_not_hide_the_loss_of_a_bar(pasted: Write) -> None:
    bar = "Training: {0}0%|███| {0}00/1000 [00:46<06:31, 66.12it/s, Loss=\x1b[33m0.{1}\x1b[0m, psnr=\x1b[36m2{0}.1\x1b[0m]\n"
    lines = [bar.format(k, 99 - 9 * k) for k in range(1, 10)]
    result = "[ITER {0}00] Evaluating train: L1 0.0{0} PSNR 2{0}.6\n"
    run = pasted("".join([*lines[:5], result.format(5), *lines[5:], result.format(9)]))
    assert run.series["train/loss"].steps.tolist() == [100 * k for k in range(1, 10)]


@pytest.mark.parametrize("first", ["epoch", ""])
def test_all_rows_below_a_header_within_a_text_are_read(pasted: Write, first: str) -> None:
    rows = "".join(f"{k},{2 / (k + 1):.3f},{2.5 / (k + 1):.3f}\n" for k in range(6))
    run = pasted(f'Model: "net"\nTotal params: 29,873\n\n{first},loss,val_loss\n{rows}\nResults: see below\n')
    assert _values(run, "validation/loss") == [2.5, 1.25, 0.833, 0.625, 0.5, 0.417]


@pytest.mark.parametrize("line", ["Epoch [{e}/3], Step [{b}/391], Loss: {v}\n", "Epoch: [{e}][{b}/391] loss {v}\n"])
def test_an_epoch_is_as_long_as_the_log_says(pasted: Write, line: str) -> None:
    """Its last steps are not logged."""
    run = pasted("".join(line.format(e=e, b=b, v=3.5 - e - b / 1000) for e in (1, 2, 3) for b in (0, 100, 200, 300)))
    assert _steps(run, "train/loss")[-5:] == [691, 782, 882, 982, 1082]
