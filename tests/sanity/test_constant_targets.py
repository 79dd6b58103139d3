"""Targets that are one number in every example."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import constant_targets  # noqa: E402

NOISE = """
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)); del loss; optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    noise = torch.randn_like(batch[0])
    return nn.functional.mse_loss(model(batch[0] + noise), TARGET)
"""
RESIDUAL = """
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1)); del loss; optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    residual = model(batch[0]) - batch[0].sum(1, keepdim=True)
    return nn.functional.mse_loss(residual, torch.zeros_like(residual))
"""


def test_outputs_compared_with_zeros(probed):
    facts = probed(NOISE.replace("TARGET", "torch.zeros_like(noise)"), constant_targets.probe)
    assert facts["constant_target"] == 0


@pytest.mark.parametrize(
    "change", [NOISE.replace("TARGET", "noise"), RESIDUAL, ""], ids=["noise", "residual", "classes"]
)
def test_other_targets(probed, change):
    assert "constant_target" not in probed(change, constant_targets.probe)
