"""Times, memory and ranks are read as tools print them."""

from __future__ import annotations

import numpy as np
import pytest

import nndoctor
from nndoctor.core.finding import Severity

STEPS = 40
LOSS = [2 + 2 * np.exp(-k / 10) for k in range(STEPS)]
SLOWER = [0.4 if k < STEPS // 2 else 0.9 for k in range(STEPS)]
GROWING = [20 + 0.5 * k for k in range(STEPS)]
PRINTED = {
    "nanogpt": ("throughput-falls", lambda k: f"iter {k}: loss {LOSS[k]:.4f}, time {1e3 * SLOWER[k]:.2f}ms, mfu 9.10%"),
    "torchvision": ("data-loader-bottleneck", lambda k: f"Epoch: [0]  [{k}/{STEPS}]  eta: 0:01:00  lr: 0.01  loss: {LOSS[k]:.4f} ({LOSS[k]:.4f})  time: 0.5000  data: 0.4000  max mem: 900"),
    "imagenet": ("data-loader-bottleneck", lambda k: f"Epoch: [0][{k}/{STEPS}]\tTime 0.500 (0.500)\tData 0.400 (0.400)\tLoss {LOSS[k]:.4e} ({LOSS[k]:.4e})"),
    "torchtitan": ("memory-grows", lambda k: f"step: {k + 1}  loss: {LOSS[k]:.4f}  grad_norm: 0.91  memory: {GROWING[k]:.2f}GiB(38.00%)  tps: 8,300"),
    "swift": ("memory-grows", lambda k: f'{{"loss": {LOSS[k]:.4f}, "memory(GiB)": {GROWING[k]:.2f}, "train_speed(iter/s)": 1.3, "epoch": {k / STEPS:.3f}}}'),
    "unit behind": ("throughput-falls", lambda k: f"step {k} loss {LOSS[k]:.4f} | {12_000 / SLOWER[k]:,.0f} tokens/s | lr 0.01"),
    "ranks": ("slow-rank", lambda k: "\n".join(f"[rank{r}]: step {k} loss {LOSS[k]:.4f} step_time {0.7 if r == 2 else 0.4}" for r in range(4))),
}  # fmt: skip


def named(text, tmp_path):
    """The errors and warnings for a printed log."""
    log = tmp_path / "train.log"
    log.write_text(text + "\n")
    return [found.name for found in nndoctor.diagnose(log).at_least(Severity.WARNING)]


@pytest.mark.parametrize(("finding", "line"), PRINTED.values(), ids=PRINTED)
def test_what_a_tool_prints_of_the_machine_is_judged(finding, line, tmp_path):
    """Each under the tool's own names and units."""
    assert finding in named("\n".join(line(k) for k in range(STEPS)), tmp_path)


def ranks(step):
    """The lines that four ranks print for a step."""
    return [f"[Rank {rank}] step={step} loss={LOSS[step]:.4f}" for rank in range(4)]


def test_a_rank_that_stops_reporting_is_named(tmp_path):
    """The others go on for a few steps; a log that only ends between two ranks is no such case."""
    lines = [line for k in range(STEPS) for line in ranks(k)]
    stopped = [line for at, line in enumerate(lines) if not (at >= len(lines) - 12 and line.startswith("[Rank 2]"))]
    assert "hung-rank" in named("\n".join(stopped), tmp_path)
    assert "hung-rank" not in named("\n".join(lines[:-2]), tmp_path)


def test_a_watchdog_that_sees_no_progress_is_quoted(tmp_path):
    """It prints below the last step."""
    lines = [ranks(k)[0].removeprefix("[Rank 0] ") for k in range(STEPS)]
    assert "hung-rank" in named("\n".join([*lines, "no progress for 30 minutes, rank 5 has not reported"]), tmp_path)


@pytest.mark.parametrize("form", ["step {}: loss = {} ({} sec/step)", "Training iter {}, loss={} ({}s)"])
def test_the_time_behind_a_loss_is_that_of_the_step(tmp_path, form):
    """At the end of the line, with its unit."""
    log = tmp_path / "train.log"
    log.write_text("\n".join(form.format(k, f"0.{9 - k}", f"1.{k}00") for k in range(1, 6)))
    (run,) = nndoctor.read(log)
    assert run.series["step_time"].values.tolist() == [1.1, 1.2, 1.3, 1.4, 1.5]


def test_epochs_that_take_longer_and_longer_are_a_slowdown(tmp_path):
    """The time of an epoch, on a line of its own."""
    lines = [
        f"Epoch: {k:04d} cost= {9 / k:.6f}\n\ttime this epoch= {20 + (k > 9) * 20 + k % 3:.6f}" for k in range(1, 21)
    ]
    assert "throughput-falls" in named("\n".join(lines), tmp_path)
