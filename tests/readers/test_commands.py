"""Commands that start a training, printed above it, and the learning rate that they give."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.readers.io.source import Source
from nndoctor.readers.text.commands import commanded_rates


@pytest.mark.parametrize(
    ("command", "rate"),
    [
        ("$ python train.py --lr 1000.0 --epochs 10", 1000.0),
        ("CUDA_VISIBLE_DEVICES=0 python3 -m app.train --learning-rate=3e-4", 3e-4),
        ("+ torchrun --nproc_per_node 8 train.py --learning_rate 0.01", 0.01),
        ("python train.py --lr_scheduler cosine", None),
        ("we ran python with --lr 3 once", None),
    ],
)
def test_the_rate_of_a_command(command, rate):
    fact = commanded_rates(Source("log.txt", f"{command}\nepoch 1 loss 2.3\n".encode())).get("commanded_rates")
    assert (None if fact is None else fact.value) == (None if rate is None else (1, rate))


def test_each_run_has_the_rate_of_its_own_command(tmp_path):
    lost = "".join(f"epoch {k} loss nan val_loss nan\n" for k in range(1, 9))
    sound = "".join(f"epoch {k} loss {2 * 0.8**k:.4f} val_loss {2.1 * 0.8**k:.4f}\n" for k in range(1, 13))
    log = tmp_path / "nohup.out"
    log.write_text(f"$ python train.py --lr 1000.0\n{lost}$ python train.py --lr 0.05\n{sound}")
    first, second = nndoctor.read(log)
    assert (first.known("given_lr"), second.known("given_lr")) == (1000.0, 0.05)
    found = nndoctor.diagnose(first, isolated=True).primary
    assert found.name == "nan-loss"
    assert found.causes[0].name == "learning rate too high"
