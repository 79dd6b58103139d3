"""Steps and training loops as scripts write them, run on one batch at a time."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment.experiment import experiment
from nndoctor.experiment.model_file import ModelFileError

PARTS = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
x, y = torch.randn(40, 5), torch.randint(3, (40,))
net = nn.Linear(5, 3)
criterion = nn.CrossEntropyLoss()
adam = torch.optim.Adam(net.parameters(), lr=0.1)
train_loader = DataLoader(TensorDataset(x, y), batch_size=8)
seen = []
def learn(inputs, labels):
    seen.append(len(inputs))
    adam.zero_grad(); loss = criterion(net(inputs), labels); loss.backward(); adam.step()
    return loss
"""
LOADER = "train_loader = DataLoader(TensorDataset(x, y), batch_size=8)\n"
NO_LOADER = PARTS.replace(LOADER, "")
LOOPS = {
    "over a loader": "def train(epoch):\n    for inputs, labels in train_loader: learn(inputs, labels)",
    "over epochs": "def train(epochs=9):\n    for _ in range(epochs):\n        for a, b in enumerate(train_loader): learn(*b)",
    "with arguments": "def fit(model, loader, optimizer, criterion, device):\n    for batch in loader: learn(*batch)",
    "over a dict of loaders": "every = {'train': train_loader}\ndef main():\n    for p in every:\n        for b in every[p]: learn(*b)",
    "in the script": "if __name__ == '__main__':\n    count = 0\n    for inputs, labels in train_loader:\n        loss = learn(inputs, labels)\n        loss.backward; count += 1",
}


@pytest.fixture
def loaded(tmp_path):
    """The experiment of a script with some more lines."""

    def load(lines: str, head: str = PARTS):
        path = tmp_path / "model.py"
        path.write_text(head + lines + "\n")
        return experiment(str(path))

    return load


def names_of(found):
    """The variables of the file."""
    return found.loop.variables


@pytest.mark.parametrize("kind", LOOPS)
def test_a_training_loop_is_run_on_one_batch(loaded, kind):
    """With the model and the optimizer that it is given; what it prints is dropped."""
    found = loaded(LOOPS[kind])
    batch = torch.randn(6, 5), torch.randint(3, (6,))
    before = found.model.weight.detach().clone()
    assert found.loop(found.model, batch, torch.optim.SGD(found.model.parameters(), lr=0.0)).item() > 0
    assert names_of(found)["seen"] == [6]
    assert torch.equal(found.model.weight, before)
    found.loop(found.model, batch, found.optimizer)
    assert not torch.equal(found.model.weight, before)


def test_the_variables_of_a_script_are_as_before(loaded):
    """Those that its block assigns to."""
    found = loaded("count = 7\n" + LOOPS["in the script"])
    found.loop(found.model, (torch.randn(6, 5), torch.randint(3, (6,))), found.optimizer)
    assert names_of(found)["count"] == 7
    assert isinstance(names_of(found)["train_loader"], torch.utils.data.DataLoader)


@pytest.mark.parametrize(
    "lines",
    [
        "def train():\n    opt = torch.optim.SGD(net.parameters(), 0.1)\n    for b in train_loader: learn(*b)",
        "def train(corpus):\n    for b in train_loader: learn(*b)",
        "def train():\n    for b in train_loader: net(b[0])",
        "if __name__ == '__main__':\n    net = nn.Linear(5, 3)\n    for b in train_loader: learn(*b)",
    ],
    ids=["an optimizer of its own", "unknown arguments", "no backward pass", "a second model"],
)
def test_other_loops_are_left_alone(loaded, lines):
    assert loaded(lines).loop is None


def test_a_loop_without_data_ends_at_the_next_backward(loaded):
    """As that of a policy, whose episodes are its data."""
    found = loaded("def main():\n    for _ in range(50): learn(torch.randn(4, 5), torch.randint(3, (4,)))", NO_LOADER)
    (first, *_) = found.train_data
    assert first == ()
    found.loop(found.model, first, found.optimizer)
    assert names_of(found)["seen"] == [4, 4]
    assert found.optimizer.state[found.model.weight]["step"] == 1


def test_a_script_that_ends_the_program_is_refused_in_one_line(loaded):
    found = loaded("def train():\n    raise SystemExit\n    learn(*next(iter(train_loader)))")
    with pytest.raises(Exception, match=r"train\(\) ends the program"):
        found.loop(found.model, (x := torch.randn(2, 5), x), found.optimizer)


@pytest.mark.parametrize(
    ("lines", "batch"),
    [
        ("def train_step(x, y): return learn(x, y)", (torch.zeros(6, 5), torch.zeros(6, dtype=torch.long))),
        ("def train_step(batch): return learn(*batch)", (torch.zeros(6, 5), torch.zeros(6, dtype=torch.long))),
        ("def step(x, y, criterion): return learn(x, y)", (torch.zeros(6, 5), torch.zeros(6, dtype=torch.long))),
        ("def step(x, y): return learn(x, y)", {"x": torch.zeros(6, 5), "y": torch.zeros(6, dtype=torch.long)}),
    ],
)
def test_a_step_is_given_the_parts_of_a_batch(loaded, lines, batch):
    found = loaded(lines)
    before = found.model.bias.detach().clone()
    assert found.train_step(found.model, batch, found.optimizer).item() > 0
    assert not torch.equal(found.model.bias, before)


