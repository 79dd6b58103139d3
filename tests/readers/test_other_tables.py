"""Tables that are not training logs are refused, on evidence; a training log without a step column is not."""

from __future__ import annotations

import random

import pytest

from nndoctor.core.errors import NotALog, UnreadableLog
from nndoctor.readers import read

LOSSES = [2.3 * 0.9**k for k in range(40)]


def written(path, header, rows):
    """A CSV file."""
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def noise(n=40, seed=0):
    """Values without any order."""
    draw = random.Random(seed)
    return [round(draw.uniform(0, 3), 3) for _ in range(n)]


def test_predictions_per_example_are_refused(tmp_path):
    """A label and a prediction in every row belong to examples."""
    rows = [(k, k % 7, (3 * k) % 7, loss) for k, loss in enumerate(noise())]
    with pytest.raises(NotALog, match="one row per example"):
        read(written(tmp_path / "out.csv", "index,y_true,y_pred,loss", rows))


def test_a_row_per_model_is_refused(tmp_path):
    """A benchmark's rows are in no order of time."""
    rows = [(f"net-{'abcdefgh'[k]}", loss, loss + 0.2) for k, loss in enumerate(noise(8))]
    with pytest.raises(NotALog, match="one row per architecture"):
        read(written(tmp_path / "bench.csv", "architecture,train_loss,val_loss", rows))


@pytest.mark.parametrize("calendar", [[1.7e9 + 60 * k for k in range(40)], list(range(40))], ids=["seconds", "weeks"])
def test_measurements_by_the_clock_without_order_are_refused(tmp_path, calendar):
    """A link's or a company's losses are not a training's."""
    name = "timestamp" if calendar[0] > 1e6 else "week"
    rows = zip(calendar, noise(seed=1), noise(seed=2), strict=True)
    with pytest.raises(NotALog, match=f"counts its rows by {name}"):
        read(written(tmp_path / "link.csv", f"{name},humidity,loss", rows))


def test_a_loss_that_falls_by_the_clock_is_a_training_log(tmp_path):
    """A time stamp for an axis is common in real logs."""
    rows = [(1.7e9 + 60 * k, loss) for k, loss in enumerate(LOSSES)]
    assert read(written(tmp_path / "log.csv", "timestamp,loss", rows))


def test_losses_without_a_step_column_are_a_training_log(tmp_path):
    """Rows count."""
    rows = [(loss, loss + 0.1) for loss in LOSSES]
    assert len(read(written(tmp_path / "log.csv", "loss,val_loss", rows))[0].series) == 2


def test_a_flat_noisy_loss_with_a_time_stamp_and_a_split_is_a_training_log(tmp_path):
    """A run that learns nothing has no order, either."""
    rows = [(1.7e9 + 60 * k, a, b) for k, (a, b) in enumerate(zip(noise(seed=3), noise(seed=4), strict=True))]
    assert read(written(tmp_path / "log.csv", "timestamp,train_loss,val_loss", rows))


def test_packet_loss_in_a_system_log_is_no_training_loss(tmp_path):
    """However often it stands there."""
    log = tmp_path / "router.log"
    log.write_text(
        "".join(f"router eth1: packet loss: {v} step {k}\n" for k, v in enumerate(noise())), encoding="utf-8"
    )
    with pytest.raises(UnreadableLog):
        read(log)


@pytest.mark.parametrize("name", ["params", "image", "filename"])
def test_a_row_per_setting_or_file_is_refused(tmp_path, name):
    """Trials of a search, or examples of an evaluation."""
    rows = [(f"{{'lr': {k}e-4}}", loss, loss / 4) for k, loss in enumerate(noise())]
    with pytest.raises(NotALog, match=f"one row per {name}"):
        read(written(tmp_path / "scores.csv", f"{name},loss,f1", rows))


def test_a_row_per_numbered_sample_is_a_training_log(tmp_path):
    """As of one that learns from one example after the other."""
    rows = [(k, loss) for k, loss in enumerate(LOSSES)]
    assert read(written(tmp_path / "log.csv", "sample,loss", rows))[0].series["train/loss"].values[-1] == LOSSES[-1]


def test_lines_with_the_scores_of_a_file_each_are_refused(tmp_path):
    """A test by images has no steps."""
    log = tmp_path / "test.log"
    log.write_text("".join(f"out/im_{k:03}.png accuracy is 0.9{k} IoU is 0.7{k}\n" for k in range(10, 40)), "utf-8")
    with pytest.raises(NotALog, match="scores of another file"):
        read(log)
