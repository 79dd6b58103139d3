"""Rates that are far too low, schedules against the length of a training, epochs without a step, and dropout without a layer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.experiment.plan import Plan  # noqa: E402
from nndoctor.sanity.bench import Bench, Clock  # noqa: E402
from nndoctor.sanity.optimizers import rate  # noqa: E402
from nndoctor.sanity.probes import objective, own_step, parameters, rates, schedule, structure, tiny  # noqa: E402
from nndoctor.sanity.rate_sides import Trial, verdict  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.state import Snapshot  # noqa: E402
from nndoctor.sanity.trials.verify import RESOLUTION, cures  # noqa: E402

LOOP = """
def train():
    for k, (inputs, labels) in enumerate(train_data):
        value = loss(model(inputs), labels); value.backward()
        if (k + 1) % EVERY == 0: optimizer.step(); optimizer.zero_grad()
"""
DECAY = """
train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=4)
decay = torch.optim.lr_scheduler.KIND
def train_step(model, batch, optimizer):
    optimizer.zero_grad(); l = loss(model(batch[0]), batch[1]); l.backward(); optimizer.step(); decay.step()
    return l
"""
PICKED = """
del loss
def step(model, batch): return SIGN model(batch[0]).log_softmax(1)[torch.arange(len(batch[1])), batch[1]].mean()
"""
DROPPED = """
class Dropped(nn.Module):
    def __init__(self): super().__init__(); self.a, self.b = nn.Linear(8, 32), nn.Linear(32, 3)
    def forward(self, v): return self.b(nn.functional.dropout(self.a(v).relu(), SHARE, self.training))
model = Dropped(); optimizer = torch.optim.Adam(model.parameters())
"""
OF_THE_FILE = """
net, opt = model, torch.optim.SGD(model.parameters(), lr=0.1); pool, answers = x, y
del model, optimizer, train_data, validation_data, x, y
def learn(k):
    opt.zero_grad(); loss(net(pool[k:k + 20]), answers[k:k + 20]).backward(); opt.step()
