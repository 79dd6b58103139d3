"""Files that name their parts as scripts do, and steps that use the file's own optimizer."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment.experiment import experiment
from nndoctor.experiment.model_file import ModelFileError

SCRIPT = """
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
x, y = torch.randn(40, 5), torch.randint(3, (40,))
net = nn.Linear(5, 3)
criterion = nn.CrossEntropyLoss()
opt = optim.SGD(net.parameters(), lr=0.1)
train_loader = DataLoader(TensorDataset(x, y), batch_size=8)
val_loader = DataLoader(TensorDataset(x, y), batch_size=20)
"""
STEP = """
def train_step(model, batch):
    opt.zero_grad()
    loss = criterion(model(batch[0]), batch[1])
    loss.backward()
    opt.step()
    return loss
"""


def _experiment(tmp_path, text):
    path = tmp_path / "model.py"
    path.write_text(text)
    return experiment(str(path))


def test_the_usual_names_of_scripts_are_found(tmp_path):
    """`optim` is torch's module here, so that `opt` is the optimizer."""
    found = _experiment(tmp_path, SCRIPT)
    assert isinstance(found.model, torch.nn.Linear)
    assert isinstance(found.loss, torch.nn.CrossEntropyLoss)
    assert isinstance(found.optimizer, torch.optim.SGD)
    assert (len(list(found.train_data)), len(list(found.validation_data))) == (5, 2)
    names = (
        "net as model, criterion as loss, opt as optimizer, train_loader as train_data, val_loader as validation_data"
    )
    assert f"taken by their usual names: {names}" in found.notes


def test_the_names_of_the_contract_come_first(tmp_path):
    """A loss beside a criterion is the loss."""
    assert isinstance(_experiment(tmp_path, f"{SCRIPT}loss = nn.NLLLoss()\n").loss, torch.nn.NLLLoss)


def test_a_step_of_two_arguments_steps_the_optimizer_that_it_is_given(tmp_path):
    """It finds it under the file's own name, which is the file's optimizer again afterwards."""
    found = _experiment(tmp_path, SCRIPT + STEP)
    before = found.model.weight.detach().clone()
    given = torch.optim.SGD(found.model.parameters(), lr=0.0)
    (batch, *_) = found.train_data
    found.train_step(found.model, batch, given)
    assert torch.equal(found.model.weight, before)
    found.train_step(found.model, batch, found.optimizer)
    assert not torch.equal(found.model.weight, before)


@pytest.mark.parametrize("several", ["[one, two]", "(one, two)", "{'a': one, 'b': two}"])
def test_several_optimizers_are_given_to_the_train_step(tmp_path, several):
    """In the form that they have in the file, with the first one replaced by the one that is given."""
    lines = (
        "one, two = (torch.optim.SGD([p], lr=0.1) for p in net.parameters())\n"
        f"optimizer = {several}\nseen = []\ndef train_step(model, batch, optimizer): seen.append(optimizer); return seen\n"
    )
    found = _experiment(tmp_path, SCRIPT.replace("opt =", "_ =") + lines)
    other = torch.optim.SGD(found.model.parameters(), lr=0.0)
    (given,) = found.train_step(found.model, None, other)
    values = list(given.values()) if isinstance(given, dict) else list(given)
    assert values[0] is other
    assert isinstance(values[1], torch.optim.SGD)
    assert values[1] is not found.optimizer


def test_several_optimizers_without_a_train_step_are_refused_in_one_line(tmp_path):
    """With what takes them."""
    lines = "optimizer = [torch.optim.SGD([p], lr=0.1) for p in net.parameters()]\n"
    with pytest.raises(ModelFileError, match=r"optimizer holds 2 optimizers; expected one, or `def train_step"):
        _experiment(tmp_path, SCRIPT + lines)
