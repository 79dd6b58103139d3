"""What single changes do to a loaded file, and how they are written into it."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

torch = pytest.importorskip("torch", reason="treatments need torch")

from torch import nn  # noqa: E402

from nndoctor.treatment.changes import named  # noqa: E402
from nndoctor.treatment.functions import dropout_rate, hidden_saturating  # noqa: E402
from nndoctor.treatment.gains import GainVerdict, Units, gain  # noqa: E402
from nndoctor.treatment.prescription import diff, edited  # noqa: E402
from nndoctor.treatment.steering import Steering, steered  # noqa: E402
from nndoctor.treatment.subject import loaded  # noqa: E402
from nndoctor.treatment.surgery import scale_of  # noqa: E402

FILE = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LR = 0.5
EPOCHS = 3
torch.manual_seed(0)
x = 100 * torch.randn(64, 6)
y = (x[:, 0] > 0).long()

class Net(nn.Module):
    def __init__(self, p=0.9):
        super().__init__()
        self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 2)
    def forward(self, x):
        return self.b(F.dropout(torch.sigmoid(self.a(x)), 0.9, self.training))

model = Net()
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LR)
train_data = DataLoader(TensorDataset(x[:48], y[:48]), batch_size=16, shuffle=True)
validation_data = DataLoader(TensorDataset(x[48:], y[48:]), batch_size=16)
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The file, written."""
    file = tmp_path_factory.mktemp("changes") / "model.py"
    file.write_text(dedent(FILE), encoding="utf-8")
    return str(file)


def changed(path, name):
    """The file loaded and changed."""
    subject = loaded(path, 0)
    named(name).apply(subject)
    return subject


def test_seeds_draw_other_weights_on_the_same_data(path):
    """What differs between repeats is chance, not the task."""
    one, other = loaded(path, 0), loaded(path, 1)
    assert one.train_data is other.train_data
    assert not torch.equal(one.model.a.weight, other.model.a.weight)


def test_dropout_that_is_called_as_a_function_is_switched_off(path):
    """No layer of the model says that it drops out."""
    assert dropout_rate(loaded(path, 0)) == pytest.approx(0.9)
    subject = changed(path, "dropout-off")
    subject.model.train()
    assert torch.equal(subject.model(torch.ones(4, 6)), subject.model(torch.ones(4, 6)))


def test_sigmoids_that_are_called_as_functions_become_relus(path):
    """The model then passes on what is above zero."""
    assert hidden_saturating(loaded(path, 0)) == 1
    subject = changed(path, "relu")
    subject.model.eval()
    inside = torch.relu(subject.model.a(torch.ones(2, 6)))
    assert torch.allclose(subject.model(torch.ones(2, 6)), subject.model.b(inside))


def test_inputs_are_standardized_by_the_training_set(path):
    """Their standard deviation was a hundred."""
    scale = scale_of(loaded(path, 0))
    assert scale is not None
    assert not scale.modest
    x = torch.cat([batch[0] for batch in loaded(path, 0).train_data])
    assert scale.applied(x).std(0).tolist() == pytest.approx([1.0] * 6, abs=1e-3)


def test_a_wider_network_has_the_same_outputs_and_a_working_optimizer(path):
    """Four times the hidden units, trained with the settings of the file's own optimizer."""
    subject = changed(path, "wider")
    assert subject.model.a.out_features == 32
    assert subject.model(torch.ones(2, 6)).shape == (2, 2)
    optimizer = subject.optimizer(subject.model.parameters())
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_training_loop_of_the_users_own_is_steered():
    """Its optimizer takes steps at another rate, and holds the old one between them."""
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    with steered(Steering(rate=10.0), 5):
        weight.grad = torch.ones(1)
        optimizer.step()
    assert weight.item() == pytest.approx(0.0)
    assert optimizer.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize(
    ("change", "settings", "line"),
    [
        ("lr/10", {"lr": 0.05}, "LR = 0.05"),
        ("momentum", {"momentum": 0.9}, "optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)"),
        (
            "optimizer-adam",
            {"optimizer": "Adam", "lr": 0.001},
            "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)",
        ),
        ("batch*4", {}, "train_data = DataLoader(TensorDataset(x[:48], y[:48]), batch_size=64, shuffle=True)"),
        ("steps*4", {}, "EPOCHS = 12"),
        ("lr/10 + steps*4", {"lr": 0.05}, "EPOCHS = 12"),
    ],
)
def test_a_change_is_written_as_an_edit_of_the_line_that_it_concerns(path, change, settings, line):
    """The rest of the file stays as it is."""
    text = edited(FILE, change, settings)
    ast.parse(text)
    assert line in text.splitlines()
    assert f"+{line}" in diff(path, change, settings)


def test_a_change_without_a_certain_place_has_no_diff(path):
    """It is told in words instead."""
    assert diff(path, "clip", {"clip": 1.0}) is None


def test_a_costly_change_must_gain_more():
    """Four times the steps for a gain of 0.15 is no help."""
    before, after = {0: 1.0, 1: 1.01, 2: 0.99}, {0: 0.85, 1: 0.86, 2: 0.84}
    assert gain(before, after, Units(1.5, 1.0, 0.02)).verdict is GainVerdict.HELPS
    assert gain(before, after, Units(1.5, 1.0, 0.02), named("steps*4").material).verdict is GainVerdict.NOISE


def test_the_interval_holds_another_seed():
    """It is wider than that of the mean."""
    found = gain({0: 1.0, 1: 1.2, 2: 0.8}, {0: 0.5, 1: 0.5, 2: 0.5}, Units(1.5, 1.0, 0.2))
    assert found.low < 0.3
    assert found.high > 0.7
    assert found.low < found.sure < found.gain


def test_a_failed_training_counts_as_a_constant_prediction():
    """Where the file as it is explodes, a change that learns gains all there is."""
    found = gain({0: float("inf"), 1: float("inf")}, {0: 0.5, 1: 0.5}, Units(1.5, 1.0, 0.02))
    assert found.gain == pytest.approx(1.0)
