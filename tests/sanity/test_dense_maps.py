"""Masks that fit their images when they are turned."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import dense_maps  # noqa: E402

MASKED = """
places = torch.arange(12); left, top, wide, high = (torch.randint(*ends, (60, 1, 1)) for ends in ((0, 6), (0, 3), (3, 6), (6, 9)))
inside = (places >= left) & (places < left + wide) & (places[:, None] >= top) & (places[:, None] < top + high)
images = inside[:, None] * torch.tensor([1.0, 0.5, 0.0])[:, None, None] + 0.1 * torch.randn(60, 3, 12, 12)
masks = inside.long()
model = nn.Conv2d(3, 2, 3, padding=1); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
train_data = DataLoader(TensorDataset(images, CHANGED), batch_size=20)
"""


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("masks", None),
        ("masks.transpose(1, 2)", "transposed"),
        ("masks.flip(2)", "flipped left and right"),
        ("masks[torch.randperm(60)]", None),
    ],
    ids=["as they are", "transposed", "flipped", "of other images"],
)
def test_masks_that_fit_when_they_are_turned(probed, changed, told):
    assert probed(MASKED.replace("CHANGED", changed), dense_maps.probe).get("masks_turned") == told
