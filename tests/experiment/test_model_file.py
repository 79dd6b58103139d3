"""Model files that work, in every shape the contract allows, and those that do not, told with their place."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment import loading
from nndoctor.experiment.data import batches
from nndoctor.experiment.experiment import ExperimentOptions, experiment
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.steps import correct_targets, step_result

HEAD = "import torch\nfrom torch import nn\nfrom torch.utils.data import DataLoader, TensorDataset\n"
DATA = "x, y = torch.randn(40, 5), torch.randint(3, (40,))\n"
TRAINS = "model = nn.Linear(5, 3)\no = torch.optim.SGD(model.parameters(), lr=0.1)\n"


def loaded(tmp_path, text: str, **given):
    """The experiment of a file with this text."""
    path = tmp_path / "model.py"
    path.write_text(HEAD + text)
    return experiment(str(path), ExperimentOptions(**given))


@pytest.mark.parametrize(
    "data",
    [
        "train_data = (x, y)",
        "train_data = TensorDataset(x, y)",
        "train_data = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)",
        "def train_data(): return (x, y)",
        "def train_data():\n    for k in range(5): yield x[k*8:k*8+8], y[k*8:k*8+8]",
        "train_data = [(x[:8], y[:8]), (x[8:], y[8:])]",
    ],
)
def test_data_come_in_many_shapes_and_can_be_gone_through_again(tmp_path, data):
    """Every batch has a loss, twice."""
    found = loaded(tmp_path, f"{DATA}model = nn.Linear(5, 3)\nloss = nn.CrossEntropyLoss()\n{data}\n")
    for _ in range(2):
        losses = [step_result(found, batch).loss for batch in found.train_data]
        assert losses
        assert all(loss.dim() == 0 for loss in losses)


def test_a_model_may_be_a_function_and_is_seeded(tmp_path):
    """The same seed gives the same weights."""
    text = f"{DATA}def model(): return nn.Linear(5, 3)\nloss = nn.CrossEntropyLoss()\ntrain_data = (x, y)\n"
    one, other = (loaded(tmp_path, text, seed=7).model.weight for _ in range(2))
    assert torch.equal(one, other)


def test_a_step_of_its_own_is_taken(tmp_path):
    """For batches that are no pair."""
    found = loaded(
        tmp_path,
        "model = nn.Linear(5, 3)\ntrain_data = [{'a': torch.randn(8, 5)}]\n"
        "def step(model, batch): return model(batch['a']).square().mean()\n",
    )
    (batch,) = found.train_data
    assert step_result(found, batch).loss > 0


def test_a_model_that_takes_a_dict_brings_its_own_loss(tmp_path):
    """As those of transformers do."""
    found = loaded(
        tmp_path,
        "class M(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(5, 3)\n"
        "    def forward(self, x, labels):\n"
        "        out = self.a(x)\n        return {'loss': nn.functional.cross_entropy(out, labels), 'logits': out}\n"
        "model = M()\ntrain_data = [{'x': torch.randn(8, 5), 'labels': torch.randint(3, (8,))}]\nloss = None\n"
        "def step(model, batch): return model(**batch)['loss']\n",
    )
    found.step = None
    (batch,) = found.train_data
    done = step_result(found, batch)
    assert done.examples == 8
    assert correct_targets(done)[1] == 8


def test_a_model_alone_gets_data_that_are_made_up_and_reported(tmp_path):
    """By --input and --classes."""
    found = loaded(tmp_path, "model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))\n", shape=(3, 2, 2), classes=4)
    assert any("assumed" in words for words in found.notes)
    assert step_result(found, next(iter(found.train_data))).loss > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = nn.Linear(5, 3\n", r"model.py, line 4: SyntaxError"),
        ("import nothing_like_this\n", r"line 4: ModuleNotFoundError"),
        ("model = nn.Linear(5, 3)\n1 / 0\n", r"line 5: ZeroDivisionError while running it: division by zero"),
        ("class Net(nn.Module): pass\n", r"sets no model; it defines Net: add `model = Net\(\)`"),
        ("model = nn.Linear\n", r"while making its model"),
        ("model = 3\n", r"model is an int; expected a torch.nn.Module"),
        ("model = nn.Linear(5, 3)\n", r"no loss and no train_data: add `loss ="),
        ("model = nn.Linear(5, 3)\nloss = nn.CrossEntropyLoss\ntrain_data = [1]\n", r"loss is a class"),
        ("model = nn.Linear(5, 3)\nloss = 'mse'\ntrain_data = [1]\n", r"loss is a str"),
        (
            "model = nn.Linear(5, 3)\nloss = nn.MSELoss()\ntrain_data = 3\n",
            r"train_data is an int; expected a DataLoader",
        ),
        ("model = nn.Linear(5, 3)\nloss = nn.MSELoss()\ntrain_data = iter([1])\n", r"ends after one epoch"),
        ("model = nn.Linear(5, 3)\nloss = nn.MSELoss()\ntrain_data = [1]\noptimizer = 'adam'\n", r"optimizer is a str"),
        ("raise SystemExit(3)\n", r"ends the program"),
    ],
)
def test_what_does_not_work_is_reported_in_one_line_with_its_place(tmp_path, text, message):
    """What was found, what was wanted, what to write."""
    with pytest.raises(ModelFileError, match=message) as raised:
        loaded(tmp_path, text)
    assert "\n" not in str(raised.value)


TAUGHT = f"""{TRAINS}
teacher = torch.nn.Linear(5, 3)
t = torch.optim.SGD(teacher.parameters(), 0.1)
for _ in range(9):
    teacher(torch.randn(2, 5)).sum().backward(); t.step()
