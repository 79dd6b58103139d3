"""What a sampled step may cost, counted in operations: no noise fools it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from nndoctor import Recorder
from nndoctor.recorder.schedule import Schedule
from nndoctor.recorder.statistics import DeadUnits

FREE = {"aten.detach.default", "aten.as_strided.default", "aten.view.default", "aten.alias.default"}  # no kernel runs
HOST = ("_local_scalar_dense", "_to_copy", "item")


class Counts(TorchDispatchMode):
    """Counts operations."""

    def __init__(self):
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.found[str(func)] += 1
        return func(*args, **(kwargs or {}))


class Block(nn.Module):
    """A residual transformer block with functional activations."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(width), nn.MultiheadAttention(width, 2, batch_first=True)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):  # noqa: D102
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.down(functional.relu(self.up(x)))


NETS = {
    "mlp": (nn.Sequential(*[m for _ in range(6) for m in (nn.Linear(16, 16), nn.ReLU())]), (32, 16)),
    "conv": (
        nn.Sequential(
            *[m for _ in range(4) for m in (nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU())],
            nn.Flatten(),
            nn.Linear(192, 4),
        ),
        (8, 3, 8, 8),
    ),
    "transformer": (nn.Sequential(*[Block(16) for _ in range(3)]), (4, 6, 16)),
    "recurrent": (nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8), nn.Sigmoid()), (16, 8)),
}


def counted(model, shape, folder, *, every):
    """Operations of the eleventh step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    rec = Recorder(model, optimizer, folder, every=every) if folder is not None else None
    if rec is not None:
        rec._writer._flushed = float("inf")  # a flush is no operation of torch
    for step in range(11):
        x = torch.randn(shape)
        with Counts() as counts:
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            if rec is not None and step < 10:
                rec.step(loss=0.5)
    if rec is not None:
        assert rec.off == ""
        rec.close()
    return counts.found


@pytest.mark.parametrize("name", NETS)
def test_a_sampled_step_takes_few_operations_and_one_host_copy(name, tmp_path):
    """At most 4 operations for each hooked module and 40 more, views included; at most one copy to the host."""
    model, shape = NETS[name]
    bare = counted(model, shape, None, every=1)
    sampled = counted(model, shape, tmp_path / "run", every=1)
    more = sampled - bare
    hooked = sum(1 for m in model.modules() if type(m) not in (nn.Sequential, Block, nn.Flatten))
    assert more.total() > hooked  # the count counts
    assert more.total() <= 4 * hooked + 40, more
    assert sum(n for op, n in more.items() if any(word in op for word in HOST)) <= 1, more


@pytest.mark.parametrize("name", NETS)
def test_an_idle_step_takes_no_operation(name, tmp_path):
    """A step that is not sampled runs what it ran without."""
    model, shape = NETS[name]
    assert counted(model, shape, tmp_path / "run", every=100) == counted(model, shape, None, every=100)


def sampled_steps(schedule, *, cost, step_time, steps):
    """The steps a schedule samples in a run of equal steps."""
    found, at = [], 0
    while at < steps:
        found.append(at)
        schedule.cost(cost)
        at = schedule.after(at, 0, step_time)
    return found


@pytest.mark.parametrize("cost", [0.2, 1.0, 20.0])
def test_the_budget_holds_in_a_long_run(cost):
    """However dear a sample: what the early ones cost too much is saved later."""
    schedule = Schedule(None, 0.005, 7)
    steps = 500_000
    found = sampled_steps(schedule, cost=cost, step_time=1.0, steps=steps)
    assert len(found) * cost / steps <= 0.0055
    assert found[:3] == [0, 1, 3]


@pytest.mark.parametrize("cost", [0.02, 0.2])
def test_a_short_run_has_forty_samples_where_they_are_cheap(cost):
    """As soon as they cost at most 3 % of the run; they lie all over it."""
    steps = max(320, round(1.2 * 40 * cost / 0.03))
    found = sampled_steps(Schedule(None, 0.004, 7), cost=cost, step_time=1.0, steps=steps)
    assert len(found) >= 40
    assert len(found) * cost / steps <= 0.03
    assert max(b - a for a, b in zip(found, [*found[1:], steps], strict=True)) <= 0.25 * steps


def test_samples_keep_no_rhythm():
    """The distances vary, so that no cycle in the data is always met at the same place."""
    found = sampled_steps(Schedule(None, 0.005, 7), cost=1.0, step_time=1.0, steps=100_000)
    gaps = [b - a for a, b in zip(found[-100:], found[-99:], strict=False)]
    assert len(set(gaps)) > 30
    assert max(Counter(step % 10 for step in found[-300:]).values()) < 60


def test_a_short_run_s_excess_is_bounded():
    """At most a sample for each doubling of the run, and one."""
    for steps in (10, 100, 1000):
        found = sampled_steps(Schedule(None, 0.005, 7), cost=50.0, step_time=1.0, steps=steps)
        assert len(found) <= steps.bit_length() + 3


def test_the_sample_of_a_large_tensor_is_unbiased():
    """Mean and spread over many samples of a tensor with rows, columns and a period come near the true ones."""
    from nndoctor.recorder.window import PLACES, window

    torch.manual_seed(0)
    period = torch.sin(torch.arange(512) * (2 * torch.pi / 8))[:, None, None]
    x = (torch.randn(1, 48, 1) + period + torch.linspace(-1, 1, 256)).contiguous()
    rng = random.Random(3)
    means, squares = [], []
    for _ in range(400):
        seen = window(x.shape, x.stride(), first=True, rng=rng)
        part = x.as_strided(*seen)
        assert part.numel() <= PLACES
        means.append(part.mean())
        squares.append(part.square().mean())
    assert abs(torch.stack(means).mean() - x.mean()) < 0.06 * x.std()
    assert abs(torch.stack(squares).mean() / x.square().mean() - 1) < 0.06


def test_dead_units_need_examples():
    """Before 256 examples no unit is called dead; a unit that fires is alive for as long again."""
    units = DeadUnits(2)
    assert units.add(torch.tensor([0.0, 1.0]).numpy(), 128) != units.seen  # NaN
    assert units.add(torch.tensor([0.0, 0.0]).numpy(), 128) == 0.5
    assert units.add(torch.tensor([0.0, 0.0]).numpy(), 128) == 1.0


def test_pictures_need_fewer_examples():
    """Of a unit that could fire at many places of each example, an eighth of the examples tell; more are better."""
    units = DeadUnits(2)
    assert units.add(torch.tensor([0.0, 0.0]).numpy(), 64, 100) == 1.0
    assert units.add(torch.tensor([1.0, 0.0]).numpy(), 64, 100) == 0.5
    assert units.add(torch.tensor([0.0, 0.0]).numpy(), 192, 100) == 0.5
    assert units.add(torch.tensor([0.0, 0.0]).numpy(), 64, 100) == 1.0
