"""Augmentation of images and of the maps that belong to them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import augmentation  # noqa: E402

IMAGES = """
from torch.utils.data import Dataset
class Images(Dataset):
    def __init__(self): self.x = torch.randn(40, 1, 8, 8); self.y = TARGETS
    def __len__(self): return 40
    def __getitem__(self, i):
        a, b = self.x[i], self.y[i]
        CHANGE
        return a, b
train_data = DataLoader(Images(), batch_size=10, shuffle=True)
model = nn.Conv2d(1, 2, 3, padding=1)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
"""
MASKS, FINE, CLASSES = "(self.x[:, 0] > 0).long()", "torch.randn(40, 1, 16, 16)", "torch.arange(40) % 2"
TURN = "if torch.rand(()) < 0.5: "


@pytest.fixture(autouse=True)
def time_enough(monkeypatch):
    """A busy machine may take longer."""
    monkeypatch.setattr(augmentation, "TIME_SHARE", 10.0)


def turned(probed, targets: str, change: str) -> bool:
    return "turned_alone" in probed(IMAGES.replace("TARGETS", targets).replace("CHANGE", change), augmentation.probe)


@pytest.mark.parametrize("targets", [MASKS, FINE], ids=["masks", "images of higher resolution"])
@pytest.mark.parametrize("how", ["a.flip(-1)", "a.rot90(1, (-2, -1))"])
def test_a_map_that_is_not_turned_with_its_image_is_seen(probed, targets, how):
    assert turned(probed, targets, f"{TURN}a = {how}")


@pytest.mark.parametrize(
    ("targets", "change"),
    [
        (MASKS, TURN + "a, b = a.flip(-1), b.flip(-1)"),
        (CLASSES, TURN + "a = a.flip(-1)"),
        (MASKS, "a = a + torch.randn_like(a)"),
        ("self.x", TURN + "a = a.flip(-1)\n        if torch.rand(()) < 0.5: b = b.flip(-1)"),
    ],
    ids=["both", "classes", "noise", "two views"],
)
def test_images_that_are_turned_with_their_maps_or_alone_on_purpose_are_sound(probed, targets, change):
    assert not turned(probed, targets, change)


def test_a_map_that_stays_is_named(examined):
    change = IMAGES.replace("TARGETS", MASKS).replace("CHANGE", TURN + "a = a.flip(-1)")
    assert "labels-contradict-inputs" in {f.name for f in examined(change, budget=3.0).findings}


def test_a_map_that_is_turned_with_its_image_in_one_of_two_ways_is_seen(probed):
    both = TURN + "a, b = a.flip(-1), b.flip(-1)"
    assert turned(probed, MASKS, f"{both}\n        {TURN}a = a.flip(-2)")
    assert not turned(probed, MASKS, f"{both}\n        {TURN}a, b = a.flip(-2), b.flip(-2)")
