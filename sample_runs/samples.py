"""The sample runs: which network is trained, and how its log is written. A folder is named for what its run shows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from tasks import TASKS
from training import Experiment, Point, network, train
from writers import (
    Writer,
    german,
    json_lines,
    keras,
    keras_history,
    keras_semicolons,
    lightning,
    steps,
    table,
    trainer_state,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A log: its path below this folder, the experiment, the layout, and how several trainings make one log, if so."""

    path: str
    experiment: Experiment
    write: Writer
    several: Callable[[Experiment, Writer], str] | None = None

    @property
    def name(self) -> str:
        """The expected finding."""
        return self.path.split("/")[0]

    def text(self) -> str:
        """The log."""
        if self.several is not None:
            return self.several(self.experiment, self.write)
        return self.write(train(self.experiment))


def resumed(e: Experiment, write: Writer) -> str:
    """Stopped after two thirds of its epochs and taken up again from an older checkpoint, in the same log."""
    torch.manual_seed(0)
    net = network(e, TASKS[e.task]())
    kept, lost = e.epochs // 2, e.epochs // 6
    first = train(replace(e, epochs=kept), 0, net)
    checkpoint = copy.deepcopy(net)
    second = _later(train(replace(e, epochs=lost), 1, net), first[-1])
    third = _later(train(replace(e, epochs=e.epochs - kept), 2, checkpoint), first[-1])
    return write(first + second + third)


def _later(points: list[Point], last: Point) -> list[Point]:
    return [replace(p, step=p.step + last.step + 1, epoch=p.epoch + last.epoch) for p in points]


def again(e: Experiment, write: Writer) -> str:
    """Three networks trained one after the other into one log."""
    return "".join(write(train(e, seed)).partition("\n" if seed else "\0")[2 if seed else 0] for seed in range(3))


PERCENT = {
    "Epoch": "epoch from 1",
    "Train Loss": "loss",
    "Train Acc": "percent",
    "Val Loss": "validation loss",
    "Val Acc": "validation percent",
}
PLAIN = {
    "epoch": "epoch from 1",
    "train_loss": "loss",
    "train_acc": "metric",
    "val_loss": "validation loss",
    "val_acc": "validation metric",
}
RATED = PLAIN | {"lr": "lr"}
DETR = {
    "train_lr": "lr",
    "train_loss": "loss",
    "test_loss": "validation loss",
    "test_acc1": "validation percent",
    "epoch": "epoch",
}
STEPS = {
    "step": "step",
    "epoch": "part of epoch",
    "train/loss": "loss",
    "val/loss": "validation loss",
    "val/accuracy": "validation metric",
    "lr": "lr",
}
REGRESSION = {"epoch": "epoch", "loss": "loss", "mae": "metric", "val_loss": "validation loss"} | {
    "val_mae": "validation metric"
}
NLL = {"epoch": "epoch", "train/nll": "loss", "val/nll": "validation loss"}
DICE = {"epoch": "epoch", "train_loss": "loss", "val_loss": "validation loss", "val_dice": "validation metric"}
BATCHES = {"step": "step", "epoch": "part of epoch", "loss": "loss", "lr": "lr"}

