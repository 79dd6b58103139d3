"""A training with a recorder is bit for bit the one without, and nothing stays behind."""

from __future__ import annotations

import copy
import inspect

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

from nndoctor import Recorder
from tests.recorder.nets import hooks, mlp, seed, states, train

OPTIMIZERS = sorted(
    name
    for name, kind in vars(torch.optim).items()
    if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer
)


class Words(nn.Module):
    """A sparse embedding and a head."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(30, 6, sparse=True)

    def forward(self, x):  # noqa: D102
        return self.table(x).sum(1)


SLOW = ("LBFGS", "Muon")
"""Whose steps take many passes: 30 of them tell as much."""


def trained(name, folder):
    """The weights and random states after 100 steps of an optimizer, with a recorder where a folder is given."""
    seed()
    model = Words() if name == "SparseAdam" else mlp()
    kept = [p for p in model.parameters() if p.ndim == 2 or name != "Muon"]
    settings = {"lr": 0.01} | ({"max_iter": 3} if name == "LBFGS" else {})
    optimizer = getattr(torch.optim, name)(kept, **settings)
    rec = Recorder(model, optimizer, folder, every=3) if folder else None
    for _ in range(30 if name in SLOW else 100):
        x = torch.randint(30, (8, 4)) if name == "SparseAdam" else torch.randn(8, 12)
        y = torch.randint(3, (8,))

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x), y)
            loss.backward()
            return loss

        if name == "LBFGS":
            loss = optimizer.step(closure)
        else:
            loss = closure()
            optimizer.step()
        if rec is not None:
            rec.step(loss=loss)
    if rec is not None:
        assert rec.off == ""
        rec.close()
    return [p.detach().clone() for p in model.parameters()], states()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_and_random_states_are_the_same_after_100_steps(name, tmp_path):
    """Every optimizer of torch.optim ends at the same bits, and so do the random states of torch, numpy and Python."""
    bare, bare_states = trained(name, None)
    recorded, recorded_states = trained(name, tmp_path / "run")
    assert all(torch.equal(a, b) for a, b in zip(bare, recorded, strict=True))
    assert bare_states == recorded_states


def test_buffers_and_dropout_are_the_same(tmp_path):
    """Running statistics and dropout masks are untouched, too."""
    found = []
    for folder in (None, tmp_path / "run"):
        seed()
        model = nn.Sequential(nn.Linear(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), folder, every=2)
        found.append(model.state_dict())
    assert all(torch.equal(found[0][k], found[1][k]) for k in found[0])


def test_hooks_are_gone_after_close(tmp_path):
    """A closed recorder leaves no hook."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rec = train(model, optimizer, tmp_path / "run", steps=7, every=2)
    assert rec.off == "closed"
    assert hooks(model, optimizer) == 0


@pytest.mark.parametrize("step", [0, 1, 4])
@pytest.mark.parametrize("where", ["forward", "between", "update"])
def test_hooks_are_gone_after_an_exception(step, where, tmp_path):
    """An exception of the loop passes through, and leaves no hook and no mode behind."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrong = {"forward": 13, "between": 12, "update": 12}[where]
    with pytest.raises((RuntimeError, TypeError)), Recorder(model, optimizer, tmp_path / "run", every=4) as rec:  # noqa: PT012
        for k in range(step + 1):
            loss = model(torch.randn(4, wrong if k == step else 12)).sum()
            if k == step and where == "between":
                raise RuntimeError("of the user's")
            loss.backward()
            if k == step and where == "update":
                model[0].weight.grad = None
                optimizer.param_groups[0]["lr"] = torch.ones(2)
            optimizer.step()
            rec.step(loss=loss)
    assert hooks(model, optimizer) == 0
    assert torch._C._len_torch_function_stack() == 0


def test_hooks_of_others_stay_and_see_what_they_saw(tmp_path):
    """Hooks that other libraries set are called as often, and stay."""
    model = mlp()
    calls = []
    model[0].register_forward_hook(lambda *_: calls.append("forward"))
    model[0].weight.register_hook(lambda g: calls.append("gradient") or 2 * g)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *_: calls.append("step"))
    before = hooks(model, optimizer)
    train(model, optimizer, tmp_path / "run", steps=5, every=1)
    assert hooks(model, optimizer) == before
    assert [calls.count(k) for k in ("forward", "gradient", "step")] == [5, 5, 5]


def test_a_hook_that_changes_the_output_keeps_its_effect(tmp_path):
    """A forward hook of another library that replaces outputs is obeyed as without the recorder."""
    found = []
    for folder in (None, tmp_path / "run"):
        seed()
        model = mlp()
        model[1].register_forward_hook(lambda _m, _a, out: out * 0.5)
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), folder, steps=20, every=1)
        found.append(copy.deepcopy(model[0].weight))
    assert torch.equal(*found)


def test_evaluation_between_steps_is_not_recorded(tmp_path):
    """A pass in evaluation mode before the training's does not stand for it."""
    from tests.recorder.nets import seen

    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with Recorder(model, optimizer, tmp_path / "run", every=1) as rec:
        for _ in range(3):
            with torch.no_grad():
                model(torch.full((8, 4), 1e6))
            model.eval()
            model(torch.full((8, 4), 1e6))
            model.train()
            loss = model(torch.randn(8, 4)).square().mean()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert max(abs(v) for v in seen(tmp_path / "run", "0", "mean").values()) < 10
