"""Frozen layers below trained ones: weights that were trained before, and weights that never were."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import frozen, output_layer  # noqa: E402

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


HEADS = """
class Heads(nn.Module):
    def __init__(self):
        super().__init__(); self.body, self.classes, self.boxes = nn.Linear(8, 32), nn.Linear(32, 3), nn.Linear(32, 4)
    def forward(self, v): h = self.body(v).relu(); return self.classes(h), self.boxes(h)
model = Heads()
def step(model, batch):
    scores, boxes = model(batch[0])
    return nn.functional.cross_entropy(scores, batch[1]) + boxes.square().mean()
optimizer = torch.optim.Adam([*model.body.parameters(), *model.HELD.parameters()], 1e-2)
"""


@pytest.mark.parametrize(("held", "head"), [("classes", "boxes"), ("boxes", "classes")])
def test_one_of_several_heads_that_the_optimizer_lacks(probed, held, head):
    assert probed(HEADS.replace("HELD", held), output_layer.probe)["output_layer_untrained"] == head


def test_a_trained_head_that_the_optimizer_lacks_is_no_fault(probed):
    trained = "\nwith torch.no_grad(): model.boxes.weight.add_(torch.randn(4, 32))"
    assert "output_layer_untrained" not in probed(HEADS.replace("HELD", "classes") + trained, output_layer.probe)


def test_a_quarter_of_the_weights_may_be_the_backbone(probed):
    """As an encoder beside a larger decoder; whether it does harm, a trial shows."""
    change = BACKBONE.replace("nn.Linear(6, 3)", "nn.Linear(6, 300), nn.ReLU(), nn.Linear(300, 3)")
    change = change.replace("model[:-1]", "model[:-3]")
    assert len(probed(change, frozen.probe)["frozen_untrained"]) == 2
