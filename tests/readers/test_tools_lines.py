"""Lines and columns of more tools: summaries of the best, tables of spaCy, both sides of a GAN, scores of games, and extended runs."""

from __future__ import annotations

import math
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


def test_a_summary_of_the_best_step_begins_no_run(pasted: Write) -> None:
    rows = "".join(f"{k}000  [{9 - k}.00e+00]  [{9 - k}.50e+00]  [1.00e+00]\n" for k in range(6))
    run = pasted(
        f"Step  Train loss  Test loss  Test metric\n{rows}\nBest model at step 5000:\n  train loss: 4.00e+00\n"
    )
    assert _values(run, "train/loss") == [9, 8, 7, 6, 5, 4]


@pytest.mark.parametrize("remark", ["largest DSC now: 0.{k}5", "smallest loss so far: 0.{k}5"])
def test_a_remark_on_the_most_or_the_least_so_far_is_no_value(pasted: Write, remark: str) -> None:
    lines = [f"Epoch {k} | val loss 0.{9 - k} | val dsc 0.{k}\n{remark.format(k=k)}\n" for k in range(1, 7)]
    assert set(pasted("".join(lines)).series) == {"validation/loss", "validation/dice"}


@pytest.mark.parametrize("word", ["num", "no.", "number", "number:"])
def test_a_word_for_number_may_stand_before_the_epochs_number(pasted: Write, word: str) -> None:
    run = pasted("".join(f"Eval Epoch {word} {k} | val loss 0.{9 - k}\n" for k in (2, 4, 6, 8)))
    assert _steps(run, "validation/loss") == [2, 4, 6, 8]


def test_a_loss_after_named_counts_is_of_their_epoch(pasted: Write) -> None:
    run = pasted(
        "".join(f"2017-07-2{k}: Loss after num_examples_seen={k}00 epoch={5 * k}: {9 - k}.5\n" for k in range(1, 7))
    )
    assert _steps(run, "train/loss") == [5, 10, 15, 20, 25, 30]


def test_a_table_of_the_second_spacy_is_read(pasted: Write) -> None:
    header = "Itn.  Dep Loss  NER Loss  UAS     NER P.  NER R.  NER F.  Tag %   Token %  CPU WPS  GPU WPS\n"
    rows = "".join(
        f"{k}     0.000     {9 - k}.500     0.000   5{k}.000  40.000  4{k}.000  100.000 100.000  349.7    0.0\n"
        for k in range(5)
    )
    run = pasted(f"beam_width = 1 by default\n{header}{rows}")
    assert _values(run, "train/loss") == [9.5, 8.5, 7.5, 6.5, 5.5]
    assert _values(run, "validation/f1") == [0.4, 0.41, 0.42, 0.43, 0.44]


def test_the_losses_of_real_and_generated_examples_make_a_gan(pasted: Write) -> None:
    run = pasted("".join(f"{k} Image loss: 0.{k}8 Fake loss: 9.3{k} Generated loss: 0.3{k}\n" for k in range(10, 20)))
    assert run.facts["task"].value == "gan"
    assert _values(run, "generator_loss") == [round(0.3 + k / 1000, 6) for k in range(10, 20)]


def test_the_opponent_of_a_generator_is_no_critic_of_a_game(pasted: Write) -> None:
    run = pasted("".join(f"Epoch: {k}, Loss Critic: -0.0{k}, Loss Generator: -0.1{k}\n" for k in range(1, 9)))
    assert run.facts["task"].value == "gan"


@pytest.mark.parametrize("form", ["{}_{}_loss", "loss_{}_{}", "{}_loss_{}"])
def test_the_first_of_two_pairs_of_networks_is_read_in_every_spelling(pasted: Write, form: str) -> None:
    names = [form.format(side, which) for which in "AB" for side in "DG"]
    run = pasted("".join(f"step {k} " + " ".join(f"{name}: 0.{k}" for name in names) + "\n" for k in range(1, 9)))
    assert _values(run, "discriminator_loss") == [k / 10 for k in range(1, 9)]


