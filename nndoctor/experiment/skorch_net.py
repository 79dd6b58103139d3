"""A NeuralNet of skorch that is fitted as an experiment's parts: its module, its data, its loss and its optimizer."""

from __future__ import annotations

from typing import Any
from unittest import mock

from torch import Tensor, nn

NET = ("skorch_net", "skorch_x", "skorch_y")  # what its fit_loop is given


def fitted_parts(taken: dict[str, Any]) -> dict[str, object]:
    """The parts by the names of the contract, of a net that is initialized; what is no such net stays as it is."""
    net, x, y = (taken.get(name) for name in NET)
    if net is None:
        return taken
    training, held_out = net.get_split_datasets(x, y)
    parts = {
        "model": net.module_,
        "step": _step_of(net),
        "train_data": net.get_iterator(training, training=True),
        "optimizer": net.optimizer_,
        "epochs": net.max_epochs,
    }
    return parts if held_out is None else {**parts, "validation_data": net.get_iterator(held_out, training=False)}


def _step_of(net: Any) -> Any:  # noqa: ANN401 - skorch is not installed everywhere
    def step(model: nn.Module, batch: Any) -> Tensor:  # noqa: ANN401 - a pair of inputs and targets
        inputs, targets = batch
        with mock.patch.dict(vars(net), module_=model):
            loss: Tensor = net.get_loss(net.infer(inputs), targets, X=inputs, training=model.training)
        return loss

    return step
