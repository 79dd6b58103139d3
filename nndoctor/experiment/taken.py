"""The parts of a file that it gives under other names than those of the contract: usual ones, or whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor, nn

from nndoctor.experiment.by_type import Models, loaders_in, models_in, only_optimizer
from nndoctor.experiment.lightning import Lightning
from nndoctor.experiment.usual_names import usual_arrays, usual_names, usual_sampler


def taken_parts(loaded: Mapping[str, object]) -> dict[str, tuple[str, object]]:
    """Parts that the file gives under other names than those of the contract: part to name and value."""
    found: dict[str, tuple[str, object]] = {part: (name, loaded[name]) for part, name in usual_names(loaded).items()}
    model = loaded.get("model")
    brought = isinstance(model, nn.Module) and Lightning.of(model) is not None
    if not brought and "train_data" not in found and not gives_data(loaded.get("train_data")):
        found |= usual_arrays(loaded) or usual_sampler(loaded) or loaders_in(loaded)
    models = models_in(loaded) if loaded.get("model") is None and "model" not in found else {}
    if models:
        one = next(iter(models.values())) if len(models) == 1 else Models(models)
        found["model"] = " and ".join(models), one
    optimizer = only_optimizer(loaded) if loaded.get("optimizer") is None and "optimizer" not in found else None
    return found if optimizer is None else {**found, "optimizer": (optimizer, loaded[optimizer])}


def gives_data(value: object) -> bool:
    """Whether what is called train_data can be made batches of: not the tokens of one long text, or numbers without targets."""
    return value is not None and not isinstance(value, (Tensor, str, np.ndarray))
