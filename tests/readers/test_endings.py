"""What a printed log says below its last values: errors lead the report, with their line."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.core.finding import Severity

LINES = [f"epoch {k} | step {10 * k} | loss {3 - 0.03 * k:.4f} | lr 1e-4" for k in range(40)]

ERRORS = {
    "RuntimeError: CUDA error: out of memory": "out-of-memory",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB": "out-of-memory",
    "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes": "out-of-memory",
    "terminate called after throwing an instance of 'std::bad_alloc'": "out-of-memory",
    "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=3.batch": "out-of-memory",
    "Killed": "process-died",
    "\x1b[33m(raylet)\x1b[0m RpcError: end of file. Some common causes include: (1) it was killed by the OOM killer, (2)": "process-died",
    "AssertionError: shape mismatch": "process-died",
    "RuntimeError: NCCL error in: ProcessGroupNCCL.cpp, unhandled system error": "process-died",
    "[Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=3)": "process-died",
    "RuntimeError: CUDA error: device-side assert triggered": "process-died",
    "Loss is nan, stopping training": "nan-loss",
    "Batch 12: Invalid loss, terminating training": "nan-loss",
    "FloatingPointError: Loss became infinite or NaN at iteration=631!": "nan-loss",
    "FloatingPointError: Minimum loss scale reached (0.0001).": "loss-scale-collapse",
    "Exception: Current loss scale already at minimum - cannot decrease scale anymore.": "loss-scale-collapse",
}


@pytest.mark.parametrize(("text", "name"), ERRORS.items(), ids=list(ERRORS.values()))
def test_an_error_at_the_end_leads_the_report(tmp_path, text, name):
    """With the line on which it stands."""
    log = tmp_path / "train.log"
    log.write_text("\n".join([*LINES, "Traceback (most recent call last):", text, ""]))
    primary = nndoctor.diagnose(log).primary
    assert primary is not None
    assert primary.name == name
    assert primary.location.line == len(LINES) + 2


@pytest.mark.parametrize(
    "text",
    [
        "Training finished. Best error: 0.12",
        "Test error: 0.03",
        "0 errors, 2 warnings",
        "Traceback (most recent call last):\nKeyboardInterrupt",
        "saved to out.pt",
        "Warning: NaN or Inf found in input tensor.",  # what TensorBoard's writer prints of one value that it was given
    ],
)
def test_an_ordinary_end_is_no_crash(tmp_path, text):
    """Nor is an interrupt by the user."""
    log = tmp_path / "train.log"
    log.write_text("\n".join([*LINES, text, ""]))
    found = {f.name for f in nndoctor.diagnose(log).at_least(Severity.WARNING)}
    assert not found & {"out-of-memory", "process-died", "nan-loss", "loss-scale-collapse"}


def test_an_error_that_was_survived_is_no_end(tmp_path):
    """The run went on for many steps."""
    log = tmp_path / "train.log"
    log.write_text("\n".join([*LINES[:20], "WARNING: ran out of memory, retrying batch", *LINES[20:], ""]))
    assert "out-of-memory" not in {f.name for f in nndoctor.diagnose(log).findings}


@pytest.mark.parametrize("spelling", ["nan", "-nan", "NaN", "nan.0", '"nan"', "Infinity", "-inf", "inf"])
@pytest.mark.parametrize("ending", [".csv", ".log"])
def test_every_spelling_of_nan_is_read(tmp_path, spelling, ending):
    """In tables and in printed lines."""
    log = tmp_path / f"run{ending}"
    values = ["1.9", "1.7", "1.5", spelling, spelling, spelling]
    if ending == ".csv":
        log.write_text("\n".join(["step,loss", *(f"{k},{v}" for k, v in enumerate(values))]) + "\n")
    else:
        log.write_text("\n".join(f"step {k} loss: {v}" for k, v in enumerate(values)) + "\n")
    assert "nan-loss" in {f.name for f in nndoctor.diagnose(log).findings}


def test_a_loss_that_is_left_out_where_it_is_nan_is_reported_by_its_gradients(tmp_path):
    """Megatron prints no lm loss then."""
    log = tmp_path / "megatron.log"
    line = " iteration {:8d}/  250000 | learning rate: 2.999E-04 | loss scale: 1.0 | grad norm: nan | number of nan iterations:   0 |"
    log.write_text("\n".join(line.format(k) for k in range(5400, 5440)) + "\n")
    assert nndoctor.diagnose(log).primary.name == "gradients-not-finite"  # type: ignore[union-attr]


def test_loss_scales_in_overflow_messages_are_read(tmp_path):
    """Each overflow halves the scale, and no step is applied."""
    lines = []
    for k in range(16):
        lines += [
            f"step {k} loss 2.1{k:02d}",
            f"OVERFLOW! Skipping step. Attempted loss scale: {2 ** (16 - k)}, reducing to {2 ** (15 - k)}",
        ]
    log = tmp_path / "deepspeed.log"
    log.write_text("\n".join(lines) + "\n")
    found = nndoctor.diagnose(log).primary
    assert found is not None
    assert found.name == "loss-scale-collapse"
    assert "65536" in found.message


def test_an_unknown_column_of_nan_is_a_note(tmp_path):
    """It deserves a word, and no alarm."""
    log = tmp_path / "run.jsonl"
    rows = (f'{{"epoch": {k}, "loss": {2 - 0.2 * k:.1f}, "odd_thing": NaN}}' for k in range(6))
    log.write_text("\n".join(rows) + "\n")
    found = nndoctor.diagnose(log)
    assert any("odd_thing is NaN in all 6 rows" in note for note in found.run.notes)


def test_the_fuller_column_of_one_loss_is_read(tmp_path):
    """A few `step` lines do not hide the many `iter` lines of a run that exploded."""
    lines = []
    for k in range(120):
        lines.append(f"iter {k}: loss {4.3 if k == 0 else 160 - k:.4f}, time 12ms")
        if k and k % 12 == 0:
            lines.append(f"step {k}: train loss {160 - k:.4f}, val loss {161 - k:.4f}")
    log = tmp_path / "nano.txt"
    log.write_text("\n".join(lines) + "\n")
    assert {f.name for f in nndoctor.diagnose(log).at_least(Severity.WARNING)} & {"diverged", "lr-too-high"}


def test_a_traceback_that_is_cut_off_ended_the_run(tmp_path):
    log = tmp_path / "train.log"
    log.write_text("\n".join([*LINES, "Traceback (most recent call last):", '  File "train.py", line 95, in <module>']))
    primary = nndoctor.diagnose(log).primary
    assert primary is not None
    assert primary.name == "process-died"


def test_the_end_of_a_log_in_utf_16_is_read(tmp_path):
    """As PowerShell writes what a program prints."""
    log = tmp_path / "train.log"
    error = ["Traceback (most recent call last):", "UnicodeEncodeError: 'charmap' codec can't encode character"]
    log.write_bytes("\r\n".join([*LINES, *error, ""]).encode("utf-16"))
    primary = nndoctor.diagnose(log).primary
    assert primary is not None
    assert primary.name == "process-died"
    assert primary.location.line == len(LINES) + 2
