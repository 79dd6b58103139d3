"""Loops whose steps are in methods or functions that they call, and what those leave behind."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment.experiment import experiment
from nndoctor.experiment.leftovers import forget_graphs

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
x, y = torch.randn(40, 5), torch.randint(3, (40,))
"""
ACCUMULATING = """
class Run:
    def __init__(self):
        self.model = nn.Linear(5, 3)
        self.opt = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.train_dl = DataLoader(TensorDataset(x, y), batch_size=8)
    def optimise(self, loss, last):
        (loss / 2).backward()
        if last: self.opt.step(); self.opt.zero_grad()
    def fit(self):
        for k, batch in enumerate(self.train_dl):
            self.optimise(nn.functional.cross_entropy(self.model(batch[0]), batch[1]), k % 2 == 1)
if __name__ == "__main__": Run().fit()
"""
EPISODES = """
class Policy(nn.Module):
    def __init__(self): super().__init__(); self.layer = nn.Linear(4, 2); self.saved, self.rewards = [], []
    def forward(self, state): return self.layer(state).log_softmax(-1)
model = Policy(); optimizer = torch.optim.SGD(model.parameters(), lr=0.1); lengths = []
def finish():
    lengths.append((len(model.saved), len(model.rewards)))
    loss = -sum(one * reward for one, reward in zip(model.saved, model.rewards))
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    del model.saved[:], model.rewards[:]
def main():
    for episode in range(1, 200):
        for _ in range(6): model.saved.append(model(torch.randn(4))[0]); model.rewards.append(1.0)
        finish()
if __name__ == "__main__": main()
"""
UNGUARDED = """
def run():
    net = nn.Linear(5, 3); loader = DataLoader(TensorDataset(x, y), batch_size=8)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(1000):
        for inputs, labels in loader:
            loss = nn.functional.cross_entropy(net(inputs), labels)
            opt.zero_grad(); loss.backward(); opt.step()
            with open(__file__ + ".steps", "a") as file: file.write(".")
run()
"""
NAMED_BATCH = """
def main():
    net = nn.Linear(5, 3); loader = DataLoader([{"inputs": a, "labels": b} for a, b in zip(x, y)], batch_size=8)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    def update(batch):
        loss = nn.functional.cross_entropy(net(batch["inputs"]), batch["labels"])
        opt.zero_grad(); loss.backward(); opt.step()
    list(map(update, loader))
if __name__ == "__main__": main()
"""


@pytest.fixture
def loaded(tmp_path):
    """The experiment of a script."""

    def load(lines: str):
        path = tmp_path / "model.py"
        path.write_text(HEAD + lines)
        return experiment(str(path))

    return load


def moved(found, batch) -> bool:
    """Whether a step moves the weights."""
    before = [p.detach().clone() for p in found.model.parameters()]
    found.train_step(found.model, batch, found.optimizer)
    return any(not torch.equal(p, old) for p, old in zip(found.model.parameters(), before, strict=True))


def test_a_loop_whose_method_accumulates_goes_on_until_it_steps(loaded):
    found = loaded(ACCUMULATING)
    assert moved(found, next(iter(found.train_data)))


def test_episodes_begin_with_empty_lists(loaded):
    """The loop is left after an iteration, not at the next episode's backward pass."""
    found = loaded(EPISODES)
    for _ in range(3):
        assert moved(found, ())
    assert found.train_step.variables["lengths"][-3:] == [(6, 6)] * 3


def test_a_function_that_trains_as_the_file_is_imported_is_left_at_once(loaded, tmp_path):
    found = loaded(UNGUARDED)
    assert len((tmp_path / "model.py.steps").read_text()) < 10
    assert isinstance(found.model, torch.nn.Linear)
    assert len(list(found.train_data)) == 5


def test_a_step_that_is_called_with_a_dict_is_given_the_batch(loaded):
    found = loaded(NAMED_BATCH)
    assert found.train_step.parts == ["batch"]


def test_lists_with_a_graph_are_emptied_with_those_beside_them():
    model = torch.nn.Linear(2, 1)
    model.saved, model.rewards, model.names = [(model(torch.ones(2)), 1), (model(torch.ones(2)), 0)], [1.0, 2.0], ["a"]
    forget_graphs([model])
    assert (model.saved, model.rewards, model.names) == ([], [], ["a"])


def test_lists_without_a_graph_are_kept():
    model = torch.nn.Linear(2, 1)
    model.seen = [torch.ones(2), model.weight]
    forget_graphs([model, torch.nn.Linear, None, {"a": 1}])
    assert len(model.seen) == 2
