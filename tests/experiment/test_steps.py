"""From a batch to what a model takes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="models need torch")

from nndoctor.experiment.steps import inputs_of  # noqa: E402

PAIR = [torch.zeros(4, 2), torch.ones(4)]


class Several(torch.nn.Module):
    """Takes its inputs by position, as Keras models seem to."""

    def forward(self, *inputs):
        """Nothing is computed."""


def test_a_list_of_inputs_is_given_by_position():
    """To a module of torch's."""
    assert inputs_of(Several(), (PAIR, torch.zeros(4))) == tuple(PAIR)


def test_a_list_of_inputs_is_one_argument_of_a_keras_model(monkeypatch):
    """It takes several inputs as one list."""
    monkeypatch.setattr(Several, "__module__", "keras.src.models.functional")
    assert inputs_of(Several(), (PAIR, torch.zeros(4))) == (PAIR,)
