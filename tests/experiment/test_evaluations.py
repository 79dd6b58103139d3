"""Held-out batches of scripts that evaluate their model in their own code, without a loader."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment.experiment import experiment

HEAD = """
import torch
from torch import nn
x, y = torch.randn(120, 5), torch.randint(3, (120,))
def parts():
    net = nn.Linear(5, 3)
    return net, torch.optim.SGD(net.parameters(), lr=0.1)
def accuracy(model, inputs, labels):
    model.eval()
    with torch.no_grad():
        return (model(inputs).argmax(1) == labels).float().mean().item()
def batches(split):
    xs, ys = (x[:80], y[:80]) if split == "train" else (x[80:], y[80:])
    for k in range(0, len(xs), 8): yield xs[k : k + 8], ys[k : k + 8]
"""
LOOP = """
def main():
    net, optimizer = parts()
    for epoch in range(3):
        net.train()
        for k in range(0, 80, 8):
            loss = nn.functional.cross_entropy(net(x[k : k + 8]), y[k : k + 8])
            optimizer.zero_grad(); loss.backward(); optimizer.step()
        EVALUATION
if __name__ == "__main__": main()
"""
DRAWN = LOOP.replace("for k in range(0, 80, 8):", "for xb, yb in batches('train'):").replace("[k : k + 8]", "b")
EVALUATIONS = {
    "by a function": "print(accuracy(net, x[80:], y[80:]))",
    "after that of the training examples": "before = accuracy(net, x[:80], y[:80]); print(before)\n        print(accuracy(net, x[80:], y[80:]))",
    "in a loop": "net.eval()\n        for k in range(80, 120, 10): hits = (net(x[k : k + 10]).argmax(1) == y[k : k + 10]).sum()",
    "by a loss": "held = nn.functional.cross_entropy(net(x[80:]), y[80:]).item()",
}


@pytest.fixture
def loaded(tmp_path):
    """The experiment of a script with an evaluation after its training loop."""

    def load(evaluation: str, loop: str = LOOP):
        path = tmp_path / "model.py"
        path.write_text(HEAD + loop.replace("EVALUATION", evaluation))
        return experiment(str(path))

    return load


@pytest.mark.parametrize("kind", EVALUATIONS)
def test_what_a_script_evaluates_after_its_loop_is_its_validation_data(loaded, kind):
    found = loaded(EVALUATIONS[kind])
    names = found.train_step.variables
    inputs = torch.cat([batch[0] for batch in found.validation_data])
    labels = torch.cat([batch[1] for batch in found.validation_data])
    assert torch.equal(inputs, names["x"][80:])
    assert torch.equal(labels, names["y"][80:])


def test_batches_of_a_function_of_the_split(loaded):
    found = loaded("for xv, yv in batches('val'): net(xv).argmax(1) == yv", DRAWN)
    assert [len(batch[0]) for batch in found.validation_data] == [8] * 5


@pytest.mark.parametrize(
    "evaluation",
    [
        "print(accuracy(net, x[:80], y[:80]))",
        "torch.save(net(x[80:]) * y[80:, None], 'scores.pt')",
        "print(loss.item())",
    ],
)
def test_no_validation_data(loaded, evaluation, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert loaded(evaluation).validation_data is None
    assert not (tmp_path / "scores.pt").exists()


def test_the_model_is_left_in_its_mode_and_without_hooks(loaded):
    found = loaded(EVALUATIONS["by a function"])
    assert found.model.training
    assert not torch.nn.modules.module._global_forward_pre_hooks
