"""Makes one run of the zoo: trains it with all its retrainings, labels it, and writes its log."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.zoo import logs
from benchmarks.zoo.evidence import Evidence, Trained, weigh
from benchmarks.zoo.experiment import Experiment
from benchmarks.zoo.interventions import retrainings, shape_of
from benchmarks.zoo.labelling import label
from benchmarks.zoo.labels_generalization import early_stopping_gain
from benchmarks.zoo.pool import data_of
from benchmarks.zoo.training import stopped, train
from benchmarks.zoo.workloads import Data

NOT_TOLD = ("id", "split", "planted", "log", "workload", "net", "optimizer", "seed")


def make(experiment: Experiment, kept: Path | None = None) -> dict[str, Any]:
    """One line of the zoo; curves in the folder `kept` are labelled anew, those that are not there are trained and left there."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        experiment = stopped(experiment) if experiment.patience else experiment
        trained = train_all(experiment) if kept is None else _remembered(experiment, kept / f"{experiment.id}.pkl")
        return labelled(experiment, trained)
    finally:
        torch.set_flush_denormal(False)  # the rest of the process counts on numbers that small


def labelled(experiment: Experiment, trained: Trained) -> dict[str, Any]:
    """The labels and the log of a run that is trained."""
    data = data_of(experiment)
    evidence = weigh(experiment, trained, data)
    logged = logs.observe(experiment, evidence.base)
    labels = label(evidence, logged)
    return {
        "id": experiment.id,
        "split": experiment.split,
        "workload": experiment.workload,
        "net": experiment.net,
        "optimizer": experiment.optimizer,
        "planted": experiment.planted,
        **asdict(labels),
        "gains": gains_of(evidence),
        "distances": distances_of(evidence),
        "facts": _facts(experiment, data),
        "settings": {k: v for k, v in asdict(experiment).items() if k not in NOT_TOLD},
        "log": logs.written(experiment, logged, data.kind),
    }


def _remembered(experiment: Experiment, path: Path) -> Trained:
    """The curves in a file that an earlier generation of the same experiment left, else new ones."""
    if path.exists():
        then, trained = pickle.loads(path.read_bytes())  # noqa: S301 - our own file
        if then == experiment:
            return Trained(trained)
    found = train_all(experiment)
    path.write_bytes(pickle.dumps((experiment, found)))
    return found


def train_all(experiment: Experiment) -> Trained:
    """The curves of the run and of all its retrainings, those of one shape trained together."""
    wanted = retrainings(experiment)
    groups: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    for key, e in wanted.items():
        groups.setdefault(shape_of(e), []).append(key)
    trained: Trained = {}
    for keys in groups.values():
        trained |= dict(zip(keys, train([wanted[k] for k in keys]), strict=True))
    return trained


def gains_of(evidence: Evidence) -> dict[str, list[float]]:
    """Each change's gain in units of DT and of DV."""
    stopping = {"early_stopping": [0.0, round(early_stopping_gain(evidence), 3)]}
    return {name: [round(g.train, 3), round(g.validation, 3)] for name, g in evidence.gains.items()} | stopping


def distances_of(evidence: Evidence) -> dict[str, float]:
    """What there is to gain, on either split."""
    t, v = evidence.train, evidence.validation
    pairs = {
        "train_constant": t.constant,
        "train_best": t.best,
        "validation_constant": v.constant,
        "validation_best": v.best,
    }
    return {name: float(f"{value:.5g}") for name, value in pairs.items()}


def _facts(e: Experiment, data: Data) -> dict[str, object]:
    """What the run's user knows beside the log."""
    known = {
        "num_classes": data.num_classes,
        "batch_size": e.batch_size,
        "train_size": e.train_size,
        "optimizer": e.optimizer,
    }
    return {name: value for name, value in {**known, "steps_per_epoch": e.epoch_steps}.items() if value is not None}