SAMPLES = (
    Sample(
        "high-bias/run.csv",
        Experiment(lr=0.1, momentum=0.9, hidden=(2,), activation="Tanh", epochs=60),
        table(PERCENT),
    ),
    Sample(
        "high-variance/training.log",
        Experiment(lr=0.05, momentum=0.9, hidden=(128,), examples=40, epochs=80),
        keras_semicolons,
    ),
    Sample(
        "high-bias-and-variance/run.tsv",
        Experiment(lr=0.05, momentum=0.9, weight_decay=0.004, hidden=(2,), activation="Tanh", examples=60, epochs=200),
        german(PERCENT),
    ),
    Sample(
        "overtraining/history.json",
        Experiment(lr=0.002, optimizer="Adam", task="tumours", hidden=(128,), epochs=100),
        keras_history,
    ),
    Sample(
        "not-converged/trainer_state.json",
        Experiment(lr=0.003, task="raw_digits", batch=64, epochs=6),
        trainer_state,
    ),
    Sample("lr-too-low/metrics.csv", Experiment(lr=0.003, epochs=25), lightning),
    Sample("lr-too-high/run.csv", Experiment(lr=0.55, momentum=0.9, hidden=(32,), epochs=40), table(RATED)),
    Sample("diverged/log.txt", Experiment(lr=30.0, schedule="ramp", epochs=40), json_lines(DETR)),
    Sample(
        "nan-loss/training.csv",
        Experiment(lr=0.01, optimizer="Adam", task="raw_digits", loss="naive-cross-entropy", epochs=30),
        keras,
    ),
    Sample(
        "loss-spikes/run.csv",
        Experiment(lr=0.05, momentum=0.9, hidden=(128,), glitches=(11, 23), epochs=36),
        table(PLAIN),
    ),
    Sample(
        "plateau-at-start/training.csv",
        Experiment(lr=0.1, hidden=(32, 32, 32, 32), activation="Sigmoid", epochs=40),
        keras,
    ),
    Sample("lr-decayed-too-early/run.jsonl", Experiment(lr=0.1, schedule="early", epochs=40), json_lines(RATED)),
    Sample(
        "warmup-unfinished/steps.csv", Experiment(lr=0.05, schedule="slow-warmup", epochs=12), steps(STEPS, every=10)
    ),
    Sample(
        "adaptive-rate-starved/run.csv",
        Experiment(lr=0.001, optimizer="Adagrad", epochs=40),
        table(RATED | {"optimizer": "=Adagrad"}),
    ),
    Sample(
        "noisy-validation/history.json",
        Experiment(lr=0.2, dropout=0.5, batch=8, validation=12),
        keras_history,
    ),
    Sample("validation-better-than-train/run.csv", Experiment(lr=0.2, dropout=0.8, hidden=(256,)), table(PLAIN)),
    Sample("validation-equals-train/training.csv", Experiment(lr=0.2, validate_on_train=True), keras),
    Sample(
        "sawtooth-epochs/steps.csv",
        Experiment(lr=0.1, shuffled=False, epochs=8),
        steps(BATCHES, every=1),
    ),
    Sample("resumed-run/training.csv", Experiment(lr=0.1, epochs=36), keras, resumed),
    Sample("several-runs-in-one-log/training.csv", Experiment(lr=0.1, epochs=30), keras, again),
    Sample("too-little-data/run.csv", Experiment(lr=0.1, epochs=2), table(PLAIN)),
    Sample("no-validation/run.jsonl", Experiment(lr=0.2, epochs=30), json_lines({"epoch": "epoch", "loss": "loss"})),
    Sample(
        "impossible-loss/training.csv",
        Experiment(lr=0.0001, task="digit_as_number", loss="binary", epochs=30),
        keras,
    ),
    Sample("healthy/plain.csv", Experiment(lr=0.2, epochs=50), keras),
    Sample("healthy/small-batches.csv", Experiment(lr=0.05, batch=8, epochs=16), steps(STEPS, every=5)),
    Sample("healthy/step-decay.csv", Experiment(lr=0.1, momentum=0.9, schedule="step"), table(RATED)),
    Sample("healthy/warm-restarts.jsonl", Experiment(lr=0.5, schedule="restarts", epochs=60), json_lines(RATED)),
    Sample(
        "healthy/cosine/trainer_state.json",
        Experiment(lr=0.01, optimizer="Adam", schedule="cosine", epochs=20),
        lambda points: trainer_state(points, every=10),
    ),
    Sample(
        "healthy/negative-likelihood.csv",
        Experiment(
            lr=0.003,
            optimizer="Adam",
            task="tumour_radius",
            loss="gaussian",
            hidden=(16,),
            weight_decay=0.01,
            epochs=60,
        ),
        table(NLL),
    ),
    Sample(
        "healthy/huge-scale-regression.csv",
        Experiment(lr=0.02, optimizer="Adam", task="tumour_area", loss="squared", epochs=100),
        table(REGRESSION),
    ),
    Sample("healthy/heavy-dropout.tsv", Experiment(lr=0.2, dropout=0.6, hidden=(256,), epochs=60), german(PERCENT)),
    Sample(
        "healthy/dice-loss.jsonl",
        Experiment(
            lr=0.01, optimizer="Adam", task="ink", loss="dice", hidden=(256,), weight_decay=1e-4, schedule="cosine"
        ),
        json_lines(DICE),
    ),
    Sample(
        "healthy/noise-floor.csv",
        Experiment(
            lr=0.01,
            optimizer="Adam",
            task="friedman",
            loss="squared",
            hidden=(32, 32),
            schedule="cosine",
            examples=5000,
            validation=1000,
            batch=64,
        ),
        table(REGRESSION),
    ),
)
