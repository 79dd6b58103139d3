"""A loss that goes back to its start because the weights were not loaded, and losses that only look like it."""

from __future__ import annotations

import numpy as np
import pytest

import nndoctor


def stretch(n, start=2.31, speed=0.12):
    """The loss of a new model."""
    return [start - 0.9 * (1 - np.exp(-((speed * k) ** 2))) for k in range(n)]


def csv(tmp_path, stretches, *, headers, name="log.csv", validation=True):
    """A table whose epochs go on while the loss starts over; `headers` repeats the header at each start."""
    header = "epoch,train_loss,val_loss" if validation else "epoch,train_loss"
    lines, epoch = [header], 0
    for k, part in enumerate(stretches):
        if k and headers:
            lines.append(header)
        for value in part:
            epoch += 1
            lines.append(f"{epoch},{value:.4f}" + (f",{value + 0.03:.4f}" if validation else ""))
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def found(path):
    return {f.name: f for f in nndoctor.diagnose(path, isolated=True).findings}


@pytest.mark.parametrize("headers", [True, False])
def test_a_loss_that_starts_over_several_times(tmp_path, headers):
    parts = [stretch(8, 2.31), stretch(9, 2.33, 0.11), stretch(7, 2.30), stretch(8, 2.32)]
    finding = found(csv(tmp_path, parts, headers=headers))["resume-jump"]
    assert "2 more times" in finding.message
    assert "epoch 9" in finding.message
    assert finding.remedies[0].name == "load-the-weights"


@pytest.mark.parametrize("validation", [True, False])
def test_a_short_loss_that_starts_over_once(tmp_path, validation):
    path = csv(tmp_path, [stretch(7), stretch(6, 2.33)], headers=False, validation=validation)
    assert "resume-jump" in found(path)


def test_a_repeated_header_is_a_resume(tmp_path):
    path = csv(tmp_path, [[2.3 * 0.85**k for k in range(8)], [2.3 * 0.85**k for k in range(8, 16)]], headers=True)
    names = found(path)
    assert "resumed-run" in names
    assert "resume-jump" not in names


def test_a_warm_restart_does_not_start_over():
    rate = [0.1, 0.09, 0.07, 0.05, 0.03, 0.01] * 4
    loss = [2.2, 1.1, 0.7, 0.5, 0.4, 0.35, 0.8, 0.6, 0.45, 0.38, 0.33, 0.3, 0.7, 0.5, 0.4, 0.33, 0.3, 0.28]
    loss += [0.6, 0.5, 0.38, 0.3, 0.27, 0.26]
    report = nndoctor.diagnose({"epoch": list(range(24)), "loss": loss, "lr": rate}, isolated=True)
    assert "resume-jump" not in [f.name for f in report.findings]


def test_noise_does_not_start_over():
    rng = np.random.default_rng(0)
    for k in range(20):
        loss = (2.3 - 0.15 * np.arange(14) / 14 + rng.normal(0, 0.08, 14)).tolist()
        report = nndoctor.diagnose({"epoch": list(range(14)), "loss": loss}, isolated=True)
        assert "resume-jump" not in [f.name for f in report.findings], k


def test_a_new_part_of_the_loss_does_not_start_over(tmp_path):
    """The loss measures something else from there on."""
    first, second = stretch(9, 2.31), stretch(8, 2.33)
    rows = [f"{k},{v:.4f},{v:.4f}," for k, v in enumerate(first)]
    rows += [f"{k},{v:.4f},,{v:.4f}" for k, v in enumerate(second, len(first))]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["epoch,loss,source_loss,target_loss", *rows]) + "\n")
    assert "resume-jump" not in found(str(path))
