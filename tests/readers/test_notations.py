"""Notations of single tools and machines: escapes of system logs, NaN as Windows prints it, Marian, CNTK, narrow bars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

Write = Callable[[str], Run]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


@pytest.mark.parametrize(
    ("spelled", "value"),
    [("1.#QNAN0", "nan"), ("-1.#IND00", "nan"), ("-nan(ind)", "nan"), ("1.#INF00", "inf"), ("nan", "nan")],
)
def test_nan_and_infinity_as_windows_prints_them(pasted: Write, spelled: str, value: str) -> None:
    run = pasted(f"step 1 loss 0.91\nstep 2 loss 0.72\nstep 3 loss {spelled}\n")
    assert str(run.series["train/loss"].values[-1]) == value


def test_a_bar_in_a_system_log_is_read_through_its_escapes(pasted: Write) -> None:
    bar = "[1,mpirank:0,algo-1]<stdout>:#015Epoch {0}: {1} {2}/4 [00:0{2}<00:00,  3.10it/s, loss={3}, v_num=0]#033[A\n"
    drawn = [(epoch, f"{25 * k}%", k, f"1.{9 - 4 * epoch - k}") for epoch in range(2) for k in range(1, 5)]
    run = pasted("".join(bar.format(*values) for values in drawn))
    assert _values(run, "train/loss")[-1] == 1.1


def test_redrawings_of_one_bar_are_one_value(pasted: Write) -> None:
    done = "Epoch 0: 100% 2/2 [00:00<00:00, 12.3it/s, loss=2.29, v_num=0, val_acc=0.166]\n"
    under_way = "Epoch {}:  50% 1/2 [00:00<00:00,  6.5it/s, loss=2.3, v_num=0]\n"
    run = pasted(
        under_way.format(0) + 4 * done + "Epoch 1:   0% 0/2 [00:00<?, ?it/s, loss=2.29]\n" + under_way.format(1)
    )
    assert _values(run, "train/loss") == [2.3, 2.29, 2.3]


def test_a_few_coarse_values_that_agree_are_no_plateau() -> None:
    coarse, fine = Run.drawn(train_loss="2.29*3"), Run.drawn(train_loss="2.29041*3")
    assert "plateau-at-start" not in [finding.name for finding in diagnose(coarse, RULES).findings]
    assert "plateau-at-start" in [finding.name for finding in diagnose(fine, RULES).findings]


def test_marian_counts_updates_and_validates(pasted: Write) -> None:
    train = "[2031-02-03 04:0{0}:00] Ep. 1 : Up. {0}000 : Sen. {0}1,200 : Cost {1} * 9,100 @ 12 after {0}4,000 : Time 12.5s : 900.1 words/s : gNorm 0.8 : L.r. 2.0e-04\n"
    valid = "[2031-02-03 04:0{0}:30] [valid] Ep. 1 : Up. {0}000 : {1} : new best\n"
    rows = [(k, 7 - 0.5 * k) for k in range(1, 7)]
    run = pasted(
        "".join(
            train.format(k, cost)
            + "".join(
                valid.format(k, of) for of in (f"cross-entropy : 13{k}.1", f"perplexity : {90 - k}", f"bleu : {k}.5")
            )
            for k, cost in rows
        )
    )
    assert run.series["train/loss"].steps.tolist() == [1000, 2000, 3000, 4000, 5000, 6000]
    assert _values(run, "train/loss") == [6.5, 6, 5.5, 5, 4.5, 4]
    assert _values(run, "validation/perplexity") == [89, 88, 87, 86, 85, 84]
    assert _values(run, "validation/bleu")[-1] == 6.5
    assert {"lr", "grad_norm"} <= run.series.keys()


@pytest.mark.parametrize(
    "line",
    [
        " Epoch[ 1 of 3]-Minibatch[ {0}01- {1}00, 9.02%]: ce = {2} * 3200; errs = 4{0}.5% * 3200; time = 0.2s\n",
        "> Epoch[1 of 3]-Minibatch[ {0}01-{1}00]: SamplesSeen = 3200; TrainLossPerSample =  {2}; EvalErr[0]PerSample = 0.4{0}5; TotalTime = 2.1s\n",
    ],
)
def test_cntk_prints_its_criterion_and_its_error(pasted: Write, line: str) -> None:
    run = pasted("".join(line.format(k, k + 1, 2 - 0.25 * k) for k in range(6)))
    assert _values(run, "train/loss") == [2, 1.75, 1.5, 1.25, 1, 0.75]
    assert _values(run, "train/error")[-1] == 0.455
    assert run.series["train/loss"].steps.tolist() == [100, 200, 300, 400, 500, 600]


def test_a_count_of_batches_that_goes_on_counts_the_steps(pasted: Write) -> None:
    line = "Elapsed [0:0{0}:01.5] batch: {0}50  d_loss: 0.{1}  g_loss: 1.{0}\n"
    run = pasted("".join(line.format(k, 9 - k) for k in range(1, 8)))
    assert run.series["discriminator_loss"].steps.tolist() == [150, 250, 350, 450, 550, 650, 750]


def test_each_side_of_a_gan_keeps_its_name(pasted: Write) -> None:
    line = "Epoch: 2: [D loss: 0.{0}] [G total loss: 1{0}.5] [G GAN Loss: 0.000000]\n"
    run = pasted("".join(line.format(k) for k in range(1, 8)))
    assert _values(run, "generator_loss") == [11.5, 12.5, 13.5, 14.5, 15.5, 16.5, 17.5]
    assert "train/loss" not in run.series


def test_a_number_before_a_bar_and_a_loss_is_the_step(pasted: Write) -> None:
    run = pasted("".join(f"{25 * k} | loss {9 - k}.25 | lr 1.0e-04 | 812.{k}ms\n" for k in range(6)))
    assert run.series["train/loss"].steps.tolist() == [0, 25, 50, 75, 100, 125]


def test_seconds_with_their_unit_are_times(pasted: Write) -> None:
    line = (
        "epoch: 1/9, iter: {0}0/90, mem: 12Mb, iter_time: 0.{0}52s, data_time: 0.0{0}1s, total_loss: {0}.5, lr: 1e-3\n"
    )
    run = pasted("".join(line.format(k) for k in range(1, 7)))
    assert _values(run, "step_time") == [0.152, 0.252, 0.352, 0.452, 0.552, 0.652]
    assert _values(run, "data_time")[-1] == 0.061


def test_the_line_of_the_program_that_logs_is_no_number_of_the_run(pasted: Write) -> None:
    line = "2031-02-03 04:0{0}:00 | INFO     | core.trainer:2{0}6 - epoch: {0}/9, loss: 1.{0}, train.py:31 done\n"
    run = pasted("".join(line.format(k) for k in range(1, 7)))
    assert not [name for name in run.unknown if "trainer" in name]


def test_three_rows_of_one_epoch_printed_in_a_row_are_one_run(pasted: Write) -> None:
    row = "{{'loss': 0.0, 'grad_norm': 0.{0}, 'learning_rate': {1}e-07, 'reward': 0.{0}, 'reward_std': 0.8, 'kl': 0.001, 'epoch': 0.0}}\n"
    run = pasted("".join(row.format(9 - k, 5.5 + 1.1 * k) for k in range(3)))
    assert len(run.series["reward"]) == 3


def test_a_total_beside_its_regularization_is_the_loss(pasted: Write) -> None:
    line = "step {0}00, policy={1} mse=0.{2} reg=0.37 total={1}5 (4083.19 pos/s)\n"
    run = pasted("".join(line.format(k, 7 - 0.5 * k, 9 - k) for k in range(1, 7)))
    assert np.array_equal(run.series["train/loss"].values[:2], [6.55, 6.05])
