"""Free text: the shapes of line that print loops and frameworks leave, each read by one general reader."""

from __future__ import annotations

import contextlib
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nndoctor
from nndoctor.core.errors import NNDoctorError, UnreadableLog
from nndoctor.readers.formats import text_lines
from nndoctor.readers.io.source import Source
from nndoctor.readers.text.pairs import parse

FALL = (0.9, 0.5, 0.3)


def run_of(text: str | bytes):
    """The one run in a text."""
    data = text if isinstance(text, bytes) else text.encode()
    (run,) = nndoctor.read(Source("train.log", data))
    return run


def values_of(text: str | bytes) -> dict[str, list[float]]:
    """The values of every series in a text."""
    return {name: [round(v, 6) for v in s.values.tolist()] for name, s in run_of(text).series.items()}


LOSSES = {"train/loss": [0.9, 0.5, 0.3], "validation/loss": [1.0, 0.7, 0.6]}
PAIRS = tuple(enumerate(zip(*LOSSES.values(), strict=True)))
BACK = "\x08" * 60
SHAPES = {
    "print": "epoch {e} | train loss {t} | val loss {v}\n",
    "colons": "Epoch: {e}, Train Loss: {t}, Val Loss: {v}\n",
    "commas": "epoch {e}, train loss {t}, val loss {v}\n",
    "words": "epoch {e} train loss {t} val loss {v}\n",
    "counted": "Epoch [{e}/3], loss: {t}, val_loss: {v}\n",
    "logging": "2023-05-15 22:50:17,398 INFO:Epoch {e}: Train Loss={t}, Val Loss={v}\n",
    "dict": "{{'loss': '{t}', 'epoch': {e}}}\n{{'eval_loss': {v}, 'eval_runtime': 2.1, 'epoch': {e}}}\n",
    "nanogpt": "step {e}: train loss {t}, val loss {v}\n",
    "llm.c": "s:{e} tel:{v}\ns:{e} trl:{t}\n",
    "build-nanogpt": "{e} val {v}\n{e} train {t}\n",
    "modded-nanogpt": "step:{e}/3 train_loss:{t} train_time:10ms step_avg:1.5ms\nstep:{e}/3 val_loss:{v} train_time:11ms\n",
    "olmo": "2025-12-26 19:17:38.772\thost:0\tolmo.train:990\tINFO\t[step={e}/9,epoch=0]\n"
    "    train/CrossEntropyLoss={t}\n    eval/CrossEntropyLoss={v}\n",
    "megatron": " iteration   {e}/ 500 | elapsed time per iteration (ms): 438.3 | lm loss: {t} | number of nan iterations: 0 |\n"
    " validation loss at iteration {e} | lm loss value: {v} |\n",
    "caffe": "I0124 12:24:04.620131 19781 solver.cpp:236] Iteration {e}, loss = {t}\n"
    "I0124 12:24:04.620131 19781 solver.cpp:340] Iteration {e}, Testing net (#0)\n"
    "I0124 12:24:04.620131 19781 solver.cpp:408]     Test net output #1: loss = {v} (* 1 = {v} loss)\n",
    "flair": "2020-06-23 12:11:12,547 EPOCH {e} done: loss {t} - lr 0.1000\n"
    "2020-06-23 12:11:31,969 DEV : loss {v} - score 0.7667\n2020-06-23 12:11:32,118 BAD EPOCHS (no improvement): 0\n",
    "mmdet": "2021-08-12 10:00:00,1 - mmdet - INFO - Epoch [{e}][50/50]\tlr: 1.978e-03, eta: 7:16:55, memory: 2569, loss: {t}\n"
    "2021-08-12 10:00:00,1 - mmdet - INFO - Epoch(val) [{e}][5]\tloss: {v}\n",
    "nnunet": "2023-09-11 17:34:21.799514: \nepoch:  {e}\n2023-09-11 17:34:21.799514: train loss : {t}\n"
    "2023-09-11 17:34:21.799514: validation loss: {v}\n",
    "tutorial": "Epoch {e}/24\n----------\ntrain Loss: {t} Acc: 0.5\nval Loss: {v} Acc: 0.6\n\n",
    "fairseq": "2020-01-01 10:00:00 | INFO | train | epoch {e:03d} | loss {t} | gnorm 1.2\n"
    "2020-01-01 10:00:00 | INFO | valid | epoch {e:03d} | valid on 'valid' subset | loss {v}\n",
    "xgboost": "[{e}]\ttrain-logloss:{t}\tvalidation-logloss:{v}\n",
    "lightgbm": "[{e}]\ttraining's binary_logloss: {t}\tvalid_1's binary_logloss: {v}\n",
    "keras": "Epoch {e}/3\n\n1/5 [=====>...] - ETA: 6s - loss: 7.0" + BACK + "\n"
    "5/5 [==========] - 0s 183us/step - loss: {t} - val_loss: {v}\n",
    "keras 3": "Epoch {e}/3\n\x1b[1m1/5\x1b[0m \x1b[32m━━\x1b[0m \x1b[1m1s\x1b[0m 20ms/step - loss: 2.3" + BACK + "\n"
    "\x1b[1m5/5\x1b[0m \x1b[32m━━━━\x1b[0m \x1b[1m0s\x1b[0m 20ms/step - loss: {t} - val_loss: {v}\n",
    "keras verbose=2": "Epoch {e}/3\n5/5 - 1s - loss: {t} - val_loss: {v} - 1s/epoch - 200ms/step\n",
    "tqdm": "\rEpoch {e}:  50%|██   | 5/10 [00:01<00:01, 4.2it/s, loss=3.0]"
    "\rEpoch {e}: 100%|████| 10/10 [00:02<00:00, 4.2it/s, loss={t}, val_loss={v}]\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_line(shape):
    """Three epochs or steps told in any of these ways are the same two losses."""
    found = values_of("".join(SHAPES[shape].format(e=e + 1, t=t, v=v) for e, (t, v) in PAIRS))
    assert {name: found.get(name) for name in LOSSES} == LOSSES


def test_steps_and_lines():
    """Series stand at the epochs of the text, and know the line of each value."""
    run = run_of("starting\nepoch 2 loss 0.9\n\nepoch 4 loss 0.5\nepoch 6 loss nan\n")
    loss = run.series["train/loss"]
    assert loss.steps.tolist() == [2, 4, 6]
    assert loss.lines.tolist() == [2, 4, 5]
    assert math.isnan(loss.values[-1])


def test_percent_ratios_and_thousands():
    """`92.1%`, `9210/10000 (92%)` and `8,641` are numbers."""
    text = "".join(
        f"Epoch {e}: loss 0.5, perplexity=8,641\nTest set: Accuracy: {e}210/10000 (92%)\n" for e in (1, 2, 3)
    )
    found = values_of(text)
    assert found["validation/accuracy"] == [0.121, 0.221, 0.321]
    assert found["train/perplexity"] == [8641] * 3


def test_steps_that_begin_again_each_epoch():
    """`Train Epoch: 2 [640/60000 (1%)]` follows all steps of epoch 1."""
    text = "".join(
        f"Train Epoch: {e} [{b}/60000 (1%)]\tLoss: {1 / (e + b / 9e4):.6f}\n" for e in (1, 2) for b in (0, 640, 1280)
    )
    loss = run_of(text).series["train/loss"]
    assert len(loss) == 6
    assert all(b > a for a, b in zip(loss.steps, loss.steps[1:], strict=False))


def test_an_epochs_own_line_counts_more_than_its_steps():
    """Where epochs sum up what their steps said, the sums are the series."""
    text = "".join(
        f"epoch {e} - iter {i}/2 - loss {9 + i}\n" + (f"EPOCH {e} done: loss {1 / e:.3f}\n" if i else "")
        for e in range(1, 6)
        for i in (0, 1)
    )
    assert values_of(text)["train/loss"] == [1, 0.5, 0.333, 0.25, 0.2]


def test_evaluation_after_the_last_epoch_is_no_epoch():
    """The bar that `model.evaluate` draws does not overwrite the last epoch of `fit`."""
    bar = "[==========] - 0s 1ms/step - loss: {} - accuracy: 0.9\n"
    fit = "".join(f"Epoch {e}/3\n75/75 {bar.format(t)}" for e, t in enumerate(FALL, 1))
    assert values_of(fit + "1/3 [===>..] - ETA: 0s - loss: 8.0\n3/3 " + bar.format(7.0))["train/loss"] == list(FALL)
    assert values_of(fit + "75/75 [=>.] - ETA: 0s\n1/75 [=>.] - ETA: 0s\n75/75 " + bar.format(7.0))[
        "train/loss"
    ] == list(FALL)


def test_what_was_best_is_no_row():
    """`best val acc` and the trainer's last summary are words about the run."""
    text = "".join(f"epoch {e} loss {t}\nbest loss: 0.1\n" for e, t in enumerate(FALL, 1))
    assert values_of(text + "{'train_runtime': 12.1, 'train_loss': 1.1, 'epoch': 3.0}\n") == {"train/loss": list(FALL)}


def test_source_code_above_the_log_is_left_out():
    """Assignments in a script that prints itself are no rows once the log has steps."""
    source = "import torch\nloss = 7.0\nval_loss = 8.0\n"
    assert values_of(source + "".join(f"step:{e}/9 val_loss:{t}\n" for e, t in enumerate(FALL))) == {
        "validation/loss": list(FALL)
    }


def test_a_chinese_log_is_read():
    """A log in GBK is text."""
    text = "".join(f"第{e}轮 - INFO - Epoch {e}/3, Train Loss: {t}\n" for e, t in enumerate(FALL, 1))
    assert values_of(text.encode("gbk"))["train/loss"] == list(FALL)


def test_a_gan_is_reported():
    """pix2pix' loss log names its two sides."""
    text = "".join(
        f"(epoch: {e}, iters: 100, time: 0.1) G_GAN: {t} D_real: 0.2 D_fake: 0.1 \n" for e, t in enumerate(FALL, 1)
    )
    run = run_of(text)
    assert run.facts["task"].value == "gan"
    assert run.series["generator_loss"].values.tolist() == list(FALL)


def test_boxes_of_reinforcement_learning():
    """Stable-Baselines3 draws a box of names and numbers for each update."""
    box = "| rollout/        |      |\n|    ep_rew_mean  | {} |\n|    ep_len_mean  | 22.7 |\n-----------\n"
    run = run_of("".join(box.format(reward) for reward in (20.5, 26.4, 31)))
    assert run.facts["task"].value == "reinforcement-learning"
    assert run.series["reward"].values.tolist() == [20.5, 26.4, 31]


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):\n  File 'train.py', line 355, in <module>\n    losses = estimate_loss()\n",
        "lr: 0.1\nbatch_size: 32\nloss: 0.5\n",
        "epoch 1 loss 0.5\n",
        "train:\n  lr: 0.1\n  loss: 0.5\nval:\n  loss: 0.6\n",
        "# Title\n\nOur model: accuracy 0.9 on test, loss 0.5.\nOther: accuracy 0.8 on test, loss 0.4.\n",
        '{"loss": 0.5,\n "epoch": 1,\n "epoch": 2, "loss": 0.3\n',
        "Our model reached an accuracy of 0.9 in 2020 and 0.95 in 2021.\nIt is good.\n",
    ],
)
def test_what_is_no_log(text):
    """Tracebacks, settings, a single row, broken JSON and prose are refused."""
    with pytest.raises(UnreadableLog):
        nndoctor.read(Source("notes.txt", text.encode()))


