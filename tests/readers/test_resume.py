"""A log to which a resumed run was appended with its epochs counted anew."""

from __future__ import annotations

import math
from pathlib import Path

from nndoctor.readers import read
from nndoctor.readers.io.source import Source


def log(losses: list[float], epochs: list[int]) -> bytes:
    """A Keras log of these losses."""
    rows = [f"{e},{loss:.4f},{loss + 0.05:.4f}" for e, loss in zip(epochs, losses, strict=True)]
    return ("epoch,loss,val_loss\n" + "\n".join(rows) + "\n").encode()


def test_a_loss_that_carries_on_is_one_resumed_run():
    """Epochs start at 0 again while the loss goes on from where it was: one run, its steps counted on."""
    losses = [2.3 * math.exp(-k / 6) + 0.1 for k in range(20)]
    (run,) = read(Source("-", log(losses, [*range(10), *range(10)])))
    assert run.series["train/loss"].steps.tolist() == list(range(20))
    assert run.fact("resumed_at") == (10.0,)


def test_a_loss_that_starts_again_is_another_run():
    """Epochs and loss start again: a second run was appended."""
    losses = [2.3 * math.exp(-k / 6) + 0.1 for k in range(10)]
    runs = read(Source("-", log(losses * 2, [*range(10), *range(10)])))
    assert [len(run.series["train/loss"]) for run in runs] == [10, 10]


def test_a_log_that_goes_back_to_its_second_step_holds_another_run(tmp_path: Path) -> None:
    """The first run logged step 0, too; a few rows that go back so far may still be a resume."""
    first, again = range(0, 120, 10), range(10, 120, 10)
    log = tmp_path / "train.log"
    log.write_text(
        "".join(f"step {k} loss {9.5 - 0.04 * k - n:.3f}\n" for n, run in enumerate((first, again)) for k in run)
    )
    assert [len(run.series["train/loss"]) for run in read(log)] == [12, 11]
    log.write_text("".join(f"step {k} loss {9 - 0.05 * k:.3f}\n" for k in (0, 10, 20, *again)))
    assert len(read(log)) == 1