def test_a_step_of_other_parts_than_a_batch_has_is_refused_in_one_line(loaded):
    found = loaded("def train_step(x, y, z): pass")
    with pytest.raises(Exception, match=r"train_step\(\) takes \(x, y, z\), and a batch has 2 parts"):
        found.train_step(found.model, (torch.zeros(6, 5), torch.zeros(6)), found.optimizer)


def test_a_step_that_is_given_no_data_has_an_epoch_of_nothing(loaded):
    assert next(iter(loaded("def step(): return learn(x, y)", NO_LOADER).train_data)) == ()


def test_the_only_loader_is_the_data_whatever_its_name(loaded):
    assert len(list(loaded("", PARTS.replace("train_loader", "numbers")).train_data)) == 5


def test_batches_that_a_file_draws(loaded):
    """`get_batch` stands for data, and within a step for the batch at hand."""
    lines = """
text = torch.arange(100); train_data = text
def get_batch(split): return (torch.randn(3, 5), torch.randint(3, (3,)))
def step():
    return learn(*get_batch('train'))
"""
    found = loaded(lines, NO_LOADER)
    assert len(next(iter(found.train_data))[0]) == 3
    found.train_step(found.model, (torch.randn(9, 5), torch.randint(3, (9,))), found.optimizer)
    assert found.train_step.variables["seen"] == [9]


def test_data_that_the_script_draws_for_its_step(loaded):
    lines = "def sample(n): return torch.randn(n, 5)\ndef train_step(real): return learn(real, torch.zeros(len(real)).long())\ndef main(): train_step(sample(11))"
    found = loaded(lines, NO_LOADER)
    real = next(iter(found.train_data))
    assert real.shape == (11, 5)


def test_several_models_are_one(loaded):
    """Those of a GAN; the parts of a model are no models of their own."""
    lines = "judge = nn.Sequential(nn.Linear(5, 1))\npart = judge[0]\ndef train_step(batch): return learn(*batch)"
    found = loaded(lines, PARTS.replace("net", "maker"))
    assert [name for name, _ in found.model.named_children()] == ["maker", "judge"]


def test_models_of_one_kind_and_other_layers_are_several(loaded):
    lines = "judge = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 1))\ndef train_step(batch): return learn(*batch)"
    found = loaded(
        lines, PARTS.replace("net = nn.Linear(5, 3)", "maker = nn.Sequential(nn.Linear(5, 3))").replace("net", "maker")
    )
    assert [name for name, _ in found.model.named_children()] == ["maker", "judge"]


def test_a_loader_comes_before_the_list_that_it_reads(loaded):
    found = loaded("train_data = [('a text', 1)] * 40")
    assert isinstance(found.train_data.loader, torch.utils.data.DataLoader)


def test_a_dict_of_arrays_is_data(loaded):
    lines = "x_train, y_train = {'a': x.numpy(), 'b': x.numpy()}, y.numpy()"
    found = loaded(lines, NO_LOADER)
    inputs, labels = next(iter(found.train_data))
    assert inputs["b"].shape == (32, 5)
    assert labels.shape == (32,)


def test_a_file_without_data_is_still_refused_in_one_line(loaded):
    with pytest.raises(ModelFileError, match="has no train_data"):
        loaded("y = None", NO_LOADER)


def test_arrays_called_x_and_y_are_the_data_of_a_file_that_has_no_others(loaded):
    inputs, labels = next(iter(loaded("", NO_LOADER).train_data))
    assert inputs.shape == (32, 5)
    assert labels.shape == (32,)


def test_a_first_stage_with_an_optimizer_of_its_own_is_no_training(loaded):
    """As supervised fine-tuning before that with preferences."""
    lines = """
def first():
    early = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(9): criterion(net(x), y).backward(); early.step()
first()
later = torch.optim.SGD(net.parameters(), lr=0.1)
"""
    head = PARTS.replace("adam = torch.optim.Adam(net.parameters(), lr=0.1)", "")
    assert loaded(lines, head).optimizer is loaded(lines, head).optimizer or loaded(lines, head).optimizer


def test_a_step_without_data_whose_loop_makes_them_is_the_loop(loaded):
    """As that of a Q-network, which samples from a memory that is empty before its first episode."""
    lines = """
memory = []
def train_step(model, batch): return learn(*batch)
def train():
    memory.append((torch.randn(4, 5), torch.randint(3, (4,))))
    while True: train_step(net, memory.pop())
"""
    found = loaded(lines, NO_LOADER)
    with pytest.raises(IndexError):
        found.train_step(found.model, (), found.optimizer)
    assert found.train_step.variables["seen"] == [4]