for k in range(0, 200, 20): learn(k)
"""


@pytest.mark.parametrize(
    ("best", "factors", "nothing", "further"),
    [
        (10.0, (0.1, 1.0, 10.0), False, 100.0),
        (0.1, (0.1, 1.0, 10.0), False, 0.01),
        (1.0, (0.1, 1.0, 10.0), False, None),
        (10.0, (0.1, 1.0, 10.0), True, 1e4),
        (10.0, (0.1, 1.0, 10.0, 1e4), True, 100.0),
    ],
)
def test_the_next_rate_that_is_tried(best, factors, nothing, further):
    """Far beyond the end where nothing is gained, and then those between."""
    found = rates._further(best, list(factors), nothing=nothing)
    assert found == (None if further is None else pytest.approx(further))


def test_a_usual_rate_is_too_low_where_one_far_above_it_gains_nearly_all(bench):
    bench.facts["optimizer"] = "SGD"
    bench.subject.optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    trials = [Trial(f, 1.0, 1.0 - gain) for f, gain in ((0.1, 0.0), (1.0, 0.04), (10.0, 0.2), (100.0, 0.7))]
    assert verdict(bench, 0.5, [trials], 0.0, few=False) == ("below", 1)
    trials[-1] = Trial(100.0, 1.0, 0.6)
    assert verdict(bench, 0.5, [trials], 0.0, few=False) == ("inside", 1)


@pytest.fixture
def bench(written):
    """A bench on the sound file."""
    subject = from_file(written())
    return Bench(subject, Clock(20.0), 1, Snapshot(subject.model), batches=list(subject.batches()))


@pytest.mark.parametrize(("ratio", "factors"), [(1e-6, [1e3, 10.0]), (2e-4, [10.0]), (RESOLUTION / 2, [])])
def test_a_step_that_is_too_small_is_tried_with_a_usual_one(bench, ratio, factors):
    """Not where weights cannot hold it: then no trial is needed."""
    finding = SimpleNamespace(name="update-ratio-off", evidence={"update_ratio": ratio, "healthy": 1e-3})
    assert [remedy.factor for remedy in cures(bench, finding)] == pytest.approx(factors)


@pytest.mark.parametrize(("peak", "noted"), [(1e-5, True), (2e-3, False)])
def test_a_warm_up_that_outlasts_the_planned_training(bench, peak, noted):
    bench.subject.plan = Plan(rates=tuple(peak * k / 50 for k in range(50)))
    schedule.probe(bench)
    assert bench.facts.get("planned_steps") == (50 if noted else None)
    assert rate(bench.subject.optimizer) == 3e-3


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("ExponentialLR(optimizer, 0.96)", 113),
        ("ExponentialLR(optimizer, 0.98)", None),
        ("CosineAnnealingLR(optimizer, 120)", None),
    ],
)
def test_a_decay_that_knows_no_end_is_followed_for_a_few_epochs(probed, kind, after):
    """Fifty batches make an epoch."""
    facts = probed(DECAY.replace("KIND", kind), parameters.probe, own_step.probe)
    assert facts.get("rate_vanishes_after") == after


@pytest.mark.parametrize(("every", "idle"), [(4, None), (11, 10)])
def test_an_epoch_without_a_step(probed, examined, every, idle):
    change = LOOP.replace("EVERY", str(every))
    assert probed(change).get("idle_epoch") == idle
    if idle:
        found = {f.name: f.message for f in examined(change, budget=3.0).findings}
        assert "in an epoch of 10 batches the optimizer takes no step" in found["frozen-parameters"]


@pytest.mark.parametrize(("sign", "lowered"), [("", True), ("-", None)])
def test_a_loss_that_lowers_the_probabilities_that_it_picks(probed, sign, lowered):
    assert probed(PICKED.replace("SIGN", sign), objective.probe).get("labels_made_unlikely") is lowered


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_dropout_without_a_layer_is_known_and_can_be_left_out(probed, examined, share):
    change = DROPPED.replace("SHARE", str(share))
    assert probed(change, structure.probe)["dropout_rates"] == (share,)
    if share > 0.5:
        found = {f.name: f.message for f in examined(change, budget=10.0).findings}
        assert "with no dropout" in found["regularization-excessive"]


def test_the_rate_of_an_optimizer_that_a_function_of_the_script_uses(written):
    """The one at hand stands for it there as well."""
    subject = from_file(written(OF_THE_FILE))
    before = [p.detach().clone() for p in subject.model.parameters()]
    still = torch.optim.SGD(subject.model.parameters(), lr=0.0)
    subject.train_step(subject.model, (), still)
    assert all(torch.equal(p, was) for p, was in zip(subject.model.parameters(), before, strict=True))


def test_inputs_that_hardly_differ_are_told(probed):
    facts = probed("train_data = DataLoader(TensorDataset(x / 1000 - 2, y), batch_size=20)", parameters.first_layer)
    assert facts["first_layer_spread"] < 0.01 * facts["first_layer_rms"]


def test_a_tiny_subset_is_tried_at_the_likely_rates_first(bench):
    plan, enough = tiny._others(bench, bench.batch)
    assert [factor for _, factor, _ in plan[:enough]] == [1.0, 10.0, 10.0, 0.1, 0.1, *tiny.ADAMS]
    assert {factor for _, factor, adam in plan if not adam} == {1.0, *tiny.FACTORS}


@pytest.mark.parametrize(("between", "pairs"), [("nn.Dropout(0.3)", ("0 -> 2",)), ("nn.ReLU()", ())])
def test_linear_layers_with_nothing_but_dropout_between_them(probed, between, pairs):
    """Which on a CPU is a product in the graph."""
    change = f"model = nn.Sequential(nn.Linear(8, 32), {between}, nn.Linear(32, 3)); optimizer = torch.optim.Adam(model.parameters())"
    assert probed(change, structure.probe)["linear_pairs"] == pairs


TWO_OPTIMIZERS = """
train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=2)
maker, judge = nn.Linear(8, 8), nn.Linear(8, 3); del model, optimizer
first, second = torch.optim.Adam(maker.parameters(), 1e-3), torch.optim.Adam(judge.parameters(), 1e-3)
decay = torch.optim.lr_scheduler.StepLR(first, STEP, 0.1)
def train_step(batch):
    first.zero_grad(); maker(batch[0]).square().mean().backward(); first.step()
    second.zero_grad(); loss(judge(maker(batch[0]).detach()), batch[1]).backward(); second.step()
    decay.step()
"""


def test_a_schedule_of_several_has_no_first_rate(probed):
    """As a warm-up before a slow decay."""
    schedules = "torch.optim.lr_scheduler.SequentialLR(optimizer, [torch.optim.lr_scheduler.LinearLR(optimizer), torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.999)], [5])"
    assert "rate_vanishes_after" not in probed(
        DECAY.replace("torch.optim.lr_scheduler.KIND", schedules), own_step.probe
    )


@pytest.mark.parametrize(("step", "noted"), [(5, True), (5000, False)])
def test_a_schedule_of_one_of_several_optimizers_that_each_batch_advances(probed, step, noted):
    found = probed(TWO_OPTIMIZERS.replace("STEP", str(step)), own_step.probe)
    assert ("rate_vanishes_after" in found) is noted
