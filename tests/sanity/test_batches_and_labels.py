"""Batches of any kind, and labels that a loss only compares with each other."""

from __future__ import annotations

from typing import NamedTuple

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.batches import mapped, rebuilt, target_changed  # noqa: E402
from nndoctor.sanity.calls import calls_of  # noqa: E402
from nndoctor.sanity.probes import bounds, channels, labels, shapes, tiny  # noqa: E402

NAMED = """
from collections import namedtuple
Batch = namedtuple("Batch", "inputs labels")
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 200
    def __getitem__(self, k): return Batch(x[k], y[k])
train_data = DataLoader(Rows(), batch_size=20, shuffle=True)
def step(model, batch): return nn.functional.cross_entropy(model(batch.inputs), batch.labels)
"""
PAIRS = """
y = torch.arange(120).repeat_interleave(2)
x = torch.randn(120, 8).repeat_interleave(2, 0) + 0.1 * torch.randn(240, 8)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
def loss(output, target):
    distance = torch.cdist(nn.functional.normalize(output), nn.functional.normalize(output))
    same = target[:, None] == target
    return (distance * same).max(1).values.mean() + (1 - distance + 2 * same).relu().mean()
train_data = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
validation_data = None
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
"""
IMAGES = """
smooth = torch.linspace(0, 6, 16).sin() + 0.3 * torch.randn(60, 16, 1)
colours = torch.stack([smooth, smooth.flip(2), torch.randn(60, 16, 1) + 0 * smooth], 3) + 2 * torch.randn(60, 1, 1, 3)
images = [one.CHANGE for one in colours]
train_data = DataLoader(list(zip(images, y)), batch_size=20, collate_fn=lambda rows: [list(part) for part in zip(*rows)])
model = nn.Sequential(nn.Flatten(), nn.Linear(768, 3))
def step(model, batch): return nn.functional.cross_entropy(model(torch.stack(batch[0])), torch.stack(batch[1]))
optimizer = torch.optim.Adam(model.parameters())
"""


class Pair(NamedTuple):
    """A batch whose parts have names."""

    inputs: torch.Tensor
    labels: torch.Tensor


def test_named_tuples_stay_what_they_are(examined):
    found = examined(NAMED)
    assert not [f for f in found.findings if f.severity.value in ("error", "warning")]
    assert not [note for note in found.run.notes if note.startswith("not checked:")]


def test_every_change_keeps_the_kind_of_a_batch():
    class Rows(dict):
        """A batch that cannot be made of a dict."""

        def __init__(self):
            super().__init__(input=torch.zeros(2), labels=torch.arange(2))

    pair = Pair(torch.ones(2), torch.arange(2))
    for changed in (mapped(pair, torch.neg), rebuilt(pair, torch.neg), target_changed(pair, torch.tensor([1, 0]))):
        assert type(changed) is type(pair)
    assert target_changed(pair, torch.tensor([1, 0])).labels.tolist() == [1, 0]
    assert mapped(Rows(), torch.neg)["labels"].tolist() == [0, -1]


def test_labels_that_a_loss_compares_with_each_other_are_in_range(probed):
    found = probed(PAIRS, labels.outside)
    assert found.get("output_classes") is None


def test_labels_of_a_cross_entropy_are_counted(probed):
    assert probed("", labels.outside)["output_classes"] == 3


def test_a_tiny_subset_of_many_classes_has_pairs(probed):
    """With one example of each class a loss of pairs would learn nothing from it."""
    found = probed(PAIRS, lambda bench: bench.fact("chosen", tuple(tiny.chosen(bench, 16, 0)[1].tolist())))
    assert len(set(found["chosen"])) == 8


@pytest.mark.parametrize(("change", "torn"), [("permute(2, 0, 1)", False), ("reshape(3, 16, 16)", True)])
def test_images_that_come_one_by_one(probed, change, torn):
    found = probed(IMAGES.replace("CHANGE", change), channels.probe)
    assert ("channels_interleaved" in found or "channels_in_groups" in found) is torn


BOXES = """
lengths = x[:, :1].abs() + 1
train_data = DataLoader(TensorDataset(x, lengths.squeeze(1)), batch_size=20)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), 3e-3)
def step(model, batch):
    own = model(batch[0])
    return LOSS
"""


@pytest.mark.parametrize(
    ("loss", "wrong"),
    [
        ("(own.squeeze(1)[:, None] + batch[1]).diag().mean()", False),
        ("(own - batch[1]).square().mean()", True),
    ],
    ids=["all pairs on purpose", "a column and a row"],
)
def test_a_row_that_was_just_made_a_column_meets_a_row_on_purpose(probed, loss, wrong):
    """As the sum of the areas of all pairs of boxes."""
    assert ("broadcast_shapes" in probed(BOXES.replace("LOSS", loss), shapes.probe)) is wrong


GRAPH = """
adjacency = torch.eye(240).to_sparse()
class Convolution(nn.Module):
    def __init__(self): super().__init__(); self.layer = nn.Linear(8, 3)
    def forward(self, features, edges): return edges @ self.layer(features)
model = Convolution(); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = [()] * 8
def step(model): return nn.functional.cross_entropy(model(x, adjacency), y)
"""


def test_sparse_arguments_are_left_as_they_are(probed):
    """Their values have no places that could be exchanged."""
    found = probed(GRAPH, lambda bench: bench.fact("names", tuple(calls_of(bench.subject, bench.batch)[0].tensors)))
    assert found["names"] == ("features",)


PLACES = """
places = SCALE * torch.rand(240, 4)
train_data = DataLoader(TensorDataset(x, y, places), batch_size=20)
class Finder(nn.Module):
    def __init__(self): super().__init__(); self.body, self.kind, self.place = nn.Linear(8, 16), nn.Linear(16, 3), nn.Linear(16, 4)
    def forward(self, v): h = self.body(v).relu(); return self.kind(h), self.place(h).sigmoid()
model = Finder(); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
def step(model, batch):
    kinds, places = model(batch[0]); kept = batch[1] > 0
    distance = nn.functional.l1_loss(places[kept], batch[2][kept], reduction="none")
    return nn.functional.cross_entropy(kinds, batch[1]) + distance.sum() / len(kinds)
"""


@pytest.mark.parametrize(("scale", "outside"), [(1, False), (32, True)])
def test_places_that_one_of_several_losses_cannot_reach(probed, scale, outside):
    """As boxes in pixels, where the model gives shares of the image."""
    found = probed(PLACES.replace("SCALE", str(scale)), bounds.probe)
    assert (found.get("targets_outside", 0.0) > 0.9) is outside
