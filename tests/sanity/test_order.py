"""Scores and labels that are flattened for a cross-entropy."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import order  # noqa: E402

TAGGER = """
x = torch.randint(0, 30, (80, 6)); y = x % 3
train_data = DataLoader(TensorDataset(x, y), batch_size=20)
model = nn.Sequential(nn.Embedding(30, 8), nn.Linear(8, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
def step(model, batch):
    z, y = model(batch[0]), batch[1]
    return nn.functional.cross_entropy(SCORES, LABELS)
"""
PIXELS = """
x = torch.randn(20, 1, 4, 5); y = (x[:, 0] > 0).long()
train_data = DataLoader(TensorDataset(x, y), batch_size=10)
model = nn.Conv2d(1, 2, 3, padding=1)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
def loss(output, target): return nn.functional.cross_entropy(SCORES, target.reshape(-1))
"""
SOUND = {
    "both by example": ("z.reshape(-1, 3)", "y.reshape(-1)"),
    "both by place": ("z.transpose(0, 1).reshape(-1, 3)", "y.T.reshape(-1)"),
    "classes second": ("z.transpose(1, 2)", "y"),
    "shifted": ("z[:, :-1].reshape(-1, 3)", "y[:, 1:].reshape(-1)"),
    "some rows": ("z.reshape(-1, 3)[::2]", "y.reshape(-1)[::2]"),
    "rows in another order": ("z.reshape(-1, 3).flip(0)", "y.reshape(-1).flip(0)"),
}
TORN = {
    "exchanged, then flattened": ("z.transpose(1, 2).reshape(-1, 3)", "y.reshape(-1)"),
    "classes second by a view": ("z.view(20, 3, 6)", "y"),
}
CROSSED = {
    "labels by place": ("z.reshape(-1, 3)", "y.T.reshape(-1)"),
    "scores by place": ("z.transpose(0, 1).reshape(-1, 3)", "y.reshape(-1)"),
    "shifted labels by place": ("z[:, :-1].reshape(-1, 3)", "y[:, 1:].T.reshape(-1)"),
}


def facts(probed, scores: str, labels: str) -> tuple[bool, bool]:
    found = probed(TAGGER.replace("SCORES", scores).replace("LABELS", labels), order.probe)
    return "scores_torn" in found, "labels_crossed" in found


@pytest.mark.parametrize("name", SOUND)
def test_whole_rows_in_the_order_of_the_labels_are_sound(probed, name):
    assert facts(probed, *SOUND[name]) == (False, False)


@pytest.mark.parametrize("name", TORN)
def test_rows_of_scores_of_several_places_are_torn(probed, name):
    assert facts(probed, *TORN[name]) == (True, False)


@pytest.mark.parametrize("name", CROSSED)
def test_labels_in_another_order_than_the_scores_are_crossed(probed, name):
    assert facts(probed, *CROSSED[name]) == (False, True)


@pytest.mark.parametrize(
    ("scores", "torn"), [("output.reshape(-1, 2)", True), ("output.permute(0, 2, 3, 1).reshape(-1, 2)", False)]
)
def test_scores_of_pixels_are_permuted_before_they_are_flattened(probed, scores, torn):
    assert ("scores_torn" in probed(PIXELS.replace("SCORES", scores), order.probe)) == torn


def test_torn_scores_are_an_error(examined):
    change = TAGGER.replace("SCORES", TORN["exchanged, then flattened"][0]).replace("LABELS", "y.reshape(-1)")
    assert "output-unfit-for-loss" in {f.name for f in examined(change, budget=1.0).findings}
