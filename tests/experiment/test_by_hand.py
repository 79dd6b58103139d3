"""Loops that change their weights themselves."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment.by_hand import ByHand
from nndoctor.experiment.experiment import experiment

SCRIPT = """
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
x, y = torch.randn(40, 5), torch.randint(3, (40,))
matrix, offset = (0.1 * torch.randn(5, 3)).requires_grad_(), torch.zeros(3, requires_grad=True)
weights = [matrix, offset]
rate = 0.2
def descend(each, rate):
    with torch.no_grad(): each -= rate * each.grad; each.grad.zero_()
for epoch in range(3):
    LOOP
        loss.backward()
        for each in weights: UPDATE
"""
ROWS = "for _ in range(5):\n        rows = torch.randint(40, (8,)); loss = functional.cross_entropy(x[rows] @ matrix + offset, y[rows])"
LOADER = "for a, b in DataLoader(TensorDataset(x, y), batch_size=8):\n        loss = functional.cross_entropy(a @ matrix + offset, b)"
CLEARED = "each.data -= rate * each.grad; each.grad = None"


@pytest.fixture
def loaded(tmp_path):
    """The experiment of a script."""

    def load(loop: str = ROWS, update: str = CLEARED, text: str = SCRIPT):
        path = tmp_path / "model.py"
        path.write_text(text.replace("LOOP", loop).replace("UPDATE", update))
        return experiment(str(path))

    return load


def values(found):
    """The weights of its model, as they are."""
    return [p.detach().clone() for p in found.model.parameters()]


@pytest.mark.parametrize(
    "update", [CLEARED, "descend(each, rate)", "each.data.add_(each.grad, alpha=-rate); each.grad = None"]
)
@pytest.mark.parametrize("loop", [ROWS, LOADER])
def test_an_optimizer_stands_for_the_lines_that_change_the_weights(loaded, loop, update):
    """Its rate is theirs; one batch is one step, which its hooks see with the gradients that were used."""
    found = loaded(loop, update)
    assert isinstance(found.optimizer, ByHand)
    assert found.optimizer.param_groups[0]["lr"] == pytest.approx(0.2)
    seen = []
    found.optimizer.register_step_pre_hook(lambda *_: seen.append([p.grad.clone() for p in found.model.parameters()]))
    before = values(found)
    found.train_step(found.model, next(iter(found.train_data)), found.optimizer)
    [gradients] = seen
    for old, now, gradient in zip(before, values(found), gradients, strict=True):
        assert torch.allclose(now, old - 0.2 * gradient, atol=1e-6)


def test_another_rate_scales_the_change(loaded):
    """As a range test sets it."""
    found = loaded(LOADER)
    batch, before = next(iter(found.train_data)), values(found)
    found.train_step(found.model, batch, found.optimizer)
    changes = [now - old for now, old in zip(values(found), before, strict=True)]
    for weight, old in zip(found.model.parameters(), before, strict=True):
        weight.data.copy_(old)
    found.optimizer.param_groups[0]["lr"] = 0.1
    found.train_step(found.model, batch, found.optimizer)
    for now, old, change in zip(values(found), before, changes, strict=True):
        assert torch.allclose(now - old, change / 2, atol=1e-6)


def test_weights_are_as_they_were_before_the_script_was_followed(loaded):
    """Two passes show what it does to them."""
    found = loaded()
    assert found.model.offset.abs().max() == 0


def test_the_batches_of_weights_without_a_module_are_known(loaded):
    """What stands beside the weights, and the targets."""
    inputs, targets = next(iter(loaded().train_data))
    assert (tuple(inputs.shape), tuple(targets.shape)) == ((8, 5), (8,))


def test_weights_that_the_loop_leaves_out_are_not_in_the_optimizer(loaded):
    """So the model's other parameters are missed."""
    found = loaded(
        update="rate = 0.2\n        matrix.data -= rate * matrix.grad; matrix.grad = None; offset.grad = None"
    )
    assert [p.shape for p in found.optimizer.weights] == [(5, 3)]


def test_lines_that_change_nothing_are_a_step_that_moves_nothing(loaded):
    """An assignment to the variable of the loop makes another tensor."""
    found = loaded(update="each = each - rate * each.grad")
    before = values(found)
    found.train_step(found.model, next(iter(found.train_data)), found.optimizer)
    assert all(map(torch.equal, before, values(found)))


def test_a_loop_without_gradients_of_its_own_trains_nothing(loaded):
    """As one that only sums up how large they are."""
    found = loaded(
        text=SCRIPT + "\nmodel = torch.nn.Linear(5, 3)\nloss = functional.cross_entropy\ntrain_data = (x, y)",
        update="pass",
    )
    assert not isinstance(found.optimizer, ByHand)


def test_weights_without_outputs_are_trained_by_the_loop(loaded):
    """A loss beside it has nothing to take outputs of."""
    found = loaded(
        LOADER, text=SCRIPT.replace("rate = 0.2\ndef", "rate = 0.2\nloss_fn = functional.cross_entropy\ndef")
    )
    assert found.loss is not None
    assert found.train_step is found.loop
