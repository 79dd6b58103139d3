"""Steps that set the mode, advance a schedule that ends, score all pairs, or leave out a label of their own."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.bench import Bench, Clock  # noqa: E402
from nndoctor.sanity.optimizers import rate  # noqa: E402
from nndoctor.sanity.probes import data, dependence, labels, rates, schedule  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.state import Snapshot  # noqa: E402

OPT = "optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)\n"
STEP = """
def train_step(model, batch, optimizer):
    model.train(); optimizer.zero_grad()
    l = loss(model(batch[0]), batch[1]); l.backward(); optimizer.step()
    return l
"""
PAIRS = """
class Towers(nn.Module):
    def __init__(self): super().__init__(); self.a = nn.Linear(8, 4); self.b = nn.Linear(8, 4)
    def forward(self, a, b): return SCORES
model = Towers()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
def step(model, batch):
    s = model(batch[0], batch[0].flip(1)); return nn.functional.cross_entropy(s, torch.arange(len(s)))
"""
TAGS = """
x = torch.randint(1, 30, (200, 6)); y = x % 3; y[:, 4:] = MARK
train_data = DataLoader(TensorDataset(x, y), batch_size=20)
model = nn.Sequential(nn.Embedding(30, 8), nn.Linear(8, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
def step(model, batch): return nn.functional.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten(), ignore_index=-1)
"""
SHIFTED = """
y = torch.randint(0, 7, (200, 7)); train_data = DataLoader(TensorDataset(y[:, :-1].clone(), y), batch_size=20)
model = nn.Sequential(nn.Embedding(7, 8), nn.Linear(8, 7)); optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
def step(model, batch): return nn.functional.cross_entropy(model(batch[0]).flatten(0, 1), batch[1][:, 1:].flatten())
"""
SCHEDULE = """
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=LENGTH)
own = optimizer
def train_step(model, batch, optimizer):
    optimizer = own
    optimizer.zero_grad(); l = loss(model(batch[0]), batch[1]); l.backward(); optimizer.step(); scheduler.step()
    return l
"""


def bench_of(path: str) -> Bench:
    """A bench on a model file, its batches read."""
    subject = from_file(path)
    return Bench(subject, Clock(20.0), 1, Snapshot(subject.model), batches=list(subject.batches()))


def test_normalization_in_a_step_that_calls_train_is_no_leak(probed):
    normal = "model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3))\n" + OPT
    assert probed(normal + STEP, dependence.leak)["leak_change"] < 1e-6


@pytest.mark.parametrize(
    ("scores", "mixes"),
    [("self.a(a) @ self.b(b).T", False), ("(self.a(a) * self.b(b).mean(0)) @ torch.ones(4, 20)", True)],
    ids=["all pairs", "a mean over the batch"],
)
def test_similarities_of_all_pairs_are_no_leak(probed, scores, mixes):
    facts = probed(PAIRS.replace("SCORES", scores), dependence.leak)
    assert (facts.get("leak_change", 0.0) > 1e-3) == mixes


def test_as_many_classes_as_places_are_counted_where_the_loss_is_taken(written):
    """The last dimension of the outputs is as long as the batch's targets."""
    subject = from_file(written(SHIFTED))
    bench = Bench(subject, Clock(20.0), 1, Snapshot(subject.model), batches=list(subject.batches()))
    bench.sample = bench.data = bench.batch
    data.probe(bench)
    assert bench.facts["target_high"] == 6
    assert not labels.outside(bench)
    assert bench.facts["output_classes"] == 7


@pytest.mark.parametrize(("mark", "outside"), [(-1, False), (-2, True)], ids=["ignored", "another"])
def test_a_label_that_the_step_ignores_is_not_out_of_range(written, mark, outside):
    subject = from_file(written(TAGS.replace("MARK", "-1")))
    with torch.no_grad():
        subject.train = [(v, torch.where(t == -1, torch.tensor(mark), t)) for v, t in subject.batches()]
    bench = Bench(subject, Clock(20.0), 1, Snapshot(subject.model), batches=list(subject.batches()))
    bench.ignored = -1
    assert labels.outside(bench) == outside


def test_the_lowest_label_is_taken_without_the_ignored_one(probed):
    assert probed(TAGS.replace("MARK", "-1"), data.probe)["target_low"] == 0


def test_a_schedule_may_be_shorter_than_the_check_up(written):
    bench = bench_of(written(SCHEDULE.replace("LENGTH", "15")))
    bench.schedules.endless(10)
    bench.fresh_start()
    assert bench.trained(40)


def test_a_schedule_that_ends_within_an_epoch_is_the_users_error(written):
    bench = bench_of(written(SCHEDULE.replace("LENGTH", "8")))
    bench.schedules.endless(10)
    bench.fresh_start()
    assert not bench.trained(10)


