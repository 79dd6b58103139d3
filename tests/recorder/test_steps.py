"""Every number stands in the row of its own optimizer step, whatever wraps or joins the optimizers."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint_sequential

import nndoctor
from nndoctor import Recorder
from tests.recorder.nets import mlp, seed, seen, some_loss, table


def column(folder, name):
    """One column as numbers."""
    return [float(row[name]) for row in table(folder)]


def facts(folder):
    """The facts of a run folder."""
    return json.loads((folder / "run.json").read_text())


@pytest.mark.parametrize("every", ["auto", 1, 3])
@pytest.mark.parametrize("set_to_none", [True, False])
def test_a_loss_reported_after_each_pass_stands_in_its_own_step(every, set_to_none, tmp_path):
    """rec.step at the end of every micro-batch, after the update where there is one: nothing is shifted or lost."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=every) as rec:
        for k in range(20):
            loss = some_loss(model)
            (loss / 4).backward()
            if k % 4 == 3:
                optimizer.step()
                optimizer.zero_grad(set_to_none=set_to_none)
            rec.step(loss=float(k))
    assert column(tmp_path, "loss") == [1.5, 5.5, 9.5, 13.5, 17.5]
    steps = list(seen(tmp_path, "0", "mean"))
    assert (
        steps[:2] == {"auto": [0, 1], 1: [0, 1], 3: [0, 3]}[every]
    )  # of "auto" later ones depend on what a step takes


def test_a_loss_reported_before_its_backward_pass_stands_in_its_own_step(tmp_path):
    """rec.step before the update of each step."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for k in range(5):
            loss = some_loss(model)
            rec.step(loss=float(k))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert column(tmp_path, "loss") == [0, 1, 2, 3, 4]
    assert list(seen(tmp_path, "0", "mean")) == [0, 1, 2, 3, 4]


def test_the_learning_rate_is_the_one_that_the_step_used(tmp_path):
    """Not the one that a scheduler has set for the next step by the time that the loop calls rec.step."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    with Recorder(model, optimizer, tmp_path) as rec:
        for _ in range(4):
            loss = some_loss(model)
            loss.backward()
            optimizer.step()
            schedule.step()
            rec.step(loss=loss)
    assert column(tmp_path, "lr") == [1.0, 0.5, 0.25, 0.125]


def test_numbers_logged_before_the_row_stand_in_it(tmp_path):
    """rec.log between the update and rec.step."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path) as rec:
        for k in range(3):
            some_loss(model).backward()
            optimizer.step()
            rec.log(val_loss=k / 2)
            rec.step(loss=1.0)
    assert column(tmp_path, "step") == [0, 1, 2]
    assert column(tmp_path, "val_loss") == [0, 0.5, 1]


class Wrapper:
    """As DeepSpeed's: no torch optimizer, with the real one within."""

    def __init__(self, inner):
        self.optimizer = inner

    @property
    def param_groups(self):  # noqa: D102
        return self.optimizer.param_groups

    def step(self):  # noqa: D102
        self.optimizer.step()


class Prepared(torch.optim.Optimizer):
    """As Accelerate's: a torch optimizer that was never initialized as one."""

    def __init__(self, inner):
        self.optimizer, self.scaler = inner, None

    param_groups = property(lambda self: self.optimizer.param_groups)

    def step(self, closure=None):  # noqa: D102
        self.optimizer.step(closure)


@pytest.mark.parametrize("wrap", [Wrapper, Prepared, lambda inner: Wrapper(Prepared(inner))])
def test_a_wrapped_optimizer_is_followed(wrap, tmp_path):
    """The updates of the optimizer within are recorded."""
    model = mlp()
    optimizer = wrap(torch.optim.Adam(model.parameters(), lr=0.01))
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(4):
            loss = some_loss(model)
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert (facts(tmp_path)["optimizer"], len(table(tmp_path))) == ("Adam", 4)
    assert len(seen(tmp_path, "0", "update_ratio")) == 4


