"""Models that a library made: what they do not use of themselves is not the user's fault."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from torch import nn  # noqa: E402

from nndoctor.sanity.probes import ends  # noqa: E402


class Encoder(nn.Module):
    """Eight layers and a pooler."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(4, 4) for _ in range(8)))
        self.pooler = nn.Linear(4, 4)


class Classifier(nn.Module):
    """An encoder below a head."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(4, 2)


@pytest.fixture
def model(monkeypatch) -> Classifier:
    """As if the classes of this file were those of a library."""
    monkeypatch.setattr(ends, "LIBRARIES", (Path(__file__).name,))
    return Classifier()


def test_a_pooler_that_is_not_asked_for_is_spare(model):
    absent = ["encoder.pooler.weight", "encoder.pooler.bias"]
    assert ends.unused_in_library(model, absent) == set(absent)


def test_an_encoder_without_gradient_is_not_spare(model):
    absent = [n for n, _ in model.named_parameters() if n.startswith("encoder")]
    assert not ends.unused_in_library(model, absent)


def test_a_layer_of_the_users_own_model_is_not_spare(model, monkeypatch):
    monkeypatch.setattr(ends, "LIBRARIES", ("site-packages",))
    assert not ends.unused_in_library(model, ["encoder.pooler.weight", "encoder.pooler.bias"])
