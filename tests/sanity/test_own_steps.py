"""What the check-up says of the user's own step, train_step, or a model that returns its own loss."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.optimizers import fresh  # noqa: E402
from nndoctor.sanity.probes import own_step, runaway  # noqa: E402

PLAIN = "def train_step(model, batch, optimizer):\n    l = loss(model(batch[0]), batch[1])\n"
ACCUMULATED = (
    "calls = [0]\n"
    + PLAIN
    + "    calls[0] += 1; (l / 3).backward()\n    if calls[0] % 3 == 0: optimizer.step(); CLEARED\n    return l"
)
BROKEN = {
    "adds gradients up over accumulated steps": (ACCUMULATED.replace("CLEARED", "pass"), "gradients-not-reset"),
    "never steps": (PLAIN + "    optimizer.zero_grad(); l.backward(); return l", "frozen-parameters"),
    "clears gradients before the step": (
        PLAIN + "    l.backward(); optimizer.zero_grad(); optimizer.step(); return l",
        "frozen-parameters",
    ),
    "clips before it unscales": (
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        + PLAIN
        + "    optimizer.zero_grad(); (l * 65536).backward()\n"
        "    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
        "    for p in model.parameters(): p.grad /= 65536\n"
        "    optimizer.step(); return l",
        "frozen-parameters",
    ),
    "steps uphill": (
        PLAIN + "    optimizer.zero_grad(); l.backward()\n"
        "    for p in model.parameters(): p.grad.neg_()\n"
        "    optimizer.step(); return l",
        "step-raises-loss",
    ),
    "adds gradients up": (PLAIN + "    l.backward(); optimizer.step(); return l", "gradients-not-reset"),
}
SOUND = {
    "accumulates": ACCUMULATED.replace("CLEARED", "optimizer.zero_grad()"),
    "plain": PLAIN + "    optimizer.zero_grad(); l.backward(); optimizer.step(); return l",
    "clips": PLAIN + "    optimizer.zero_grad(); l.backward(); nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
    "    optimizer.step(); return l.item()",
    "returns nothing": PLAIN + "    optimizer.zero_grad(); l.backward(); optimizer.step()",
}
GAN = """
class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 8))
        self.d = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    def forward(self, z): return self.g(z)
model = Gan()
og, od = torch.optim.Adam(model.g.parameters(), 1e-3), torch.optim.Adam(model.d.parameters(), 1e-3)
optimizer = og
bce = nn.functional.binary_cross_entropy_with_logits
def train_step(model, batch, optimizer):
    real = batch[0]; fake = model.g(torch.randn(len(real), 4)); one, zero = torch.ones(len(real), 1), torch.zeros(len(real), 1)
    ld = bce(model.d(real), one) + bce(model.d(fake.detach()), zero); od.zero_grad(); ld.backward(); od.step()
    lg = bce(model.d(fake), one); og.zero_grad(); lg.backward(); og.step()
    return ld + lg
del loss
"""
TWO_PARTS = """
class Parts(nn.Module):
    def __init__(self):
        super().__init__(); self.code = nn.Linear(8, 4); self.back = nn.Linear(4, 8); self.head = nn.Linear(4, 3)
    def forward(self, v): return self.head(self.code(v))
model = Parts()
first = torch.optim.Adam([*model.code.parameters(), *model.back.parameters()], 1e-3)
optimizer = second = torch.optim.Adam(model.head.parameters(), 1e-3)
def train_step(model, batch, optimizer):
    v, t = batch
    first.zero_grad(); nn.functional.mse_loss(model.back(model.code(v)), v).backward(); first.step()
    CLEARED; l = loss(model.head(model.code(v).detach()), t); l.backward(); second.step()
    return l
"""
WRAPPED = """
class Counter:
    ready = True
class Wrapper(torch.optim.Optimizer):  # as Accelerate's: it steps when enough batches were accumulated
    def __init__(self, optimizer): self.optimizer, self.counter = optimizer, counter
    @property
    def param_groups(self): return self.optimizer.param_groups
    @property
    def state(self): return self.optimizer.state
    @state.setter
    def state(self, state): self.optimizer.state = state
    @property
    def defaults(self): return self.optimizer.defaults
    def load_state_dict(self, state): self.optimizer.load_state_dict(state)
    def state_dict(self): return self.optimizer.state_dict()
    def zero_grad(self, set_to_none=True):
        if self.counter.ready: self.optimizer.zero_grad(set_to_none)
    def step(self, closure=None):
        if self.counter.ready: self.optimizer.step()
counter, calls = Counter(), [0]
optimizer = Wrapper(torch.optim.Adam(model.parameters(), 3e-3))
def train_step(model, batch, optimizer):
    calls[0] += 1; counter.ready = calls[0] % 2 == 0
    l = loss(model(batch[0]), batch[1]); (l / 2).backward(); optimizer.step(); optimizer.zero_grad()
    return l
"""
OWN_LOSS = """
class Own(nn.Module):
    def __init__(self):
        super().__init__(); self.net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    def forward(self, x, labels):
        o = self.net(x)
        return {"loss": nn.functional.cross_entropy(o, labels), "logits": o}
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 200
    def __getitem__(self, i): return {"x": x[i], "labels": y[i]}
