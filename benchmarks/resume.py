"""Kills trainings at random moments and resumes them: `python -m benchmarks.resume [--kills N] [--epochs N] [--seed N]`.

A small network is trained once without interruption, and again with the process killed at random moments and resumed
each time until the end. Weights, optimizer state and logged values must be the same to the last bit; exit code 1 where
they are not. For systems that can fork: a child ends by a signal that nothing catches, after so much processor time.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

import torch

from nndoctor.experiment.experiment import experiment
from nndoctor.training import loop
from nndoctor.training.checkpoint import LAST
from nndoctor.training.folder import cut_back
from nndoctor.training.loop import Training
from nndoctor.training.options import OptimizerName, ScheduleName, TrainingOptions

MODEL = """\
import torch
from torch import nn

source = torch.Generator().manual_seed(1)
inputs = torch.randn(960, 32, generator=source)
labels = (inputs @ torch.randn(32, 4, generator=source)).argmax(1)

model = nn.Sequential(nn.Linear(32, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 4))
loss = nn.CrossEntropyLoss()
train_data = (inputs[:800], labels[:800])
validation_data = (inputs[800:], labels[800:])
"""
EPOCHS = 12
OFTEN = 0.02  # seconds between two checkpoints: as many moments within one as a long training has
EARLIEST, LATEST = 0.01, 0.6  # seconds of processor time after which a training is killed
TIMES = ("step_time", "peak_memory")  # columns that differ from run to run


def train(model: Path, folder: Path, epochs: int) -> None:
    """Train to the end, from the checkpoint where there is one."""
    options = TrainingOptions(
        device="cpu",
        epochs=epochs,
        optimizer=OptimizerName.momentum,
        schedule=ScheduleName.cosine,
        warmup=0.1,
        lr=0.05,
        seed=5,
    )
    loop.CHECKPOINT_EVERY = OFTEN
    resumed = (folder / LAST).is_file() or (folder / "previous.pt").is_file()
    training = Training(experiment(str(model)), options, folder, resumed)
    if resumed:
        cut_back(folder, training.progress.step)
    training.run()


def killed(model: Path, folder: Path, epochs: int, after: float = 0.0) -> bool:
    """Train in a child that is killed after so many seconds (0: never); whether it was killed before its end."""
    child = os.fork()
    if child == 0:
        signal.setitimer(signal.ITIMER_PROF, after)  # its signal ends the process where it stands, as kill -9 does
        try:
            train(model, folder, epochs)
        except BaseException as error:  # noqa: BLE001 - the child must not return into the parent's code
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended > 0:
        raise RuntimeError(f"a training that was resumed failed in {folder}")
    return ended < 0


def logged(folder: Path) -> list[dict[str, str]]:
    """What the table says of each step, times aside; a value logged after a flush has a row of its own there."""
    steps: dict[str, dict[str, str]] = {}
    with (folder / "run.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            steps.setdefault(row["step"], {}).update({k: v for k, v in row.items() if v and k not in TIMES})
    return list(steps.values())


def difference(one: Path, other: Path) -> str:
    """What is not the same in two folders; empty where all is."""
    states = [torch.load(folder / LAST, weights_only=True) for folder in (one, other)]
    for part in ("place", "model", "optimizer", "random"):
        a, b = (state[part] for state in states)
        if not _equal(a, b):
            return f"{part} differs"
    return "" if logged(one) == logged(other) else "the table differs"


def _equal(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_equal, a, b))
    return a == b


def check(kills: int, seed: int, epochs: int, place: Path) -> tuple[int, list[str]]:
    """Trainings that were killed `kills` times in all: how many came to their end, and what was wrong with them."""
    dice = random.Random(seed)  # noqa: S311 - repeatable
    torch.set_num_threads(1)
    model = place / "net.py"
    model.write_text(MODEL, encoding="utf-8")
    killed(model, place / "whole", epochs)
    left, ended, wrong = kills, 0, []
    while left:
        folder = place / f"killed-{ended}"
        while left and killed(model, folder, epochs, dice.uniform(EARLIEST, LATEST)):
            left -= 1
        killed(model, folder, epochs)
        ended += 1
        found = difference(place / "whole", folder)
        wrong += [f"training {ended}: {found}"] if found else []
    return ended, wrong


def main() -> int:
    """0 where every training ended as if it had never been killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if not hasattr(os, "fork"):
        sys.stderr.write("this system cannot fork, which the benchmark needs\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="nndoctor-resume-") as place:
        ended, wrong = check(given.kills, given.seed, given.epochs, Path(place))
    print(f"{given.kills} kills in {ended} trainings: {'; '.join(wrong) or 'all ended bit-identical'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