def test_the_scores_of_episodes_are_rewards(pasted: Write) -> None:
    rows = "".join(f"{k},{k % 3}.5,0.{k}\n" for k in range(1, 9))
    run = pasted(f"Episode,Max Score,Moving Avg. (100 eps)\n{rows}")
    assert run.axis == "episode"
    assert _values(run, "reward") == [k / 10 for k in range(1, 9)]


def test_a_run_that_is_counted_out_of_another_total_was_resumed(pasted: Write) -> None:
    first = "".join(f"Epoch [{k}]/[9] Training Loss: 0.{99 - k}\n" for k in range(1, 10))
    second = "".join(f"Epoch [{k}]/[19] Training Loss: 0.{99 - k}\n" for k in range(10, 20))
    assert pasted(first + second).facts["resumed_at"].value == (10.0,)


def test_an_epochs_own_row_after_its_last_step_begins_no_run(pasted: Write) -> None:
    step = "INFO: {0}epoch:train:{1}-{2}batch: loss={3}\n"
    text = step.format(7, 91, 100, 1.6) + "INFO: 7epoch results: [train] loss=1.61, [valid] loss=1.85\n"
    text += "".join(step.format(8, 1 + 10 * k, 10 + 10 * k, 1.5 - k / 10) for k in range(4))
    run = pasted(text)
    assert _values(run, "validation/loss") == [1.85]


def test_a_part_of_an_epoch_that_repeats_is_rounded(pasted: Write) -> None:
    rows = [(0.01, 1.9), (0.02, 1.8), (0.02, 1.7), (0.03, 1.6), (0.04, 1.5)]
    run = pasted("".join(f"{{'loss': {loss}, 'learning_rate': 1e-06, 'epoch': {at}}}\n" for at, loss in rows))
    assert _values(run, "train/loss") == [1.9, 1.8, 1.7, 1.6, 1.5]


def test_error_rates_of_characters_with_a_percent_sign_are_shares(pasted: Write) -> None:
    line = "At iteration {0}2/{0}00/{0}00, Mean rms=5.3%, delta=8.5%, char train={1}.5%, word train=90.7%, skip ratio=0%,\n"
    run = pasted("".join(line.format(k, 200 - 20 * k) for k in range(1, 7)))
    assert _values(run, "train/character_error") == [1.805, 1.605, 1.405, 1.205, 1.005, 0.805]


def _sums() -> str:
    """Losses of batches, their sum over each epoch, and a validation loss that is a sum over the tokens, next to its perplexity."""
    text = ""
    for epoch in range(1, 9):
        for step in range(50 * (epoch - 1) + 10, 50 * epoch + 1, 10):
            text += f"Epoch {epoch}, Step: {step}, Batch Loss: {4 - step / 200:.3f}, Lr: 0.0001\n"
        text += f"Validation result at epoch {epoch}, step {50 * epoch}: loss: {9000 - 500 * epoch}.5, ppl: {20 - epoch}.25\n"
        text += f"Epoch {epoch}: total training loss {2000 - 100 * epoch}.70\n"
    return text


def test_the_sum_of_an_epoch_gives_way_to_the_losses_of_its_batches(pasted: Write) -> None:
    run = pasted(_sums())
    assert run.series["train/loss"].column == "Batch Loss"
    assert len(run.series["train/loss"]) == 40


def test_a_sum_over_tokens_gives_way_to_the_logarithm_of_its_perplexity(pasted: Write) -> None:
    run = pasted(_sums())
    assert run.series["validation/loss"].values[-1] == pytest.approx(math.log(12.25))
    assert "validation loss is a sum; using the logarithm of the perplexity instead" in run.notes


def test_an_epochs_sum_in_a_table_gives_way_to_the_losses_of_steps(pasted: Write) -> None:
    rows = "".join(f"{k},{2 - k / 20},{200 - k}\n" for k in range(1, 13))
    assert pasted(f"epoch,loss_step,loss\n{rows}").series["train/loss"].column == "loss_step"