model = Own(); optimizer = torch.optim.Adam(model.parameters(), 3e-3)
train_data = DataLoader(Rows(), batch_size=20, shuffle=True); validation_data = None
del loss
"""


def bad(report):
    """The names of the errors and warnings."""
    return {f.name for f in report.findings if str(f.severity) != "info"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_train_step_is_named(examined, name):
    """By what it does to weights and loss."""
    change, wanted = BROKEN[name]
    assert wanted in bad(examined(change, budget=6.0))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_train_step_has_no_finding(examined, name):
    """Whatever it returns."""
    assert not bad(examined(SOUND[name], budget=6.0))


def test_a_gan_with_two_optimizers_has_no_finding(examined):
    """Its two losses pull against each other: what needs one loss is not checked, and the report says so."""
    report = examined(GAN, budget=6.0)
    assert not bad(report)
    assert any("several losses or optimizers" in note for note in report.run.notes)


@pytest.mark.parametrize(("cleared", "carried"), [("second.zero_grad()", False), ("pass", True)])
def test_each_optimizer_is_asked_for_its_own_parameters(probed, cleared, carried):
    """Gradients that another optimizer clears later are not carried over."""
    facts = probed(TWO_PARTS.replace("CLEARED", cleared), own_step.probe)
    assert (facts["gradient_carried"] > 0.5) == carried


def test_an_optimizer_that_another_wraps_takes_its_steps(probed):
    """A copy of the wrapper counts the batches that the user's step counts."""
    facts = probed(WRAPPED, own_step.probe)
    assert facts["own_optimizer_steps"] == own_step.CALLS / 2
    assert 0 < facts["own_movement"] < 2 * facts["plain_movement"]


def test_a_model_with_its_own_loss_needs_no_other(examined):
    """As those of transformers."""
    assert not bad(examined(OWN_LOSS, budget=6.0))


def test_labels_out_of_range_of_a_model_with_its_own_loss_are_named(examined):
    """A finding, no traceback."""
    assert "labels-out-of-range" in bad(examined(OWN_LOSS + "y += 1\n", budget=6.0))


def test_a_label_out_of_range_in_a_later_batch_is_named(examined):
    """The first batch alone is fine."""
    change = OWN_LOSS.replace("shuffle=True", "shuffle=False") + "y[25] = 3\n"
    assert "labels-out-of-range" in bad(examined(change, budget=6.0))


def test_the_step_of_the_file_is_judged_and_not_its_loss(examined):
    """A step whose loss is NaN is an error, although the loss alone is sound."""
    change = "def step(model, batch): return loss(model(batch[0]), batch[1]) * float('nan')"
    assert {"nan-loss", "output-unfit-for-loss"} & bad(examined(change, budget=6.0))


def test_one_probe_that_fails_stops_no_other(examined):
    """A model that gives no loss in evaluation mode, as detectors do."""
    change = OWN_LOSS.replace('return {"loss"', 'if not self.training: return [o]\n        return {"loss"')
    report = examined(change, budget=6.0)
    assert not bad(report)
    assert any(note.startswith("not checked: ") for note in report.run.notes)


SCHEDULED = PLAIN + "    optimizer.zero_grad(); l.backward(); optimizer.step(); scheduler.step(); return l\n"
SCHEDULED += "scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, GAMMA)\n"
LONG = "train_data = DataLoader(TensorDataset(x, y), batch_size=2, shuffle=True)\n"


@pytest.mark.parametrize(("gamma", "seen"), [("0.8", True), ("0.99", False)])
def test_a_schedule_of_epochs_that_each_batch_advances_is_seen(probed, gamma, seen):
    """The learning rate is gone within half an epoch."""
    facts = probed(LONG + SCHEDULED.replace("GAMMA", gamma), own_step.probe)
    assert ("rate_vanishes_after" in facts) is seen


def test_a_copy_of_a_scheduled_optimizer_takes_its_own_steps():
    """A scheduler puts a step into its optimizer that is bound to it."""
    model = torch.nn.Linear(2, 1)
    given = torch.optim.SGD(model.parameters(), lr=1.0)
    torch.optim.lr_scheduler.StepLR(given, 5)
    copied = fresh(given, model, factor=0.0)
    before = model.weight.detach().clone()
    model(torch.ones(1, 2)).sum().backward()
    copied.step()
    assert torch.equal(model.weight, before)


CRITIC = """
class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 8))
        self.d = nn.Sequential(nn.Linear(8, 32), nn.Softplus(), nn.Linear(32, 32), nn.Softplus(), nn.Linear(32, 1))
    def forward(self, z): return self.g(z)
model = Pair()
with torch.no_grad(): [p.mul_(4) for p in model.d.parameters()]
og, od = torch.optim.Adam(model.g.parameters(), 1e-3), torch.optim.Adam(model.d.parameters(), 2e-2)
optimizer = og
def train_step(model, batch, optimizer):
    real = batch[0]; fake = model.g(torch.randn(len(real), 4)); between = (real + fake.detach()).div(2).requires_grad_()
    slope = torch.autograd.grad(model.d(between).sum(), between, create_graph=True)[0]
    penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
    ld = model.d(fake.detach()).mean() - model.d(real).mean() SIGN 10 * penalty; od.zero_grad(); ld.backward(); od.step()
    lg = -model.d(fake).mean(); og.zero_grad(); lg.backward(); og.step()
    return lg
del loss
"""


@pytest.mark.parametrize(("sign", "endless"), [("-", True), ("+", False)])
def test_a_critic_whose_penalty_is_rewarded(probed, sign, endless):
    """Its loss falls without end."""
    assert ("own_runaway" in probed(CRITIC.replace("SIGN", sign), runaway.probe)) is endless


def test_a_train_step_whose_loss_is_lost(probed):
    """A logarithm of what becomes negative."""
    change = CRITIC.replace("SIGN", "+").replace("lg = -model.d(fake).mean()", "lg = (model.d(fake).mean() - 9).log()")
    assert probed(change, runaway.probe)["own_not_finite_after"] == 0