def test_long_prefaces():
    """A log is found below a preface that is longer than the first bytes."""
    text = (
        "Transferred 451/459 items\n    (conv): Conv3d(640, 320, kernel_size=(3, 3, 3))\n" * 2000
        + "epoch 1 loss 0.9\nepoch 2 loss 0.5\n"
    )
    assert values_of(text) == {"train/loss": [0.9, 0.5]}


@pytest.mark.parametrize(
    "line", [" " * 3900 + "1", "loss [1, " * 400, "epoch [" * 500, "1,111" * 700, "a " * 1900 + "1"]
)
def test_no_line_takes_long(line):
    """Lines made to try every way of matching are read in time that grows with their length."""
    began = time.process_time()
    text_lines.READER.sniff(Source("x.log", f"{line}\n".encode() * 200))
    assert time.process_time() - began < 5


ALPHABET = [
    "epoch",
    "loss",
    "val",
    "acc",
    " ",
    ":",
    "=",
    "[",
    "]",
    "/",
    "|",
    "\n",
    "\r",
    "\x08",
    "1",
    "0.5",
    "nan",
    "%",
    "-",
]


def test_a_count_of_modes_is_no_share():
    """`8/8` are all eight modes, where `9824/10000` is an accuracy."""
    text = "".join(f"[Epoch {k}/9] [D loss: 0.{k}4] [G loss: 0.{k}9] [modes: {min(k, 8)}/8]\n" for k in range(1, 10))
    assert values_of(text)["sample_diversity"] == [1, 2, 3, 4, 5, 6, 7, 8, 8]


@given(st.lists(st.sampled_from(ALPHABET), max_size=80).map("".join))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reader(text):
    """Whatever the text, it is read or refused as a user's mistake is."""
    source = Source("x.log", text.encode())
    if text_lines.READER.sniff(source):
        with contextlib.suppress(NNDoctorError):
            assert all(run.series for run in nndoctor.read(source))


def test_how_many_examples_a_split_has_is_no_loss():
    """Even where a step of some preparation is numbered above it."""
    assert parse("Step 3: Train=536 samples, Test=134 samples").pairs == {"Train": "536", "Test": "134"}
    assert parse("Epoch 3: Train=5.36, Test=1").pairs == {"Train loss": "5.36", "Test loss": "1"}
