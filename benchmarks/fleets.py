"""Diagnoses a fleet of runs against a loop of `pandas.read_csv` over the same files."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROWS = 500


def fall(random: np.random.Generator, rows: int) -> Array:
    """A training loss that falls by a power law, with noise."""
    t = np.linspace(0, 1, rows)
    start, floor = random.uniform(1.5, 7.0), random.uniform(0.01, 1.0)
    power, speed = random.uniform(0.4, 1.5), 10 ** random.uniform(0.5, 2.5)
    noise = random.normal(0, random.uniform(0.002, 0.03) * start, rows)
    return np.abs(floor + (start - floor) * (1 + speed * t) ** -power + noise) + 1e-4


def faulty(loss: Array, validation: Array, fault: str, random: np.random.Generator) -> None:
    """Put a fault into the losses, in place."""
    rows = len(loss)
    at = int(random.integers(rows // 5, rows - rows // 5))
    t = np.linspace(0, 1, rows)
    if fault == "overfitting":
        validation += random.uniform(0.3, 2.0) * loss[0] * np.maximum(t - at / rows, 0)
    elif fault == "nan":
        loss[at:] = validation[at:] = np.nan
    elif fault == "spikes":
        loss[random.integers(10, rows, 8)] += random.uniform(1, 4, 8)
    elif fault == "explosion":
        loss[at:] *= np.exp(np.minimum(np.arange(rows - at) * 0.1, 40))
        validation[at:] *= np.exp(np.minimum(np.arange(rows - at) * 0.1, 40))
    elif fault == "plateau":
        loss[:] = loss[0] * (1 + random.normal(0, 0.004, rows))
        validation[:] = loss[0] * (1 + random.normal(0, 0.004, rows))
    elif fault == "oscillation":
        loss *= 1 + 0.4 * random.normal(0, 1, rows) ** 2


FAULTS = ("none", "none", "none", "overfitting", "nan", "spikes", "explosion", "plateau", "oscillation")
HEADERS = ("step,train_loss,val_loss,lr", "epoch,loss,accuracy,val_loss,val_accuracy", "lightning", "step,loss,grad_norm,lr")


def run(seed: int, rows: int) -> str:
    """The text of one run's log."""
    random = np.random.default_rng(seed)
    loss = fall(random, rows)
    gap = random.uniform(0, 0.15) * loss[0] * np.linspace(0, 1, rows)
    validation = loss * (1 + random.normal(0, 0.01, rows)) + gap
    faulty(loss, validation, FAULTS[seed % len(FAULTS)], random)
    lr = np.full(rows, 10 ** random.uniform(-4, -1))
    if random.random() < 0.5:
        lr *= 0.5 * (1 + np.cos(np.pi * np.linspace(0, 1, rows)))
    accuracy, other = (np.clip(1 - v / (1.3 * np.nanmax(loss)), 0, 1) for v in (loss, validation))
    step = np.arange(rows, dtype=np.float64)
    header = HEADERS[seed % len(HEADERS)]
    if header == "lightning":
        return lightning(step, loss, validation, lr)
    columns = {
        "step": step * 10, "epoch": step, "train_loss": loss, "loss": loss, "val_loss": validation, "lr": lr,
        "accuracy": accuracy, "val_accuracy": other, "grad_norm": np.abs(loss) * random.lognormal(0, 0.2, rows),
    }  # fmt: skip
    table = np.column_stack([columns[name] for name in header.split(",")])
    return f"{header}\n" + "".join(",".join(map("{:.6g}".format, row)) + "\n" for row in table.tolist())


def lightning(step: Array, loss: Array, validation: Array, lr: Array) -> str:
    """A log of Lightning's CSVLogger: validation in rows of its own, the other cells left blank."""
    lines = ["epoch,lr-SGD,step,train_loss,val_loss"]
    for k, (s, a, b, rate) in enumerate(zip(step.tolist(), loss.tolist(), validation.tolist(), lr.tolist(), strict=True)):
        if k % 10 == 9:
            lines.append(f"{k // 10},,{s:.0f},,{b:.6g}")
        else:
            lines.append(f"{k // 10},{rate:.6g},{s:.0f},{a:.6g},")
    return "\n".join(lines) + "\n"


def write(folder: Path, count: int, rows: int = ROWS) -> None:
    """A fleet of varied runs, a hundred to a folder."""
    for k in range(count):
        file = folder / f"{k // 100:04d}" / f"run{k:06d}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(run(k, rows), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    a = parser.parse_args()
    write(a.folder, a.count)