def _runs(folder: Path, text: str) -> list[Run]:
    path = folder / "runs.log"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_settings_printed_between_two_runs_are_those_of_the_next(tmp_path: Path) -> None:
    epochs = "".join(f"Epoch {k}\ntrain loss: {9 - k}\nval loss: {9 - k}.5\n" for k in range(1, 6))
    text = "".join(f"args: {{'learning_rate': {rate}}}\n{epochs}" for rate in (0.4, 0.1, 0.2))
    runs = _runs(tmp_path, text)
    rates = [list(run.series["lr"].values) if "lr" in run.series else [] for run in runs]
    assert rates == [[0.4], [0.1], [0.2]]


def test_a_rate_below_each_epoch_is_that_epochs_at_the_end_of_a_run_too(tmp_path: Path) -> None:
    lines = [f"Epoch {k}\ntrain loss: {9 - k}.{r}\nlr: 0.{9 - k}\n" for r in (1, 2) for k in range(1, 6)]
    assert [_values(run, "lr") for run in _runs(tmp_path, "".join(lines))] == [[0.8, 0.7, 0.6, 0.5, 0.4]] * 2


def test_runs_of_one_epoch_with_a_line_of_their_own_keep_their_steps(tmp_path: Path) -> None:
    steps = "".join(f"Step {k * 5:3d} of 40:\nTrain loss: {9 - k}\nTest loss: {9 - k}.5\n" for k in range(8))
    runs = _runs(tmp_path, f"{steps}Epoch: 0\nTrain loss: 1.5\nTest loss: 2\n" * 4)
    assert [len(run.series["train/loss"]) >= 8 for run in runs] == [True] * 4


def test_returns_alone_are_of_episodes(pasted: Write) -> None:
    run = pasted("".join(f"2024-11-28 20:07:0{k},70{k} DQN INFO episodic returns: {20 + k}\n" for k in range(8)))
    assert run.axis == "episode"
    assert _values(run, "reward") == [20, 21, 22, 23, 24, 25, 26, 27]


def test_a_negative_log_marginal_likelihood_is_a_loss(pasted: Write) -> None:
    run = pasted("".join(f"Epoch {k}/9, Training Loss (NLML): -1.{k}, Training RMSE: 0.{9 - k}\n" for k in range(1, 8)))
    assert _values(run, "train/loss") == [-1.1, -1.2, -1.3, -1.4, -1.5, -1.6, -1.7]


def test_of_a_table_of_conlleval_the_row_of_all_classes_counts_for_its_split(pasted: Write) -> None:
    table = (
        "2020-02-10 21:04:50,178 - INFO - accuracy:  {0}1.00%; precision:  {0}2.00%; recall:  {0}3.00%; FB1:  {0}4.00\n"
    )
    of_class = "2020-02-10 21:04:50,178 - INFO -       PARK: precision:   0.00%; recall:   0.00%; FB1:   0.00  6627\n"
    dev, test = ("2020-02-10 21:04:42,460 - INFO - evaluate:" + split + "\n" for split in ("dev", "test"))
    run = pasted("".join(dev + table.format(k) + of_class + test + table.format(k + 1) + of_class for k in range(1, 7)))
    assert _values(run, "validation/f1") == [0.14, 0.24, 0.34, 0.44, 0.54, 0.64]
    assert _values(run, "test/accuracy") == [0.21, 0.31, 0.41, 0.51, 0.61, 0.71]
    assert not run.unknown


def test_a_batch_is_a_step_within_its_epoch(pasted: Write) -> None:
    rows = [f"epoch: {e}, batch_id: {b}, loss:0.{9 - 3 * e - b // 100}\n" for e in range(3) for b in (0, 100, 200)]
    run = pasted("".join(rows))
    assert _steps(run, "train/loss")[:4] == [0, 100, 200, 201]
