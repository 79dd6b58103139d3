"""The settings that a run was trained with, by name, from the facts of its log and from its path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from nndoctor.core.run import FactValue, Run

GROUPS = ("training", "optimizer_settings", "setting")  # facts `group:name`
PLAIN = (
    "model", "optimizer", "batch_size", "weight_decay", "momentum", "dropout", "activation", "loss", "dataset", "seed",
    "device", "parameters", "trainable_parameters", "n_parameters", "num_classes", "processes",
)  # fmt: skip
ALIASES = {
    "learning_rate": "lr", "learningrate": "lr", "init_lr": "lr", "base_lr": "lr", "lr0": "lr", "peak_lr": "lr",
    "bs": "batch_size", "batchsize": "batch_size", "train_batch_size": "batch_size", "batch": "batch_size",
    "wd": "weight_decay", "opt": "optimizer", "optim": "optimizer", "random_state": "seed", "random_seed": "seed",
    "dropout_rate": "dropout", "n_epochs": "epochs", "num_epochs": "epochs", "max_epochs": "epochs",
}  # fmt: skip
# What repeats of one setting differ in.
CHANCE = frozenset({"seed", "trial", "fold", "run", "number", "replicate", "repeat"})
LEFT_OUT = frozenset({
    "foreach", "fused", "capturable", "maximize", "differentiable", "device", "processes", "save_dir", "output_dir",
    "log_dir", "logging_dir", "logdir", "out_dir", "project", "name", "run_name", "exp_name",
})  # fmt: skip
MAX_WHOLE = 1e15  # numbers up to here have no digits that a float loses
MAX_SETTINGS = 120  # settings that are compared
PAIR = re.compile(r"(?:^|[_,;&\s/+-])([A-Za-z][A-Za-z_]*?)=([^,;&\s/=]+?)(?=$|[,;&\s/]|_[A-Za-z][A-Za-z_]*=)")
SPELLED = re.compile(
    r"(?:^|[_,-])(lr|bs|wd|seed|dropout|momentum|batch_?size|batch|layers|hidden|width|depth)[_-]?(\d+(?:\.\d+)?(?:e-?\d+)?)"
    r"(?=$|[_,-])",
    re.IGNORECASE,
)


def of(run: Run) -> dict[str, FactValue]:
    """The settings by our names: what the log says first, then what the path spells (`lr=0.1,bs=32/run.csv`, `lr_0.1`)."""
    found: dict[str, FactValue] = {}
    for name, fact in run.facts.items():
        group, colon, rest = name.partition(":")
        if group in (GROUPS if colon else PLAIN):
            found.setdefault(named(rest) if colon else name, fact.value)
    rate = run.series_of("lr")
    if rate is not None:
        found["lr"] = float(f"{rate.high:.6g}")
    for name, value in spelled(run.path or run.source).items():
        found.setdefault(name, value)
    return dict([(name, value) for name, value in found.items() if name not in LEFT_OUT][:MAX_SETTINGS])


def named(name: str) -> str:
    """`params/learning_rate` -> `lr`: the last part of a path, by our word where there is one."""
    last = re.split(r"[/.]", name.strip())[-1] if "/" in name or "." in name else name.strip()
    plain = re.sub(r"[\s-]+", "_", last.removeprefix("params_").removeprefix("param_")).lower()
    return ALIASES.get(plain, plain)


def spelled(path: str) -> dict[str, FactValue]:
    """The settings that the names of a file and its folders spell.

    >>> spelled("runs/lr=0.1,bs=32/seed_3.csv")
    {'lr': 0.1, 'batch_size': 32, 'seed': 3}
    """
    pure = PurePath(path.replace("\\", "/"))
    parts = [*pure.parts[:-1], pure.stem if re.fullmatch(r"\.[A-Za-z]\w*", pure.suffix) else pure.name]
    found: dict[str, FactValue] = {}
    for part in parts[-4:]:
        pairs = PAIR.findall(part) or SPELLED.findall(part)
        found |= {named(name): number(value) for name, value in pairs}
    return found


def number(text: str) -> FactValue:
    """A number where a text spells one, else the text."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and abs(value) < MAX_WHOLE else value


def differing(settings: Mapping[str, Mapping[str, FactValue]]) -> dict[str, dict[str, FactValue | None]]:
    """The settings in which two logs differ, each with its value by key; None where a log does not say it.

    What all logs that say it agree in is left out: that others do not say it is a difference of the logs.
    """
    names = dict.fromkeys(name for one in settings.values() for name in one)
    rows: dict[str, dict[str, FactValue | None]] = {}
    for name in names:
        values = [one[name] for one in settings.values() if name in one]
        if any(value != values[0] for value in values):
            rows[name] = {key: one.get(name) for key, one in settings.items()}
    return rows
