"""Marks and names of epochs in printed logs: behind arrows and bars, of episodes, and of an epoch next to its batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndoctor.core.errors import NotALog, UnreadableLog
from nndoctor.core.run import Run
from nndoctor.readers import read

Write = Callable[[str], Run]
BAR = "Train:   0%|          | 0/512 [00:00<?, ?it/s]"


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def _steps(run: Run, name: str) -> list[float]:
    return [float(step) for step in run.series[name].steps]


@pytest.mark.parametrize("mark", ["======>>>>>>[{}]", "==> [{}]", "[{}]: ", "** [{}]"])
def test_a_count_in_brackets_behind_arrows_is_the_step(pasted: Write, mark: str) -> None:
    run = pasted("".join(f"{mark.format(k)} Train Loss: 0.{9 - k}  Train ACC: 0.{4 + k}\n" for k in (2, 3, 4, 5)))
    assert _steps(run, "train/loss") == [2, 3, 4, 5]


def test_folds_that_are_counted_in_brackets_are_runs_of_their_own(tmp_path: Path) -> None:
    lines = [
        f"====>[{k}] Train Loss: {1 / (k + fold):.3f}\nVal Acc = 0.5{k}\n" for fold in range(3) for k in range(1, 9)
    ]
    path = tmp_path / "folds.log"
    path.write_text("".join(lines), encoding="utf-8")
    assert [len(run.series["train/loss"]) for run in read(path)] == [8, 8, 8]


def test_a_line_printed_behind_a_bar_is_read(pasted: Write) -> None:
    lines = [f"{BAR}Step: {k} || Tr.Loss: 3.{k}  Val.Loss: 3.{k + 1} || Val.WER: 1.000\n\n" for k in range(5, 9)]
    run = pasted("".join(lines))
    assert _values(run, "train/loss") == [3.5, 3.6, 3.7, 3.8]
    assert _steps(run, "validation/word_error") == [5, 6, 7, 8]


def test_an_epoch_in_front_of_its_word_has_its_step_in_parentheses(pasted: Write) -> None:
    run = pasted("".join(f"INFO:0-epoch ({k}/900): total loss {9 - k}.5, group-sup.: 3.2\n" for k in (4, 5, 6, 7)))
    assert _steps(run, "train/loss") == [4, 5, 6, 7]


def test_an_average_over_epochs_is_no_mark(pasted: Write) -> None:
    run = pasted("".join(f"Epoch {k}: loss {9 - k}.5, 3-epoch average: {9 - k}.7\n" for k in (1, 2, 3, 4)))
    assert _values(run, "train/loss") == [8.5, 7.5, 6.5, 5.5]


def test_the_mean_on_the_line_of_an_epoch_is_its_loss_and_not_that_of_its_last_batch(pasted: Write) -> None:
    text = ""
    for epoch in range(6):
        text += f"TRAIN Batch 0900/1000, Loss 4.{epoch}\n"
        text += f"TRAIN Epoch 0{epoch}/6, Mean Loss: {5 - epoch / 10}, PPL: 100.0\n"
        text += "VALID Batch 0000/105, Loss 7.25\nVALID Batch 0105/105, Loss 6.25\n"
        text += f"VALID Epoch 0{epoch}/6, Mean Loss: {5.5 - epoch / 20}, PPL: 120.0\n"
    run = pasted(text)
    assert _values(run, "validation/loss") == [5.5, 5.45, 5.4, 5.35, 5.3, 5.25]
    assert _values(run, "train/loss") == [5.0, 4.9, 4.8, 4.7, 4.6, 4.5]


def test_lines_below_the_heading_of_an_epoch_are_kept(pasted: Write) -> None:
    text = "".join(f"Epoch {k}/5\ntrain loss: 0.{9 - k}\nval loss: 0.{9 - k}5\n" for k in range(1, 6))
    run = pasted(text)
    assert _values(run, "train/loss") == [0.8, 0.7, 0.6, 0.5, 0.4]


EPISODE = "2025-04-20 02:53:26 | Episode {k}/900 | Score:  {score} | Reward: {reward} | Epsilon: 0.01 | Steps: 1031\n"


def test_the_reward_of_a_game_goes_before_its_score(pasted: Write) -> None:
    run = pasted("".join(EPISODE.format(k=k, score=k % 3, reward=10.5 * k) for k in range(1, 9)))
    assert _values(run, "reward")[-1] == 84.0


def test_a_mean_score_goes_before_the_reward_of_one_episode(pasted: Write) -> None:
    run = pasted("".join(f"Episode {k} Average Score: {k}.5 Reward: {-k}.0\n" for k in range(1, 9)))
    assert _values(run, "reward")[-1] == 8.5


def test_episodes_are_called_episodes(tmp_path: Path) -> None:
    printed, monitor = tmp_path / "game.log", tmp_path / "monitor.csv"
    printed.write_text("".join(EPISODE.format(k=k, score=1, reward=float(k)) for k in range(1, 41)), encoding="utf-8")
    monitor.write_text("r,l,t\n" + "".join(f"{k}.0,{k},{k}.5\n" for k in range(1, 41)), encoding="utf-8")
    for path in (printed, monitor):
        (run,) = read(path)
        assert run.axis == "episode"


def test_batches_of_self_play_are_steps(pasted: Write) -> None:
    play = "2025-06-04 19:53:48, batch i:{k}, episode_len:28\nkl:0.011,lr_multiplier:1.0,loss:{loss},entropy:4.3\n"
    run = pasted("".join(play.format(k=k, loss=5 - k / 10) for k in range(2, 9)))
    assert _steps(run, "train/loss") == [2, 3, 4, 5, 6, 7, 8]


def test_the_rate_of_one_group_in_parentheses_is_read(pasted: Write) -> None:
    line = "23-05-06 02:38:04.759 - INFO: [epoch:  4, iter:  {k}00, lr:(1.{k}e-04,)] l_pix: 9.{k}e-03 \n"
    run = pasted("".join(line.format(k=k) for k in range(1, 9)))
    assert _values(run, "lr")[:2] == [0.00011, 0.00012]


def test_the_norm_that_is_printed_next_to_the_speed_is_that_of_the_gradient(pasted: Write) -> None:
    line = "step {k} | loss: 9.{k} | lr 8.3e-07 | norm: 1.{k} | dt: 4760.49ms | tok/sec: 110133.25\n"
    run = pasted("".join(line.format(k=k) for k in range(1, 6)))
    assert _values(run, "grad_norm") == [1.1, 1.2, 1.3, 1.4, 1.5]


def test_scores_of_classes_are_no_training(pasted: Write) -> None:
    with pytest.raises(NotALog, match="another file or class"):
        pasted("".join(f"INFO:root:class {k}, AP = 0.{k}6\n" for k in range(1, 9)))


def test_rows_of_rounded_steps_are_counted(pasted: Write) -> None:
    row = "------------\n| loss | 1{k}.5 |\n| step | 1.0{half}e+04 |\n------------\n"
    run = pasted("".join(row.format(k=9 - k, half=k // 2) for k in range(9)))
    assert _steps(run, "train/loss") == list(range(1, 10))
    assert any("several rows per step" in note for note in run.notes)


@pytest.mark.parametrize(
    "line",
    [
        "epoch {k} loss[train]: {a} loss[val]: {b} acc[train]: 0.4{k} acc[val]: 0.3{k}\n",
        "epoch {k} loss: {a} (train) / {b} (val), acc: 0.4{k} (train) / 0.3{k} (val)\n",
        "epoch {k} loss {a} (train), {b} (val), acc 0.4{k} (train), 0.3{k} (val)\n",
        "epoch {k} train OrderedDict([('loss', {a}), ('acc', 0.4{k})]) val OrderedDict([('loss', {b}), ('acc', 0.3{k})])\n",
    ],
)
def test_a_split_behind_its_name_or_number_is_read(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k=k, a=f"{3 / k:.3f}", b=f"{3.3 / k:.3f}") for k in range(1, 7)))
    assert _values(run, "train/loss")[:2] == [3.0, 1.5]
    assert _values(run, "validation/loss")[:2] == [3.3, 1.65]
    assert _values(run, "train/accuracy")[-1] == 0.46
    assert _values(run, "validation/accuracy")[-1] == 0.36


FIT = "Epoch 1/1\nEpoch 00000: val_loss improved\n43s - loss: {a} - val_loss: {b}\n"
SUMMARY = "Layer (type)     Output Shape    Param #\n======\nTotal params: 11,138\nTrainable params: 11,138\n"


def _fits(start: float) -> str:
    return "".join(FIT.format(a=f"{start / k:.4f}", b=f"{start / k + 0.1:.4f}") for k in range(1, 25))


def test_a_model_that_is_built_again_and_starts_over_is_another_run(tmp_path: Path) -> None:
    path = tmp_path / "fits.log"
    path.write_text(SUMMARY + _fits(2.0) + SUMMARY + _fits(1.9), encoding="utf-8")
    assert [len(run.series["train/loss"]) for run in read(path)] == [24, 24]


def test_a_model_whose_summary_is_printed_again_and_that_trains_on_is_the_same_run(pasted: Write) -> None:
    lower = "".join(FIT.format(a=f"0.0{80 - k}", b=f"0.{50 - k}") for k in range(1, 25))
    run = pasted(SUMMARY + _fits(2.0) + SUMMARY + lower)
    assert len(run.series["train/loss"]) == 48


def test_a_script_that_is_started_again_begins_another_run(tmp_path: Path) -> None:
    start = "INFO | __main__ - Namespace(batch_size=4, lr=3e-05)\n"
    rows = "".join(f"INFO | __main__:train - loss: {2.5 / k:.4f}\n" for k in range(1, 13))
    path = tmp_path / "starts.log"
    path.write_text(3 * (start + rows), encoding="utf-8")
    assert [len(run.series["train/loss"]) for run in read(path)] == [12, 12, 12]


@pytest.mark.parametrize(
    "line",
    [
        "INFO [train.py:102] Process {k}00/3161 average objf: -{v} over 573696.0 frames, epoch 0\n",
        "VLOG1 After 20{k}933 sequences (163.1Hr): Obj(log[Pzx]) = -{v} TokenAcc = 5{k}.2%\n",
        "LOG (nnet3-train) Average objective function for 'output' for minibatches {k}0-{k}9 is -{v} over 19538 frames.\n",
    ],
)
def test_a_log_likelihood_is_a_loss_with_its_sign_turned(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k=k, v=f"{9 - k}.25") for k in range(1, 8)))
    assert _values(run, "train/loss") == [8.25, 7.25, 6.25, 5.25, 4.25, 3.25, 2.25]
    assert any("without its minus sign" in note for note in run.notes)


def test_a_log_of_one_step_is_refused_with_its_line(pasted: Write) -> None:
    text = (
        "Loading model\n"
        + "-\n" * 5
        + "{'loss': 0.6931, 'grad_norm': 24.8, 'learning_rate': 5e-06, 'epoch': 0.0}\nKilling\n"
    )
    with pytest.raises(UnreadableLog, match=r"one epoch or step alone \(line 7\)"):
        pasted(text)


def test_a_run_that_was_interrupted_at_once_is_not_said_to_have_failed(pasted: Write) -> None:
    text = 'Starting training...\nTraceback (most recent call last):\n  File "train.py", line 3\nKeyboardInterrupt\n'
    with pytest.raises(UnreadableLog, match="was interrupted"):
        pasted(text)


def test_a_few_fits_of_one_epoch_in_a_loop_are_one_run(pasted: Write) -> None:
    run = pasted("".join(FIT.format(a=f"0.693{k}", b=f"0.70{k}") for k in range(1, 9)))
    assert _steps(run, "train/loss") == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_episodes_of_an_evaluation_are_no_training(pasted: Write) -> None:
    bar = "a2c eval:  10%|█         | {k}/10 [00:01<00:14,  1.61s/it]"
    with pytest.raises(NotALog, match="episodes of an evaluation"):
        pasted("".join(f"{bar.format(k=k)}[EVAL] algo=a2c episode={k + 1} reward={400 - k}.5\n" for k in range(10)))


def test_evaluations_every_hundred_episodes_are_a_training(pasted: Write) -> None:
    run = pasted("".join(f"[EVAL] Episode {k}00: reward={k}.5\n" for k in range(1, 11)))
    assert _values(run, "reward")[-1] == 10.5


@pytest.mark.parametrize("mark", ["[{}th step]", "At the {}th step,", "{}th iteration:", "after {}th update"])
def test_an_ordinal_in_front_of_the_word_is_the_step(pasted: Write, mark: str) -> None:
    run = pasted("".join(f"{mark.format(7000 + 10 * k)} loss {9 - k}.5, lr 0.01\n" for k in (4, 5, 6, 7)))
    assert _steps(run, "train/loss") == [7040, 7050, 7060, 7070]


def test_a_count_in_front_of_losses_in_brackets_is_the_step(pasted: Write) -> None:
    run = pasted("".join(f"{200 * k} [D loss: 0.5{k}1, acc.: 6{k}.00%] [G loss: 1.2{k}3]\n" for k in range(1, 7)))
    assert _steps(run, "generator_loss") == [200, 400, 600, 800, 1000, 1200]


def test_a_time_and_a_place_in_brackets_in_front_of_a_line_are_no_numbers_of_it(pasted: Write) -> None:
    run = pasted(
        "".join(
            f"[Tool I 2026-01-02 03:04:0{k} my_logging:39{k}] iteration {k} | loss: 1.{9 - k} | norm: 0.4\n"
            for k in range(1, 8)
        )
    )
    assert not run.unknown
    assert _values(run, "grad_norm") == [0.4] * 7


def test_two_runs_that_print_in_turn_are_read_apart(tmp_path: Path) -> None:
    line = "Epoch: [{}] time: 12.5, train_loss: {:.4f}, val_loss: {:.4f}\n"
    first = [line.format(k, 2 * 0.9**k, 2.2 * 0.9**k) for k in range(14)]
    second = [line.format(k, 3 * 0.8**k, 3.2 * 0.8**k) for k in range(9)]
    path = tmp_path / "both.log"
    turns = [text for pair in zip(first[5:], second, strict=True) for text in pair]
    path.write_text("".join([*first[:5], *turns]), encoding="utf-8")
    runs = read(path)
    assert [len(run.series["train/loss"]) for run in runs] == [14, 9]
    assert _values(runs[1], "train/loss")[:2] == [3, 2.4]


def test_training_and_validation_of_one_run_do_not_take_turns(pasted: Write) -> None:
    """The validation of an epoch may be printed after the training of the next."""
    text = "".join(
        f"epoch {k} train loss {2 * 0.9**k:.4f}\nepoch {k - 1} val loss {2.2 * 0.9**k:.4f}\n" for k in range(1, 12)
    )
    run = pasted(text)
    assert len(run.series["train/loss"]) == len(run.series["validation/loss"]) == 11


def test_the_place_in_the_program_that_logs_a_line_is_no_column(pasted: Write) -> None:
    line = "[gpu01] 2022-05-01 01:00:11,574 (trainer:338) INFO: {0}epoch results: [train] acc=0.{0}1, loss=6{0}.4, total_count=6180, [valid] acc=0.{0}0, loss=4{0}.7\n"
    assert pasted("".join(line.format(9 - k) for k in range(8))).unknown == ()


def test_the_logits_of_a_preference_are_understood(pasted: Write) -> None:
    line = "{{'loss': 0.6{0}, 'rewards/chosen': 0.1{0}, 'rewards/margins': 0.2{0}, 'logits/chosen': -2.1, 'logits/rejected': -2.0, 'epoch': 0.{0}}}\n"
    assert pasted("".join(line.format(k) for k in range(1, 9))).unknown == ()
