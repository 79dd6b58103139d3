"""What is no run log is refused in one line that says what it is and what to do."""

from __future__ import annotations

import io
import json
import pickle
import sqlite3
from contextlib import closing

import numpy as np
import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source

CRASH = """Loading data
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
RuntimeError: CUDA out of memory. Tried to allocate 20 MiB
"""


class Bomb:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def array():
    held = io.BytesIO()
    np.save(held, np.arange(5))
    return held.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        *((pickle.dumps({"loss": [1.0, 0.5]}, protocol), "is a pickle") for protocol in (0, 2, 4, 5)),
        (pickle.dumps({"loss": Bomb()}), "is a pickle"),
        (array(), "NumPy array"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 99, "HDF5"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "image"),
        (CRASH.encode(), r"ended with an error .*RuntimeError: CUDA out of memory"),
        (b"[0.9, 0.8, 0.7]", "without a name"),
        (b"run,lr,final_loss,best_acc\na,0.1,0.5,0.9\nb,0.01,0.4,0.8\n", "table of trials"),
        (b"Name,State,Created,Runtime,lr,val_loss\na,finished,2020,12,0.1,0.2\n", "W&B table of runs"),
        (b'{"loss": 0.3, "val_loss": 0.4, "_step": 10}', "one row per run"),
        (b"Wall time,Step,Value\n1.0,1,0.5\n2.0,2,0.4\n", "--map 'Value=train/loss'"),
    ],
)
def test_each_is_refused_in_its_words(data, says):
    """The line names the thing; nothing in it is executed."""
    with pytest.raises(UnreadableLog, match=says) as caught:
        nndoctor.read(Source("history", data))
    assert "\n" not in str(caught.value)


def test_a_download_from_tensorboards_page_is_named_by_its_file():
    """Tag and split come from the file's name; a renamed one is named with --map."""
    data = b"Wall time,Step,Value\n" + b"".join(b"1.%d,%d,%.2f\n" % (k, k, 2 - k / 9) for k in range(9))
    (run,) = nndoctor.read(Source("run-1_validation-tag-epoch_loss.csv", data))
    assert run.series["validation/loss"].values[0] == 2
    (run,) = nndoctor.read(Source("run-.-tag-train_loss (1).csv", data))
    assert len(run.series["train/loss"]) == 9
    (run,) = nndoctor.read(Source("down.csv", data), maps=["Value=train/loss"])
    assert run.series["train/loss"].lines.tolist() == list(range(2, 11))


def test_monitors_episodes_are_a_log_of_play():
    """`r,l,t` below a comment is a reward, and no training loss."""
    text = '#{"t_start": 1.0, "env_id": "CartPole-v1"}\nr,l,t\n' + "".join(f"{k}.0,{k},{k}.5\n" for k in range(9))
    (run,) = nndoctor.read(Source("0.monitor.csv", text.encode()))
    assert run.series["reward"].values.tolist() == list(range(9))
    assert run.fact("task") == "reinforcement-learning"


@pytest.mark.parametrize(
    ("row", "steps"),
    [
        (lambda k: {"episode_reward_mean": float("nan") if k < 2 else k, "training_iteration": k}, 8),
        (lambda k: {"env_runners": {"episode_return_mean": k}, "num_env_steps_sampled_lifetime": k * 100}, 800),
    ],
)
def test_rllibs_results(row, steps):
    """Rewards by iteration; what is NaN before the first episode ends is no broken loss."""
    (run,) = nndoctor.read(Source("result.json", "\n".join(json.dumps(row(k)) for k in range(9)).encode()))
    assert run.series["reward"].steps[-1] == steps
    assert run.series["reward"].values[-1] == 8
    assert nndoctor.diagnose(run).primary is None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(encoding):
    """PowerShell's files are read without their first two bytes, too."""
    text = "epoch,loss,val_loss\r\n" + "".join(f"{k},{2 - k / 9:.3f},2.5\r\n" for k in range(9))
    (run,) = nndoctor.read(Source("log.csv", text.encode(encoding)))
    assert run.series["train/loss"].values[0] == 2


def test_a_database_whose_names_are_damaged_is_refused(tmp_path):
    """Bytes that are no UTF-8 end in one line, as any other damage does."""
    file = tmp_path / "runs.db"
    with closing(sqlite3.connect(file)) as base:
        base.execute("create table metrics (step integer, loss real)")
        base.commit()
    damaged = file.read_bytes().replace(b"metrics", b"\xadetrics").replace(b"CREATE TABLE", b"CREATE TABEL")
    file.write_bytes(damaged)
    with pytest.raises(UnreadableLog):
        nndoctor.read(file)


def test_the_scores_of_groups_of_examples_are_no_training(tmp_path):
    """Each line begins with a word of its own, and none has a loss."""
    groups = ("bridge", "comparison", "easy", "hard", "medium")
    lines = "".join(f"    {group:<12}   EM=0.6{k}  F1=0.8{k}  (n=4{k})\n" for k, group in enumerate(groups))
    path = tmp_path / "evaluation.log"
    path.write_text(f"By type:\n{lines}", encoding="utf-8")
    with pytest.raises(UnreadableLog, match="not the log of a training"):
        nndoctor.read(path)