loss = torch.nn.MSELoss(); train_data = [(torch.randn(2, 5), torch.randn(2, 3))]
"""
RETURNED = """
def train():
    inner = torch.nn.Linear(5, 3); o = torch.optim.SGD(inner.parameters(), 0.1)
    for _ in range(9):
        inner(torch.randn(2, 5)).sum().backward(); o.step()
    return inner
model = train(); loss = torch.nn.MSELoss(); train_data = [(torch.randn(2, 5), torch.randn(2, 3))]
"""


def test_a_teacher_may_be_trained_while_the_file_is_loaded(tmp_path):
    """The student is the file's model."""
    assert loaded(tmp_path, TAUGHT).train_data


def test_a_model_that_a_function_trains_is_taken_before_that(tmp_path):
    """The file's loss and data are there by then."""
    found = loaded(tmp_path, RETURNED.replace("model = train(); ", "") + "\nmodel = train()\n")
    assert isinstance(found.model, torch.nn.Linear)
    assert all(state == {} for state in found.optimizer.state.values())


def test_another_training_may_not_take_long(tmp_path, monkeypatch):
    """So that a whole training script is not run."""
    monkeypatch.setattr(loading, "SECONDS", 0.0)
    with pytest.raises(ModelFileError, match="trains as it is imported"):
        loaded(tmp_path, TAUGHT)


def test_a_file_that_is_not_there_is_reported(tmp_path):
    """In one line."""
    with pytest.raises(ModelFileError, match="no such file"):
        experiment(str(tmp_path / "none.py"))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("nn.CrossEntropyLoss(reduction='none')", "shape 8; expected one value"),
        ("lambda o, t: 0.5", "the loss is a float"),
    ],
)
def test_a_loss_that_is_no_scalar_is_reported(tmp_path, loss, message):
    """With what to do."""
    found = loaded(tmp_path, f"{DATA}model = nn.Linear(5, 3)\nloss = {loss}\ntrain_data = (x[:8], y[:8])\n")
    with pytest.raises(Exception, match=message):
        step_result(found, next(iter(found.train_data)))


def test_the_users_own_frames_are_kept(tmp_path):
    """And none of nndoctor's."""
    with pytest.raises(ModelFileError) as raised:
        loaded(tmp_path, "def f():\n    return 1 / 0\nmodel = nn.Linear(1, 1)\nf()\n")
    assert "return 1 / 0" in raised.value.trace
    assert "model_file.py" not in raised.value.trace


def test_modules_next_to_the_file_can_be_imported(tmp_path):
    """As when it is run."""
    (tmp_path / "parts.py").write_text("import torch\nnet = torch.nn.Linear(5, 3)\n")
    found = loaded(
        tmp_path, f"from parts import net as model\n{DATA}loss = nn.CrossEntropyLoss()\ntrain_data = (x, y)\n"
    )
    assert isinstance(found.model, torch.nn.Linear)


def test_tensors_of_different_lengths_are_reported():
    """Before anything is trained."""
    with pytest.raises(Exception, match="different lengths: 4, 3"):
        batches("train_data", (torch.zeros(4), torch.zeros(3)), shuffle=True)
