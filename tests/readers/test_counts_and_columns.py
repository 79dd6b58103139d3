"""Counts and columns as people paste them: thousands separators, lists one after the other, quotes, numbers too long for their column."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nndoctor.core.run import Run

Write = Callable[[str], Run]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def test_a_count_may_have_thousands_separators(pasted: Write) -> None:
    run = pasted(
        "".join(f"<epoch: 3, iter: {k},{5 * (k % 2)}00, lr:2.000e-04> l_pix: {9 - k}.5e-01\n" for k in range(1, 7))
    )
    assert run.series["lr"].steps.tolist() == [1500, 2000, 3500, 4000, 5500, 6000]


def test_evaluations_listed_before_training_are_no_resumed_run(pasted: Write) -> None:
    evaluations = "".join(f"<epoch: {k}9, iter: {k},000> psnr: 3{k}.5\n" for k in range(1, 7))
    training = "".join(f"<epoch: 4{k}, iter: 4,{k}00> l_pix: 0.5{k}\n" for k in range(1, 7))
    run = pasted(f"evaluation\n{evaluations}\n....\n{training}")
    assert _values(run, "train/psnr") == [31.5, 32.5, 33.5, 34.5, 35.5, 36.5]
    assert "resumed_at" not in run.facts


def test_a_run_that_goes_back_with_the_same_series_was_resumed(pasted: Write) -> None:
    rows = [*range(0, 60, 10), *range(35, 85, 10)]
    run = pasted("".join(f"step {k} loss {9 - 0.05 * k:.3f}\n" for k in rows))
    assert run.facts["resumed_at"].value == (35.0,)


def test_rows_in_another_order_are_no_resumed_run(pasted: Write) -> None:
    """They go back once, as a resumed run does, but no stretch of the steps was repeated."""
    run = pasted("epoch,loss\n" + "".join(f"{k},{9 - 0.5 * k}\n" for k in (0, 1, 3, 6, 2, 4, 5, 7)))
    assert run.series["train/loss"].steps.tolist() == [*range(8)]
    assert "resumed_at" not in run.facts


def test_a_table_in_quotes_is_a_table(pasted: Write) -> None:
    rows = "\n".join(f"{100 * k:7d}      {9 - k}.10e+00      {9 - k}.00e-01    1.0e-03" for k in range(6))
    run = pasted(f'" #  step      rmse_trn    rmse_e_trn         lr\n{rows}"')
    assert _values(run, "train/rmse") == [9.1, 8.1, 7.1, 6.1, 5.1, 4.1]
    assert _values(run, "lr")[-1] == 0.001


def test_a_number_too_long_for_its_column_moves_its_row(pasted: Write) -> None:
    header = f"{'epoch':<12}{'iteration':<12}{'main/loss':<11}{'validation/main/loss':<22}{'elapsed_time':<12}"
    losses = ["0.91", "0.72345678901", "0.6", "0.5234567890", "0.4"]
    rows = [f"{0:<12}{100 * k:<12}{loss:<11}{'':<22}{12.5 * k:<12}" for k, loss in enumerate(losses, 1)]
    run = pasted("\n".join([header, *rows]))
    assert _values(run, "train/loss") == [0.91, 0.723457, 0.6, 0.523457, 0.4]


def test_a_record_may_name_its_step_below_its_numbers(pasted: Write) -> None:
    block = "done: false\nepisode_reward_mean: -{0}.5\ninfo:\n  default:\n    entropy: 1.{1}\n    vf_loss: 5{1}.0\ntraining_iteration: {2}\n\n"
    run = pasted("".join(block.format(90 - k, 9 - k, 10 * k) for k in range(1, 7)))
    assert run.series["reward"].steps.tolist() == [10, 20, 30, 40, 50, 60]


def test_the_step_of_the_whole_run_counts_beside_that_of_the_epoch(pasted: Write) -> None:
    block = "   --> STEP: {0}/40 -- GLOBAL_STEP: {1}\n     | > loss: 2.{2}  (2.9)\n"
    rows = [(14, 14), (29, 29), (4, 44), (19, 59), (34, 74), (9, 89)]
    run = pasted("".join(block.format(at, whole, 9 - k) for k, (at, whole) in enumerate(rows)))
    assert run.series["train/loss"].steps.tolist() == [14, 29, 44, 59, 74, 89]


@pytest.mark.parametrize(("spelled", "digits"), [("0.2000", 4), ("4.600", 4), ("1.0e-03", 2), ("0.7", 1)])
def test_a_loss_spelled_the_same_in_all_rows_shows_its_digits(pasted: Write, spelled: str, digits: int) -> None:
    run = pasted("".join(f"epoch {k} loss {spelled}\n" for k in range(1, 7)))
    assert run.number("printed_digits") == digits


def test_a_character_error_rate_is_no_word_error_rate(pasted: Write) -> None:
    run = pasted(
        "".join(
            f"epoch {k} train loss 2.{9 - k} valid loss 2.5 valid CER 4{k}.5 valid WER 9{k}.5\n" for k in range(1, 7)
        )
    )
    assert _values(run, "validation/character_error")[0] == 41.5
    assert _values(run, "validation/word_error")[0] == 91.5


@pytest.mark.parametrize("line", ["[{0},  {1}] loss: {2}\n", "Loss [{0}, {1}](epoch, minibatch):  {2}\n"])
def test_a_pair_in_brackets_is_the_epoch_and_the_batch(pasted: Write, line: str) -> None:
    rows = [(epoch, 200 * k, 3 - 0.5 * epoch - 0.1 * k) for epoch in (1, 2) for k in (1, 2, 3)]
    run = pasted("".join(line.format(epoch, at, f"{loss:.3f}") for epoch, at, loss in rows))
    assert _values(run, "train/loss") == [2.4, 2.3, 2.2, 1.9, 1.8, 1.7]
    assert run.series["train/loss"].steps.tolist() == [200, 400, 600, 800, 1000, 1200]


def test_numbers_below_a_line_of_names_go_by_those(pasted: Write) -> None:
    block = "Epoch: {0} | Epoch Time: 0m 57s\n****train_loss,train_acc,valid_loss****\n{1}\t2{0}.5\t{2}\n"
    run = pasted("".join(block.format(k, 3 - 0.25 * k, 3.1 - 0.2 * k) for k in range(1, 7)))
    assert _values(run, "train/loss") == [2.75, 2.5, 2.25, 2, 1.75, 1.5]
    assert _values(run, "validation/loss")[-1] == 1.9
    assert len(run.series["train/accuracy"]) == 6


COUNTED = ["[{0:02d}/12] loss={1} val_loss={2}\n", "{0}/12: train loss {1}, valid loss {2}\n"]


@pytest.mark.parametrize("line", [*COUNTED, "2026-05-01 10:00:00 ({0}/12) loss {1} | val loss {2}\n"])
def test_a_count_beside_a_validation_is_of_epochs(pasted: Write, line: str) -> None:
    run = pasted("start\n" + "".join(line.format(k, round(2 / k, 4), round(2.2 / k, 4)) for k in range(1, 7)))
    assert run.axis == "epoch"
    assert run.series["validation/loss"].steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert _values(run, "train/loss") == [2, 1, 0.6667, 0.5, 0.4, 0.3333]


@pytest.mark.parametrize("line", ["[{0}00/1200] loss={1} val_loss={2}\n", "[{0}/12] loss={1}\n"])
def test_a_count_by_hundreds_or_without_a_validation_is_of_steps(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, round(2 / k, 4), round(2.2 / k, 4)) for k in range(1, 7)))
    assert run.axis == "step"


@pytest.mark.parametrize("name", ["avg loss so far is", "Loss now:", "mean loss so far ="])
def test_words_between_a_name_and_its_number_are_no_part_of_the_name(pasted: Write, name: str) -> None:
    line = "Epoch {0}, Step {1}, total used time {1}.5 (s), {2} {3}\n"
    run = pasted("".join(line.format(k // 3, 50 * (k % 3 + 1), name, 5 / (k + 1)) for k in range(9)))
    assert _values(run, "train/loss")[:3] == [5, 2.5, 1.666667]


def test_values_of_batches_without_a_step_leave_the_epochs_of_their_means(pasted: Write) -> None:
    epoch = "".join(f"Epoch {{0}} - Batch loss: {{1:.2f}}{k}\n" for k in range(5))
    text = f"{epoch}Epoch {{0}} - Average Train Loss: {{1:.4f}}\nEpoch {{0}} - Validation accuracy: 0.{{2}}\n"
    run = pasted("".join(text.format(k, 9 / k, 40 + k) for k in range(1, 13)))
    assert run.axis == "epoch"
    assert run.series["train/loss"].steps.tolist() == [*range(1, 13)]
    assert _values(run, "validation/accuracy")[-1] == 0.52


def test_values_of_batches_alone_are_counted(pasted: Write) -> None:
    run = pasted("".join(f"Epoch {1 + k // 20} - Batch loss: {9 / (k + 1):.3f}\n" for k in range(60)))
    assert (run.axis, len(run.series["train/loss"])) == ("step", 60)


@pytest.mark.parametrize("line", ["Iteration:\t {0}\nLoss:\t\t {1}\nAccuracy:\t {2} +- 0.1\n----\n", "epoch:\t{0}\tloss:\t{1}\tacc:\t{2}\n"])  # fmt: skip
def test_names_and_numbers_parted_by_tabs_are_no_table(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, round(2 / (k + 1), 4), round(1 - 1 / (k + 2), 4)) for k in range(5)))
    assert _values(run, "train/loss") == [2, 1, 0.6667, 0.5, 0.4]
    assert _values(run, "train/accuracy") == [0.5, 0.6667, 0.75, 0.8, 0.8333]


@pytest.mark.parametrize("line", ["epoch {0} error {1}\n", "{0}\t{1}\n", "Iteration {0}, training error: {1}, validation error: {2}\n"])  # fmt: skip
def test_an_error_above_100_is_the_loss(pasted: Write, line: str) -> None:
    head = "epoch\ttraining error\n" if "\t" in line else ""
    run = pasted(head + "".join(line.format(k, 500 / k, 510 / k) for k in (1, 2, 4, 5, 8, 10)))
    assert _values(run, "train/loss") == [500, 250, 125, 100, 62.5, 50]
    assert "train/error" not in run.series
    assert any("no error rate" in note for note in run.notes)


def test_an_error_of_a_few_percent_is_a_rate(pasted: Write) -> None:
    run = pasted("".join(f"epoch {k} error {90 / k}\n" for k in (1, 2, 3, 4, 5, 6)))
    assert _values(run, "train/error")[-1] == 0.15
