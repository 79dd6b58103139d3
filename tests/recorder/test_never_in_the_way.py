"""Whatever a user does with a model works while it is recorded, at every moment of a step, and disturbs no record."""

from __future__ import annotations

import copy
import io
import pickle
import threading
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn.utils import prune
from torch.optim.swa_utils import AveragedModel

from nndoctor import Recorder
from tests.recorder.nets import hooks, seed, seen, table

ROOT = Path(__file__).resolve().parents[2]
X = torch.linspace(-1, 1, 48).reshape(4, 12)


class Net(nn.Module):
    """A small network with an activation called as a function."""

    def __init__(self):
        super().__init__()
        self.up, self.act, self.mid, self.down = nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, x):  # noqa: D102
        return self.down(torch.relu(self.mid(self.act(self.up(x)))))


def used(model, original):
    """A copy carries no hook and computes what the original does."""
    assert sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()) == 0
    assert not any(bool(m._forward_hooks) or bool(m._forward_pre_hooks) for m in model.modules())
    assert torch.equal(model(X), original(X))
    model(X).sum().backward()


def deep_copy(model, _optimizer):
    used(copy.deepcopy(model), model)


def shallow_copy(model, _optimizer):
    copy.copy(model)(X)


def averaged(model, _optimizer):
    average = AveragedModel(model)
    average.update_parameters(model)
    used(average.module, model)


def saved(model, _optimizer):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    used(torch.load(file, weights_only=False), model)


def pickled(model, _optimizer):
    used(pickle.loads(pickle.dumps(model)), model)  # noqa: S301 - its own pickle


def spawned(model, _optimizer):
    ForkingPickler.dumps(model)


def scripted(model, _optimizer):
    assert torch.equal(torch.jit.script(model)(X), model(X))


def traced(model, _optimizer):
    assert torch.equal(torch.jit.trace(model, X)(X), model(X))


def exported(model, _optimizer):
    assert torch.equal(torch.export.export(model, (X,)).module()(X), model(X))


def symbolic(model, _optimizer):
    assert torch.equal(torch.fx.symbolic_trace(model)(X), model(X))


def functional_gradient(model, _optimizer):
    weights = dict(model.named_parameters())
    torch.func.grad(lambda w: torch.func.functional_call(model, w, (X,)).sum())(weights)


def for_each_example(model, _optimizer):
    torch.func.vmap(model)(X[:, None])


def inference_thread(model, _optimizer):
    failed = []

    def infer():
        try:
            with torch.no_grad():
                model(X + 100)
            model(X + 100)
        except Exception as error:  # noqa: BLE001 - raised again below, in the test's own thread
            failed.append(error)

    thread = threading.Thread(target=infer)
    thread.start()
    thread.join()
    assert not failed


def with_its_optimizer(model, optimizer):
    other, twin = copy.deepcopy((model, optimizer))
    used(other, model)
    twin.step()
    pickle.dumps(optimizer)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def weights_loaded_elsewhere(model, _optimizer):
    Net().load_state_dict(model.state_dict())


def compiled(model, _optimizer):
    assert torch.equal(torch.compile(model, backend="eager")(X), model(X))
    torch._dynamo.reset()


def pruned(model, _optimizer):
    prune.l1_unstructured(copy.deepcopy(model).up, "weight", amount=0.3)


def own_hook(model, _optimizer):
    calls = []
    handle = model.up.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        model(X)
    handle.remove()
    with torch.no_grad():
        model(X)
    assert calls == [1]


ACTIONS = [
    deep_copy, shallow_copy, averaged, saved, pickled, spawned, scripted, traced, exported, symbolic,
    functional_gradient, for_each_example, inference_thread, with_its_optimizer, weights_loaded_elsewhere, compiled, pruned,
    own_hook,
]  # fmt: skip
MOMENTS = ("start", "forward", "backward", "update")


def trained(folder, action, moment, every="auto"):
    """Train four steps, with a recorder where a folder is given, and do something to the model at a moment of each."""
    seed()
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    rec = Recorder(model, optimizer, folder, every=every) if folder else None

    def at(now):
        if now == moment:
            state, gradients = torch.get_rng_state(), [p.grad for p in model.parameters()]
            kept = [None if g is None else g.clone() for g in gradients]
            action(model, optimizer)
            torch.set_rng_state(state)
            for parameter, gradient in zip(model.parameters(), kept, strict=True):
                parameter.grad = gradient

    for _ in range(4):
        at("start")
        optimizer.zero_grad()
        loss = model(torch.randn(64, 12)).square().mean()
        at("forward")
        loss.backward()
        at("backward")
        optimizer.step()
        at("update")
        if rec is not None:
            rec.step(loss=loss)
    if rec is not None:
        assert rec.off == ""
        rec.close()
        assert hooks(model, optimizer) == 0
        assert not any(bool(m._forward_hooks) or bool(m._forward_pre_hooks) for m in model.modules())
    assert torch._C._len_torch_function_stack() == 0
    return [p.detach().clone() for p in model.parameters()]


@pytest.mark.filterwarnings("ignore")  # torch's own, of tracing, scripting and exporting
@pytest.mark.parametrize("every", ["auto", 1])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_a_recorded_model_is_used_as_a_bare_one(action, moment, every, tmp_path, capsys):
    """It works, the training ends at the same weights, and every sampled step is recorded."""
    recorded = trained(tmp_path / "run", action, moment, every)
    bare = trained(None, action, moment)
    assert all(torch.equal(a, b) for a, b in zip(bare, recorded, strict=True))
    assert "recording ended" not in capsys.readouterr().err
    for layer in ("up", "act", "mid", "down"):
        steps = list(seen(tmp_path / "run", layer, "grad_norm" if layer != "act" else "mean"))
        assert steps == [0, 1, 2, 3] if every == 1 else steps[:2] == [0, 1]  # later ones depend on what a step takes
    assert max(abs(v) for v in seen(tmp_path / "run", "up", "mean").values()) < 10  # none of another thread's inputs
    assert len(table(tmp_path / "run")) == 4
