"""Scripts that make model, data and optimizer while they run."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment.experiment import experiment
from nndoctor.experiment.model_file import ModelFileError

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
x, y = torch.randn(40, 5), torch.randint(3, (40,))
seen = []
def parts():
    net = nn.Linear(5, 3)
    return net, DataLoader(TensorDataset(x, y), batch_size=8), torch.optim.SGD(net.parameters(), lr=0.1)
def learn(net, batch, optimizer):
    seen.append(len(batch[0])); optimizer.zero_grad()
    nn.functional.cross_entropy(net(batch[0]), batch[1]).backward(); optimizer.step()
"""
MADE = "net, train_loader, optimizer = parts()"
SCRIPTS = {
    "in main": f"def main():\n    {MADE}\n    for batch in train_loader: learn(net, batch, optimizer)\nif __name__ == '__main__': main()",
    "in another function": f"def train(model, loader, opt):\n    for b in loader: learn(model, b, opt)\ndef main():\n    {MADE}\n    train(net, train_loader, opt=optimizer)",
    "in the script": f"if __name__ == '__main__':\n    {MADE}\n    for epoch in range(3):\n        for batch in train_loader: learn(net, batch, optimizer)",
    "without a guard": f"{MADE}\nfor epoch in range(3):\n    for batch in train_loader: learn(net, batch, optimizer)",
    "of an object": """
class Trainer:
    def __init__(self): self.net, self.loader, self.optimizer = parts()
    def fit(self):
        for epoch in range(3): [learn(self.net, batch, self.optimizer) for batch in self.loader]
if __name__ == '__main__': Trainer().fit()
""",
}


TRACKED = f"""
class wandb: init = seen.append
def started(): wandb.init('a run')
def main():
    started(); {MADE}
    for batch in train_loader: learn(net, batch, optimizer)
"""


@pytest.fixture
def loaded(tmp_path):
    """The experiment of a script."""

    def load(lines: str):
        path = tmp_path / "model.py"
        path.write_text(HEAD + lines + "\n")
        return experiment(str(path))

    return load


@pytest.mark.parametrize("kind", SCRIPTS)
def test_the_parts_and_the_loop_of_a_script(loaded, kind):
    found = loaded(SCRIPTS[kind])
    assert isinstance(found.model, torch.nn.Linear)
    assert len(list(found.train_data)) == 5
    assert isinstance(found.optimizer, torch.optim.SGD)
    before = found.model.weight.detach().clone()
    seen = found.train_step.variables["seen"]
    seen.clear()
    batch = torch.randn(6, 5), torch.randint(3, (6,))
    found.train_step(found.model, batch, torch.optim.SGD(found.model.parameters(), lr=0.0))
    assert seen == [6]
    assert torch.equal(found.model.weight, before)
    found.train_step(found.model, batch, found.optimizer)
    assert not torch.equal(found.model.weight, before)


def test_a_loop_without_a_loader_makes_its_own_batches(loaded):
    lines = f"""
def main():
    {MADE}
    for start in range(0, 40, 10): learn(net, (x[start:start + 10], y[start:start + 10]), optimizer)
""".replace("train_loader", "_").replace("parts()", "(*parts()[:1], None, parts()[2])")
    found = loaded(lines)
    assert next(iter(found.train_data)) == ()
    found.train_step.variables["seen"].clear()
    found.train_step(found.model, (), found.optimizer)
    assert found.train_step.variables["seen"][0] == 10


@pytest.mark.parametrize(
    "lines",
    [
        "def main(): raise ValueError",
        "def main():\n    import sys; sys.exit(2)",
        "def main(): print('nothing')",
        "",
        TRACKED,
    ],
    ids=["fails", "ends", "trains nothing", "no script", "a tracker"],
)
def test_a_script_that_does_not_train_is_refused_for_what_it_lacks(loaded, lines):
    with pytest.raises(ModelFileError, match="sets no model"):
        loaded(lines)


def test_a_loader_without_a_length(loaded):
    lines = f"""
class Endless(torch.utils.data.IterableDataset):
    def __iter__(self):
        while True: yield torch.randn(5), 1
def main():
    {MADE}
    stream = DataLoader(Endless(), batch_size=4)
    for batch in stream: learn(net, batch, optimizer)
"""
    assert len(next(iter(loaded(lines).train_data))[0]) == 4


def test_a_copy_of_a_model_is_no_second_model(loaded):
    """As a target network is at first."""
    found = loaded(
        "import copy\npolicy, loader, opt = parts()\ntarget = copy.deepcopy(policy)\ndef step(batch): learn(policy, batch, opt)\ntrain_data = loader"
    )
    assert isinstance(found.model, torch.nn.Linear)
