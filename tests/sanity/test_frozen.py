"""Frozen layers below trained ones: weights that were trained before, and weights that never were."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import frozen  # noqa: E402

BACKBONE = """
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 3))
model[:-1].requires_grad_(False)
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
"""
NORMALIZED = BACKBONE.replace("nn.ReLU(), nn.Linear(64, 6)", "nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, 6)")
TRAINED = """
with torch.no_grad():
    for p in model[:-1].parameters(): p.add_(0.1 * torch.randn_like(p))
"""
ADAPTERS = """
class Adapted(nn.Module):
    def __init__(self):
        super().__init__(); self.base = nn.Linear(8, 64); self.down = nn.Linear(64, 4); self.head = nn.Linear(64, 64); self.out = nn.Linear(64, 3)
        self.base.requires_grad_(False); self.head.requires_grad_(False)
    def forward(self, v):
        h = self.base(v).relu(); return self.out(self.head(h + self.down(h).repeat(1, 16)).relu())
model = Adapted(); optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
"""
TEACHER = """
class Student(nn.Module):
    def __init__(self): super().__init__(); self.teacher, self.student = nn.Linear(8, 64), nn.Linear(8, 3); self.teacher.requires_grad_(False)
    def forward(self, v): return self.student(v) + 0 * self.teacher(v).sum()
model = Student(); optimizer = torch.optim.Adam(model.student.parameters(), 1e-2)
"""


@pytest.mark.parametrize("change", [BACKBONE, NORMALIZED], ids=["weights as drawn", "identity as normalization"])
def test_a_frozen_backbone_as_initialized_is_noted(probed, change):
    assert len(probed(change, frozen.probe)["frozen_untrained"]) >= 2


@pytest.mark.parametrize(
    "change",
    [BACKBONE + TRAINED, NORMALIZED + TRAINED, ADAPTERS, TEACHER],
    ids=["trained", "norm", "adapters", "teacher"],
)
def test_other_frozen_layers_are_left_alone(probed, change):
    assert "frozen_untrained" not in probed(change, frozen.probe)


def test_that_training_them_helps_is_measured(examined):
    finding = next(f for f in examined(BACKBONE).findings if f.name == "frozen-parameters")
    assert finding.severity == "warning"
    assert "with weights as initialized" in finding.message
