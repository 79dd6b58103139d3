"""Tables that spell an empty cell NaN, as pandas writes them with `na_rep`: what is empty there, and what is a NaN of the run."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nndoctor

EPOCHS, BATCHES = 8, 5  # of a run, and logged steps of each epoch
NAN = math.nan
HEADER = "epoch,step,train_loss_epoch,train_loss_step,val_acc,val_loss"


def rows_of(loss_at, val_loss_at=lambda epoch: 2.1 * 0.75**epoch + 0.2):
    """Rows of steps, a validation's and an epoch's, which take turns."""
    for epoch in range(EPOCHS):
        last = 10 * BATCHES * (epoch + 1) - 1
        for k in range(BATCHES):
            step = 10 * (BATCHES * epoch + k) + 5
            yield epoch, step, NAN, loss_at(step), NAN, NAN
        yield epoch, last, NAN, NAN, 0.9 - 0.6 * 0.7**epoch, val_loss_at(epoch)
        yield epoch, last, loss_at(last), NAN, NAN, NAN


def falling(step):
    """A loss that falls."""
    return 2.2 * 0.99**step + 0.05


def written(tmp_path, rows, without=()):
    """A table of these rows in which an empty cell and a NaN look alike."""
    names = HEADER.split(",")
    kept = [k for k, name in enumerate(names) if name not in without]
    lines = [",".join("NaN" if math.isnan(row[k]) else f"{row[k]:.6g}" for k in kept) for row in rows]
    path = tmp_path / "metrics.csv"
    path.write_text("\n".join([",".join(names[k] for k in kept), *lines]) + "\n")
    return str(path)


def names_of(path):
    return [finding.name for finding in nndoctor.diagnose(path, isolated=True).findings]


@pytest.mark.parametrize("left_out", [(), ("train_loss_step",), ("train_loss_epoch",), ("val_acc",)])
def test_rows_that_take_turns_hold_empty_cells(tmp_path, left_out):
    path = written(tmp_path, rows_of(falling), left_out)
    (run,) = nndoctor.read(path)
    assert all(np.isfinite(series.values).all() for series in run.series.values())
    assert len(run.series["validation/loss"]) == EPOCHS
    assert run.series["validation/loss"].steps[0] == 10 * BATCHES - 1  # the log's steps, not its rows
    assert "nan-loss" not in names_of(path)


def test_a_loss_that_became_nan_is_found_among_empty_cells(tmp_path):
    path = written(tmp_path, rows_of(lambda step: falling(step) if step < 200 else NAN, lambda e: NAN if e > 3 else 1))
    assert names_of(path)[0] == "nan-loss"


def test_a_validation_loss_that_became_nan_is_found_among_empty_cells(tmp_path):
    path = written(tmp_path, rows_of(falling, lambda epoch: NAN if epoch > 4 else 2.0 - 0.2 * epoch))
    report = nndoctor.diagnose(path, isolated=True)
    assert report.findings[0].name == "nan-loss"
    assert report.findings[0].series == "validation/loss"


def test_a_single_nan_in_a_row_of_its_own_stays(tmp_path):
    path = written(tmp_path, rows_of(lambda step: NAN if step == 125 else falling(step)))
    (run,) = nndoctor.read(path)
    assert np.isnan(run.series["train/loss"].values).any()


def test_a_validation_every_third_epoch_leaves_empty_cells(tmp_path):
    rows = [f"{k},{2 * 0.9**k:.4f},{2.1 * 0.9**k if k % 3 == 2 else NAN:.4f}" for k in range(24)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["epoch,train_loss,val_loss", *rows]) + "\n")
    (run,) = nndoctor.read(str(path))
    assert run.series["validation/loss"].steps.tolist() == list(range(2, 24, 3))


def test_a_full_table_keeps_its_nans(tmp_path):
    rows = [f"{k},{NAN if k > 15 else 2 * 0.9**k:.4f},{NAN if k > 15 else 2.1 * 0.9**k:.4f}" for k in range(24)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["epoch,train_loss,val_loss", *rows]) + "\n")
    assert names_of(str(path))[0] == "nan-loss"


def test_the_one_row_of_a_final_test_leaves_empty_cells(tmp_path):
    path = written(tmp_path, rows_of(falling))
    lines = (tmp_path / "metrics.csv").read_text().split("\n")[1:-1]
    text = [HEADER + ",test_loss", *(f"{line},NaN" for line in lines), f"{EPOCHS},{50 * EPOCHS},NaN,NaN,NaN,NaN,0.4"]
    (tmp_path / "metrics.csv").write_text("\n".join(text) + "\n")
    (run,) = nndoctor.read(path)
    assert run.series["test/loss"].values.tolist() == [0.4]
    assert "nan-loss" not in names_of(path)