def test_two_optimizers_are_one_step(tmp_path):
    """A GAN's update of both sides is a row with both rates; each layer's gradient is that of its own loss."""
    seed()
    model = nn.ModuleDict({"g": nn.Linear(4, 12), "d": mlp(classes=1)})
    both = [torch.optim.Adam(model["g"].parameters(), lr=0.01), torch.optim.SGD(model["d"].parameters(), lr=0.02)]
    norms = []
    with Recorder(model, both, tmp_path, every=1) as rec:
        for _ in range(4):
            fake = model["g"](torch.randn(8, 4))
            loss = model["d"](fake.detach()).mean() - model["d"](torch.randn(8, 12)).mean()
            model.zero_grad()
            loss.backward()
            norms.append(float(torch.stack([p.grad.norm() for p in model["d"][4].parameters()]).norm()))
            both[1].step()
            (-1000 * model["d"](fake).mean()).backward()
            both[0].step()
            rec.step(loss=loss)
    assert rec.off == "closed"
    assert column(tmp_path, "lr") == pytest.approx([0.01] * 4)
    assert column(tmp_path, "lr_1") == pytest.approx([0.02] * 4)
    assert list(seen(tmp_path, "d.4", "grad_norm").values()) == pytest.approx(norms, rel=1e-4)
    assert min(seen(tmp_path, "g", "grad_norm").values()) > 10
    for layer in ("g", "d.4"):
        assert min(seen(tmp_path, layer, "update_ratio").values()) > 0
    assert facts(tmp_path)["not_in_optimizer"] == []


def stepping_in_backward(model):
    """One optimizer for each parameter, which steps as soon as its gradient is there."""
    optimizers = {p: torch.optim.Adam([p], lr=0.01) for p in model.parameters()}

    def hook(parameter):
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(hook)
    return optimizers


@pytest.mark.parametrize("given", ["all", "one"])
def test_optimizers_that_step_within_the_backward_pass(given, tmp_path):
    """A row for each step; with all of them given every layer's gradient and update is recorded, and none is called frozen."""
    model = mlp()
    optimizers = stepping_in_backward(model)
    first = next(iter(optimizers.values()))
    with Recorder(model, optimizers.values() if given == "all" else first, tmp_path, every=1) as rec:
        for _ in range(12):
            loss = some_loss(model)
            loss.backward()
            rec.step(loss=loss)
    assert (rec.off, len(table(tmp_path))) == ("closed", 12)
    if given == "all":
        for layer in ("0", "2", "4"):
            assert len(seen(tmp_path, layer, "grad_norm")) == 12
            assert min(seen(tmp_path, layer, "update_ratio").values()) > 0
    assert "frozen-parameters" not in [finding.name for finding in nndoctor.diagnose(tmp_path).findings]


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointed_activations_are_recorded_once(reentrant, tmp_path):
    """With gradient checkpointing the forward pass counts, its repetition in the backward pass does not."""
    seed()
    model = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3))

    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            return checkpoint_sequential(self.inner, 2, x.requires_grad_(), use_reentrant=reentrant)

    whole = Checkpointed()
    optimizer = torch.optim.SGD(whole.parameters(), lr=0.1)
    with Recorder(whole, optimizer, tmp_path, every=1) as rec:
        for _ in range(3):
            loss = whole(torch.randn(64, 12)).square().mean()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    for layer in ("inner.0", "inner.1", "inner.3", "inner.4"):
        assert list(seen(tmp_path, layer, "mean")) == [0, 1, 2]
    assert not any("#" in layer for layer in facts(tmp_path)["layers"])


def test_a_model_that_runs_compiled_says_that_activations_are_not_seen(tmp_path):
    """The recorder holds the module, the loop calls torch.compile(module): no hook is compiled, gradients are seen."""
    model = mlp()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(4):
            loss = some_loss(compiled)
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    torch._dynamo.reset()
    assert rec.off == "closed"
    assert not seen(tmp_path, "0", "mean")
    assert len(seen(tmp_path, "0", "grad_norm")) == 4
    assert "without torch.compile" in facts(tmp_path)["not_seen"]
