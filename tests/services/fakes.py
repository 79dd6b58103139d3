"""Clients of services made by hand, with the few methods that are called, where no server can be had in a test."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np

STEPS = range(30)
FALL = [2.3 * 0.9**step for step in STEPS]
RISE = [2.4 * 0.9**step + 0.03 * step for step in STEPS]


def module(monkeypatch, name: str, **held) -> ModuleType:
    """A module of this name, importable for the test."""
    made = ModuleType(name)
    vars(made).update(held)
    monkeypatch.setitem(sys.modules, name, made)
    return made


class WandbRun:
    """A run at W&B with a whole history, a configuration and a summary."""

    def __init__(self, key: str, validation=RISE, rows: int = 30):
        self.id, self.name, self.entity, self.project = key, f"sweet-{key}", "me", "nets"
        self.config = {"lr": 0.1, "model": {"width": 64}, "_wandb": {"v": 1}}
        self.summary, self.tags = {}, []
        self._rows = [
            {"_step": k, "train/loss": FALL[k], "val/loss": validation[k], "hist": {"_type": "histogram"}}
            for k in range(rows)
        ]

    def scan_history(self):
        """Every row."""
        return iter(self._rows)

    def update(self):
        """Save the summary and the tags."""
        self.saved = (dict(self.summary), list(self.tags))


def wandb(monkeypatch, runs, *, key: str | None = "k", error: Exception | None = None):
    """W&B's client with these runs in me/nets; without a `key` nobody is logged in."""

    class Api:
        def run(self, path):
            if error is not None:
                raise error
            found = [run for run in runs if path == f"me/nets/{run.id}"]
            if not found:
                raise ValueError(f"Could not find run <Run {path} (not found)>")
            return found[0]

        def runs(self, path, order):
            assert (path, order) == ("me/nets", "+created_at")
            return iter(runs)

        def sweep(self, path):
            assert path == "me/nets/s1"
            return SimpleNamespace(runs=runs[:1])

    auth = SimpleNamespace(authenticate_session=lambda **_: key)
    module(monkeypatch, "wandb", Api=Api)
    module(monkeypatch, "wandb.sdk")
    module(monkeypatch, "wandb.sdk.lib", wbauth=auth)


def swanlab(monkeypatch):
    """SwanLab's client with one experiment, `r1` in me/nets; NaN comes as a word."""

    class Run:
        run_id, name = "r1", "first"

        @property
        def profile(self):
            return {"config": {"lr": {"value": 0.1, "desc": "", "sort": 0}, "batch_size": 32}}

        def summary(self):
            return {"train/loss": {}, "val/loss": {}}

        def metrics(self, keys, all, ignore_timestamp):  # noqa: A002 - SwanLab's own name
            assert (all, ignore_timestamp) == (True, True)
            values = {"train/loss": [*FALL[:-1], "NaN"], "val/loss": RISE}
            points = {key: [{"step": k, "value": v} for k, v in enumerate(values[key])] for key in keys}
            return {"list": [{"key": key, "metrics": points[key]} for key in keys]}

    class Missing:
        run_id = ""

        @property
        def created_at_ts(self):
            raise ValueError("Failed to load experiment 'me/nets/no': 404 Not Found")

    class Api:
        def run(self, path):
            return Run() if path == "me/nets/r1" else Missing()

        def runs(self, path):
            return [Run()] if path == "me/nets" else []

    module(monkeypatch, "swanlab", Api=Api)


def comet(monkeypatch):
    """Comet's client with one experiment in me/nets."""

    class Experiment:
        id, start_server_timestamp = "e1", 5

        def get_name(self):
            return "first"

        def get_metrics(self):
            named = (("train_loss", FALL), ("val_loss", RISE), ("sys.cpu", FALL))
            return [
                {
                    "metricName": name,
                    "metricValue": str(v),
                    "step": k,
                    "epoch": None,
                    "timestamp": k,
                    "runContext": None,
                }
                for name, values in named
                for k, v in enumerate(values)
            ]

        def get_parameters_summary(self):
            return [{"name": "lr", "valueCurrent": "0.1"}, {"name": "batch_size", "valueCurrent": "32"}]

    class API:
        def get(self, path):
            return {"me/nets/e1": Experiment(), "me/nets": [Experiment()]}.get(path)

    module(monkeypatch, "comet_ml")
    module(monkeypatch, "comet_ml.api", API=API)


def clearml(monkeypatch):
    """ClearML's client with two tasks in me/nets."""

    class Task:
        def __init__(self, name):
            self.id, self.name = f"{name:0>32}", name

        def get_project_name(self):
            return "me/nets"

        def get_all_reported_scalars(self):
            curves = {"train": {"x": list(STEPS), "y": FALL}, "val": {"x": list(STEPS), "y": RISE}}
            return {"loss": curves, ":monitor:gpu": {"gpu": {"x": [0], "y": [1.0]}}}

        def get_parameters(self):
            return {"Args/lr": "0.1", "General/batch_size": "32"}

        @classmethod
        def get_tasks(cls, project_name, task_name=".*"):
            import re

            tasks = [cls("a"), cls("b")] if project_name == "me/nets" else []
            return [task for task in tasks if re.fullmatch(task_name, task.name)]

        @classmethod
        def get_task(cls, task_id):
            return cls(task_id.lstrip("0"))

    module(monkeypatch, "clearml", Task=Task)


def aim(monkeypatch):
    """Aim's client over a repository with one run; metrics keep their split in a context."""

    def metric(name, subset, values):
        data = SimpleNamespace(numpy=lambda: (np.arange(len(values)), [np.array(values), np.zeros(len(values))]))
        return SimpleNamespace(name=name, context=SimpleNamespace(to_dict=lambda: {"subset": subset}), data=data)

    class Run(dict):
        name, hash = "first", "abc"

        def __init__(self, key, repo, read_only):
            super().__init__(hparams={"lr": 0.1, "batch_size": 32}, __system_params={})
            assert (key, read_only, type(repo)) == ("abc", True, Repo)
            self.meta_run_attrs_tree = self

        def metrics(self):
            return [metric("loss", "train", FALL), metric("loss", "val", RISE), metric("__system__cpu", "", FALL)]

    class Repo:
        def __init__(self, path):
            self.path = path

        def list_all_runs(self):
            return ["abc"]

    module(monkeypatch, "aim", Repo=Repo, Run=Run)
