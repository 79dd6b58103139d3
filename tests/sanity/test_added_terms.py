"""Terms that are added to one of torch's losses within a step."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import added_terms  # noqa: E402

MASKS = """
x = torch.randn(40, 1, 8, 8); y = (x > 0.5).float(); del loss, validation_data
model = nn.Conv2d(1, 1, 3, padding=1); optimizer = torch.optim.Adam(model.parameters(), 3e-3)
train_data = DataLoader(TensorDataset(x, y), batch_size=10)
def dice(p, t): return ((2 * (p * t).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + t.sum((1, 2, 3)) + 1)).mean()
def step(model, batch):
    out, t = model(batch[0]), batch[1]
    return 0.5 * nn.functional.binary_cross_entropy_with_logits(out, t) + ADDED
"""
CLASSES = """
del loss
def step(model, batch):
    out = model(batch[0]); p = out.softmax(1); own = p.gather(1, batch[1][:, None]).mean()
    return nn.functional.cross_entropy(out, batch[1]) + ADDED
"""


@pytest.mark.parametrize(
    ("change", "added", "found"),
    [
        (MASKS, "dice(out.sigmoid(), t)", True),
        (MASKS, "1 - dice(out.sigmoid(), t)", False),
        (MASKS, "out.sigmoid().mean()", False),
        (MASKS, "0.1 * (out ** 2).mean()", False),
        (CLASSES, "own", True),
        (CLASSES, "(1 - own)", False),
        (CLASSES, "0.1 * (p * p.log()).sum(1).mean()", False),
        (CLASSES, "0.1 * sum(w.square().sum() for w in model.parameters())", False),
    ],
    ids=[
        "dice",
        "1 - dice",
        "few pixels",
        "small outputs",
        "right classes",
        "wrong classes",
        "confidence",
        "small weights",
    ],
)
def test_a_term_that_is_less_for_wrong_outputs(probed, change, added, found):
    facts = probed(change.replace("ADDED", added), added_terms.probe)
    assert ("rest_of_right" in facts) is found


def test_a_dice_coefficient_that_is_added_is_named(examined):
    report = examined(MASKS.replace("ADDED", "dice(out.sigmoid(), t)"), budget=10.0)
    assert "it rewards wrong outputs" in {f.name: f.message for f in report.findings}["output-unfit-for-loss"]
