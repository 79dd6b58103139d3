"""Names in printed rows: the total of several losses, the updates that wav2letter counts, and rows in backquotes."""

from __future__ import annotations

from collections.abc import Callable

from nndoctor.core.run import Run

Write = Callable[[str], Run]


def test_the_total_behind_the_word_loss_is_the_loss(pasted: Write) -> None:
    row = "Epoch: {0}, global_step: {0}00 | loss: total: {1}, xy: 3.2, conf: 0.8 | lr: 3e-05\n"
    run = pasted("".join(row.format(k, 9.5 - k) for k in range(1, 6)))
    assert run.series["train/loss"].values.tolist() == [8.5, 7.5, 6.5, 5.5, 4.5]


def test_updates_are_steps(pasted: Write) -> None:
    row = "epoch: 12 | nupdates: {0} | lr: 2.0 | loss: {1} | train-WER: 100.{2} | dev-clean-loss: 28.{2} | dev-clean-WER: {3}\n"
    values = ((31000, 77.2, 4, 100.1), (32000, 79.1, 7, 99.4), (33000, 80.4, 9, 100.2))
    run = pasted("".join(row.format(*each) for each in values))
    assert run.series["train/loss"].steps.tolist() == [31000, 32000, 33000]


def test_rows_in_backquotes_keep_their_first_name(pasted: Write) -> None:
    run = pasted("".join(f"> `loss: 0.{7 - k} - val_loss: 0.{8 - k}`\n" for k in range(6)))
    assert run.series["train/loss"].values.tolist() == [0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    assert len(run.series["validation/loss"]) == 6


def test_a_loss_with_a_word_of_its_own_is_a_part_next_to_a_whole_one(pasted: Write) -> None:
    line = "epoch 1 step {}00: det loss: 0.{}1, box loss: 3.{}2, total loss: {}.73\n"
    run = pasted("".join(line.format(k, 9 - k, k, 9 - k) for k in range(1, 8)))
    assert run.series["train/loss"].values.tolist() == [8.73, 7.73, 6.73, 5.73, 4.73, 3.73, 2.73]
    assert run.series["train/det_loss"].values[0] == 0.81
    alone = pasted("".join(line.format(k, 9 - k, k, 9 - k).partition(", total")[0] + "\n" for k in range(1, 8)))
    assert alone.series["train/loss"].values[0] == 0.81
