"""From trained batches to lines: every run with its gains, its labels, and the logs that its user might have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from benchmarks.zoo import logs
from benchmarks.zoo.batch import OF_CHANGES, Batch
from benchmarks.zoo.curves import Curves, Measured
from benchmarks.zoo.evidence import Evidence, Trained, weigh
from benchmarks.zoo.experiment import Experiment, seed_of
from benchmarks.zoo.labelling import label
from benchmarks.zoo.pool import data_of
from benchmarks.zoo.runs import NOT_TOLD, distances_of, gains_of
from benchmarks.zoo.views import View, seen, views
from benchmarks.zoo.workloads import Data

SHORTENED = 0.5  # of the runs that can be
SHORTEST, LONGEST = 0.12, 0.7  # of a budget that is cut
SETTLED = {"constant"}  # schedules of which a shorter run is the beginning of a longer one


def lines(batch: Batch) -> Iterator[dict[str, Any]]:
    """One line a run; a run at a constant rate gives another, whose budget, and that of its retrainings, is cut."""
    for e, trained in batch.runs:
        yield line(e, trained)
        rng = np.random.default_rng(seed_of("cut", e.id))
        if e.schedule in SETTLED and not e.spikes and rng.random() < SHORTENED:
            share = float(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))))
            yield line(*cut(e, trained, share))


def line(e: Experiment, trained: Trained) -> dict[str, Any]:
    """One run."""
    data = data_of(e)
    evidence = weigh(e, trained, data)
    rng = np.random.default_rng(seed_of("views", e.id))
    shown = [_shown(evidence, view, data) for view in views(e, rng)]
    return {
        "id": e.id,
        "split": e.split,
        "workload": e.workload,
        "group": group_of(e),
        "net": e.net,
        "optimizer": e.optimizer,
        "planted": e.planted,
        **shown[0],
        "views": shown[1:],
        "gains": gains_of(evidence),
        "distances": distances_of(evidence),
        "facts": _facts(e, data),
        "settings": {k: v for k, v in asdict(e).items() if k not in NOT_TOLD},
    }


def group_of(e: Experiment) -> str:
    """Workload, net and planted fault: runs that tell the same story."""
    fault = "healthy" if e.planted.startswith("healthy") else e.planted
    return f"{e.workload}-{e.task}/{e.net}-{e.width}x{e.depth}-{e.activation}-{e.optimizer}/{fault}"


def _shown(evidence: Evidence, view: View, data: Data) -> dict[str, Any]:
    """A log and its labels."""
    e = replace(evidence.experiment, log=view.log)
    mine = replace(evidence, experiment=e)
    logged = seen(logs.observe(e, evidence.base), view)
    labels = label(mine, logged)
    part = {} if (view.start, view.end) == (0.0, 1.0) else {"part": [round(view.start, 3), round(view.end, 3)]}
    return {**asdict(labels), **part, "log": logs.written(e, logged, data.kind)}


def _facts(e: Experiment, data: Data) -> dict[str, object]:
    """What the run's user knows beside the log."""
    facts = {"batch_size": e.batch_size, "train_size": e.train_size, "optimizer": e.optimizer}
    return facts if data.num_classes is None else {"num_classes": data.num_classes, **facts}


def cut(e: Experiment, trained: Trained, share: float) -> tuple[Experiment, Trained]:
    """The run and its retrainings as they stood after a share of their budgets; four times the steps stay four times."""
    turns = max(3, round(share * OF_CHANGES)) * (e.evaluations // OF_CHANGES)
    steps = e.steps // e.evaluations * turns
    shorter = replace(e, id=f"{e.id}-short", steps=steps, evaluations=turns, planted=_cut_fault(e))
    return shorter, {key: _beginning(curves, turns / e.evaluations) for key, curves in trained.items()}


def _cut_fault(e: Experiment) -> str:
    return "not-converged" if e.planted.startswith("healthy") else e.planted


def _beginning(curves: Curves, share: float) -> Curves:
    last = round(share * (len(curves.at) - 1))
    steps = int(curves.at[last])
    measured = Measured(*(getattr(curves.measured, name)[: last + 1] for name in Measured.__slots__))
    loss, error, norm, lr = (p[:steps] for p in (curves.batch_loss, curves.batch_error, curves.grad_norm, curves.lr))
    return Curves(loss, error, norm, lr, curves.at[: last + 1], measured)
