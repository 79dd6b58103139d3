"""Methods of frameworks that train: what a script hands to them, as an experiment's parts."""

from __future__ import annotations

import builtins
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from torch.utils.data import DataLoader

from nndoctor.experiment.keras_fit import FIT, arrays_as_data
from nndoctor.experiment.skorch_net import NET, fitted_parts

FITS = (
    (
        "lightning.pytorch",
        "Trainer",
        "fit",
        ("lightning_trainer", "model", "train_data", "validation_data", "datamodule"),
    ),
    (
        "pytorch_lightning",
        "Trainer",
        "fit",
        ("lightning_trainer", "model", "train_data", "validation_data", "datamodule"),
    ),
    ("transformers.trainer", "Trainer", "train", ("trainer",)),
    ("keras", "Model", "fit", FIT),
    ("skorch", "NeuralNet", "fit_loop", NET),
)
"""Their module, class and name, and what their arguments are."""
ALIASES = {"train_dataloaders": "train_data", "val_dataloaders": "validation_data", "x": "x_train", "y": "y_train"}


@dataclass(frozen=True, slots=True)
class Fit:
    """One call of such a method: its name, its arguments by their names, and the training as a function."""

    method: str
    given: dict[str, Any]
    go: Callable[[], object]

    def parts(self) -> dict[str, object]:
        """What it is given by the names of the contract."""
        parts = arrays_as_data(fitted_parts({name: value for name, value in self.given.items() if value is not None}))
        data = (parts.pop("datamodule", None), parts.get("train_data"), _batches(parts.get("x_train")))
        train_data = next((one for one in data if one is not None), None)
        return parts if train_data is None else {**parts, "train_data": train_data}


@contextmanager
def fits_replaced(act: Callable[[Fit], object]) -> Iterator[None]:
    """Within, `act` is called in the place of these methods, of frameworks that are imported before or meanwhile."""
    missing = dict.fromkeys(FITS)
    plain = builtins.__import__

    with ExitStack() as stack:

        def replace() -> None:
            for one in tuple(missing):
                module, kind, method, names = one
                # A module that loads its parts on demand is not asked for one.
                owner = vars(sys.modules[module]).get(kind) if module in sys.modules else None
                if owner is not None:
                    del missing[one]
                    stand_in = _stand_in(act, method, names, getattr(owner, method))
                    stack.enter_context(mock.patch.object(owner, method, stand_in))

        def imported(*places: Any, **given: Any) -> Any:  # noqa: ANN401 - as __import__ has it
            found = plain(*places, **given)
            replace()
            return found

        replace()
        stack.enter_context(mock.patch.object(builtins, "__import__", imported))
        yield


def _stand_in(
    act: Callable[[Fit], object], method: str, names: tuple[str, ...], go: Callable[..., object]
) -> Callable[..., object]:
    @functools.wraps(go)
    def called(*places: object, **given: object) -> object:
        every = dict(zip(names, places, strict=False)) | {ALIASES.get(k, k): v for k, v in given.items()}
        known = {name: value for name, value in every.items() if name in names}
        return act(Fit(method, known, lambda: go(*places, **given)))

    return called


def _batches(given: Any) -> object:  # noqa: ANN401 - whatever a model is fitted to
    """Batches that Keras reads by their numbers, or from a loader; None for arrays."""
    if given is None or hasattr(given, "shape") or isinstance(given, (dict, list, tuple)):
        return None
    return given if isinstance(given, DataLoader) else [given[k] for k in range(len(given))]
