"""Views and reshapes that take the place of an exchange of dimensions, and those that are sound."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import reshapes  # noqa: E402

POINTS = """
class Points(nn.Module):
    def __init__(self):
        super().__init__(); self.f, self.g = nn.Conv1d(4, 8, 1), nn.Linear(8, 3)
    def forward(self, v):
        v = v.view(len(v), -1, 4)
        return self.g(self.f(v.EXCHANGE).mean(2))
x = torch.randn(240, 24); y = torch.arange(240) % 3
train_data = DataLoader(TensorDataset(x, y), batch_size=20); model = Points(); validation_data = None
optimizer = torch.optim.Adam(model.parameters())
"""


@pytest.mark.parametrize(("exchange", "wrong"), [("reshape(len(v), 4, -1)", True), ("transpose(1, 2)", False)])
def test_points_whose_dimensions_a_reshape_exchanges(probed, exchange, wrong):
    found = probed(POINTS.replace("EXCHANGE", exchange), reshapes.probe).get("reshape_mixes")
    assert (found is not None) is wrong
    assert not wrong or (found[:2] == ("(20, 6, 4)", "(20, 4, 6)") and found[2].startswith("model.py:"))


def of(taken, *shape: int) -> bool:
    return reshapes.mixes(taken, taken.reshape(*shape))


@pytest.mark.parametrize("shape", [(5, 7, 12), (7, 12, 5), (7, 3, 5, 4)])
def test_sequences_whose_values_change_places(shape):
    assert of(torch.randn(7, 5, 12), *shape)


def test_heads_that_are_joined_without_an_exchange():
    assert of(torch.randn(7, 3, 5, 4), 7, 5, 12)


@pytest.mark.parametrize("shape", [(7, 5, 12), (35, 12), (7, 60), (7, 5, 3, 4), (1, 7, 5, 12)])
def test_reshapes_that_keep_values_together(shape):
    assert not of(torch.randn(7, 5, 12), *shape)


def test_a_dimension_of_one_place_may_go_anywhere():
    assert not of(torch.randn(7, 1, 12), 7, 12, 1)


def test_heads_that_were_exchanged_before_they_are_joined():
    assert not of(torch.randn(7, 3, 5, 4).transpose(1, 2), 7, 5, 12)


def test_relative_positions_that_are_shifted():
    scores = torch.nn.functional.pad(torch.randn(2, 3, 6, 5), (1, 0))
    assert not of(scores[:, :, :5], 2, 3, 6, 5)


def test_weights_are_left_alone():
    assert not of(torch.nn.Parameter(torch.randn(3, 4)), 4, 3)


def test_values_of_anchors_that_stay_before_the_places():
    maps = torch.randn(2, 12, 5, 5)
    assert of(maps, 2, -1, 6)
    assert not of(maps.permute(0, 2, 3, 1), 2, -1, 6)
    assert not of(torch.randn(2, 8, 8, 16), 2, -1, 8)


@pytest.mark.parametrize("shape", [(2, 12, 25), (2, 60, 5), (2, 300), (24, 5, 5)])
def test_maps_that_are_flattened(shape):
    assert not of(torch.randn(2, 12, 5, 5), *shape)
