"""The settings of a run in a file next to its log: config.json, hparams.yaml, params.json, Keras' own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from nndoctor.core.run import Fact
from nndoctor.readers.semantics.hyperparameters import settings_as_facts
from nndoctor.readers.tables.table import flatten

FILES = (
    "hparams.yaml",  # Lightning
    "params.json",  # Ray Tune
    "args.yaml",  # YOLO
    "config.yaml",  # W&B's files/, Hydra's .hydra/, many others
    "config.yml",
    "params.yaml",  # DVC
    "hparams.json",
    "args.json",
    "hyperparameters.json",
    "config.json",  # of a training loop, or of a model: Keras, Transformers
)
# Keys of a config.json that describes a model.
MODEL_KEYS = {"architectures", "model_type", "transformers_version", "_class_name"}
FOLDERS = ("", "files", ".hydra")
KERAS = ".keras"
MAX_BYTES = 1 << 20  # bytes of such a file
MAX_MODELS = 3  # .keras files that are looked into


def settings_beside(log: str) -> dict[str, Fact]:
    """The settings in the files next to a log, or in a run's folder, each as `setting:<name>`."""
    folder = log if os.path.isdir(log) else os.path.dirname(log) or "."  # noqa: PTH112, PTH120 - asked of thousands of logs
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
    except (OSError, ValueError):
        return {}
    return _in(folder, changed)


@lru_cache(maxsize=4)
def _in(folder: str, changed: int) -> dict[str, Fact]:  # noqa: ARG001 - `changed` makes an older answer void
    """The settings in a folder; of a setting that several files name, the first file's."""
    found: dict[str, Fact] = {}
    for config in _configs(folder):
        for name, fact in settings_as_facts(config.items()).items():
            found.setdefault(name if name.startswith("setting:") else f"setting:{name}", fact)
    return found


def _configs(folder: str) -> Iterator[dict[str, object]]:
    """What the files hold, joined by slashes."""
    for place in FOLDERS:
        try:
            with os.scandir(os.path.join(folder, place)) as entries:  # noqa: PTH118
                names = {entry.name for entry in entries}
        except OSError:
            continue
        for name in FILES:
            if name in names:
                yield _config(Path(folder, place, name))
        for name in sorted(name for name in names if name.endswith(KERAS))[:MAX_MODELS]:
            yield _of_keras(_packed(Path(folder, place, name)))


def _config(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    if path.suffix in (".yaml", ".yml"):
        from nndoctor.readers.tables.plain_yaml import plain

        return {name.removesuffix("/value"): value for name, value in plain(text).items() if not _is_own(name)}
    found = _object(text)
    if "class_name" in found:
        return _of_keras(found)
    return {} if MODEL_KEYS & found.keys() else flatten(found)


def _is_own(name: str) -> bool:
    """Whether W&B keeps a name for itself."""
    return name.startswith(("_", "wandb_version")) or name.endswith("/desc")


def _packed(path: Path) -> Mapping[str, object]:
    """The description of a model in a .keras file, which is a zip: read, never built."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive, archive.open("config.json") as file:
            return _object(file.read(MAX_BYTES).decode(errors="replace"))
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return {}


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _of_keras(model: Mapping[str, object]) -> dict[str, object]:
    """Optimizer, its settings, the loss and the number of layers of a Keras model's configuration."""
    config, compiled = model.get("config"), model.get("compile_config")
    layers = config.get("layers") if isinstance(config, dict) else None
    found: dict[str, object] = {"layers": len(layers)} if isinstance(layers, list) else {}
    if not isinstance(compiled, dict):
        return found
    optimizer = compiled.get("optimizer")
    if isinstance(optimizer, dict):
        found["optimizer"] = optimizer.get("class_name")
        own = optimizer.get("config")
        found |= {name: value for name, value in own.items() if name != "name"} if isinstance(own, dict) else {}
    loss = compiled.get("loss")
    found["loss"] = loss.get("class_name") if isinstance(loss, dict) else loss
    return found