def test_each_trial_begins_with_the_schedule_as_it_was(written):
    bench = bench_of(written(SCHEDULE.replace("LENGTH", "50")))
    ends = []
    for _ in range(2):
        bench.fresh_start()
        bench.trained(20)
        ends.append([float(p.detach().sum()) for p in bench.model.parameters()])
    assert ends[0] == ends[1]


def test_the_rate_of_one_cycle_is_its_highest(written):
    assert rate(from_file(written(SCHEDULE.replace("LENGTH", "50"))).optimizer) == 0.01


def test_a_data_module_may_have_any_name(written):
    pytest.importorskip("lightning", reason="the file uses Lightning")
    module = (
        "import lightning as L\n"
        "class Data(L.LightningDataModule):\n    def train_dataloader(self): return DataLoader(TensorDataset(x, y), 16)\n"
        "del train_data, validation_data\ndm = Data()\n"
    )
    assert [len(batch[0]) for batch in from_file(written(module)).train][:2] == [16, 16]


class Rates:
    """What Lightning keeps of a schedule."""

    def __init__(self, optimizer, factor: float, interval: str) -> None:
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, factor)
        self.interval, self.frequency, self.reduce_on_plateau = interval, 1, False


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize(
    ("factor", "interval", "vanishes"), [(0.1, "step", 3), (0.1, "epoch", None), (0.99, "step", None)]
)
def test_a_schedule_that_lightning_advances_with_each_batch(written, factor, interval, vanishes):
    """Ten batches make an epoch."""
    bench = bench_of(written())
    assert bench.subject.train.number == 10
    bench.model._trainer = type(
        "Trainer", (), {"lr_scheduler_configs": [Rates(bench.subject.optimizer, factor, interval)]}
    )
    schedule.probe(bench)
    assert bench.facts.get("rate_vanishes_after") == vanishes


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize(("warm_up", "stays"), [("step // 1000", True), ("min(1.0, step / 1000)", False)])
def test_a_schedule_that_stays_at_zero(written, warm_up, stays):
    """A division of whole numbers, against a warm-up that begins at zero."""
    subject = from_file(written(f"warm = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: {warm_up})"))
    bench = Bench(subject, Clock(20.0), 1, Snapshot(subject.model), batches=list(subject.batches()))
    bench.fresh_start()
    schedule.probe(bench)
    assert ("rate_zero_for" in bench.facts) is stays
    assert subject.optimizer.param_groups[0]["lr"] == 0


class LearningRateSchedule:
    """As Keras has it."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        return 0.01 * self.factor**step


@pytest.mark.parametrize(("factor", "vanishes"), [(0.1, 3), (0.99, None)])
def test_a_schedule_of_keras_counts_batches(written, factor, vanishes):
    bench = bench_of(written())
    bench.model.optimizer = type("Optimizer", (), {"_learning_rate": LearningRateSchedule(factor)})
    schedule.probe(bench)
    assert bench.facts.get("rate_vanishes_after") == vanishes


@pytest.mark.parametrize(
    ("scores", "fits"),
    [("z.log_softmax(1)[chosen]", True), ("(z.softmax(1) + 1e-9).log()", True), ("z[chosen]", False)],
    ids=["chosen rows", "by hand", "raw scores"],
)
def test_log_probabilities_are_known_by_their_sum(examined, scores, fits):
    step = (
        "chosen = torch.arange(20) < 20\n"
        f"def step(model, batch): z = model(batch[0]); return nn.functional.nll_loss({scores}, batch[1])\n"
    )
    assert ("output-unfit-for-loss" not in {f.name for f in examined(step, budget=1.0).findings}) == fits


TWO_LOSSES = """
first, second = (torch.optim.Adam(model[k].parameters(), lr=RATE) for k in (0, 2))
optimizer = first
def train_step(model, batch, optimizer):
    for one, loss_of in ((first, lambda: model(batch[0]).square().mean()), (second, lambda: loss(model(batch[0]), batch[1]))):
        one.zero_grad(); loss_of().backward(); one.step()
"""


@pytest.mark.parametrize(("rate", "still"), [(1e-8, True), (1e-3, False)], ids=["far too low", "usual"])
def test_steps_of_several_losses_that_hardly_move_are_named(examined, rate, still):
    found = {f.name for f in examined(TWO_LOSSES.replace("RATE", str(rate)), budget=1.0).findings}
    assert ("frozen-parameters" in found) == still


LARGE = """
for p in model.parameters(): p.data.mul_(SCALE)
loss = nn.L1Loss()
train_data = DataLoader(TensorDataset(x, x[:, :3]), batch_size=20)
"""


@pytest.mark.parametrize(("scale", "far"), [(60, True), (1, False)], ids=["sixtyfold", "as drawn"])
def test_weights_that_are_far_too_large_leave_the_loss_above_that_of_a_constant(probed, monkeypatch, scale, far):
    monkeypatch.setattr(rates, "STEPS", 12)
    facts = probed(LARGE.replace("SCALE", str(scale)), rates.probe)
    assert (facts["trial_ends"] > 2 * facts["constant_loss"]) == far
