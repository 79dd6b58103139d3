"""The check-up leaves all as it was, keeps to its budget, and can be reached from the command line and from Python."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from torch import nn  # noqa: E402

import nndoctor  # noqa: E402
from nndoctor.cli.entry import run  # noqa: E402
from nndoctor.core.errors import NNDoctorError  # noqa: E402
from nndoctor.sanity.checkup import examine  # noqa: E402
from nndoctor.sanity.source import from_file, from_objects  # noqa: E402


def sound() -> tuple[nn.Module, nn.Module, tuple[torch.Tensor, torch.Tensor]]:
    """A model, a loss and a batch that fit."""
    torch.manual_seed(0)
    x = torch.randn(64, 8)
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), nn.CrossEntropyLoss(), (x, x[:, :3].argmax(1))


def test_weights_modes_gradients_and_random_numbers_are_as_before():
    """Bit for bit, for a model with buffers and an optimizer with a memory."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x = torch.randn(64, 8)
    batch = (x, x[:, :3].argmax(1))
    nn.functional.cross_entropy(model(x), batch[1]).backward()
    optimizer.step()
    model[3].eval()
    before = [t.clone() for t in model.state_dict().values()]
    gradients = [p.grad.clone() for p in model.parameters()]
    steps = [s["exp_avg"].clone() for s in optimizer.state.values()]
    draws = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002 - the global one
    examine(from_objects(model, nn.CrossEntropyLoss(), batch, optimizer), budget=10.0, seeds=1)
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
    assert all(torch.equal(a, p.grad) for a, p in zip(gradients, model.parameters(), strict=True))
    assert all(torch.equal(a, s["exp_avg"]) for a, s in zip(steps, optimizer.state.values(), strict=True))
    assert model.training
    assert not model[3].training
    assert torch.equal(draws[0], torch.get_rng_state())
    assert (draws[1] == np.random.get_state()[1]).all()  # noqa: NPY002 - the global one
    assert draws[2] == random.getstate()


def test_the_budget_is_kept_and_what_did_not_fit_is_named(written):
    """A model whose step takes a tenth of a second, and one second."""
    slow = """
    import time
    class Slow(nn.Linear):
        def forward(self, x):
            time.sleep(0.1)
            return super().forward(x)
    model = Slow(8, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    """
    subject = from_file(written(slow))
    began = time.perf_counter()
    found = examine(subject, budget=2.0)
    assert time.perf_counter() - began < 8.0
    assert any("not checked within the budget of 2 s" in note for note in found.notes)


def test_a_model_can_be_checked_in_one_line():
    """`nndoctor.check_model` gives a report."""
    report = nndoctor.check_model(*sound(), budget=5.0, seeds=1)
    assert report.primary is None
    model, loss, batch = sound()
    sick = nndoctor.check_model(nn.Sequential(*model, nn.Softmax(1)), loss, batch, budget=5.0, seeds=1)
    assert sick.primary.name == "softmax-before-cross-entropy"


def test_a_test_can_ask_whether_a_model_trains():
    """`nndoctor.assert_trains` raises with the findings, and only then."""
    model, loss, batch = sound()
    nndoctor.assert_trains(model, loss, batch, budget=5.0)
    with pytest.raises(AssertionError, match="NN702 error softmax-before-cross-entropy"):
        nndoctor.assert_trains(nn.Sequential(*model, nn.Softmax(1)), loss, batch, budget=5.0)


def test_objects_that_are_no_model_are_refused():
    """In one line."""
    with pytest.raises(NNDoctorError, match=r"expects a torch\.nn\.Module first; found int"):
        nndoctor.check_model(3, None, None)


def test_the_template_is_sound(tmp_path, capsys):
    """What --template prints is examined without a finding."""
    target = tmp_path / "model.py"
    assert run(["sanity", "--template", "-o", str(target)]) == 0
    assert run(["sanity", str(target), "--seeds", "1", "--fail-on", "warning"]) == 0
    assert "No problems found" in capsys.readouterr().out


def test_a_model_alone_is_examined_with_made_up_data(written, capsys):
    """Data and labels are said to be assumed, and not judged."""
    assert (
        run(
            [
                "sanity",
                written(
                    head="from torch import nn\nmodel = nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 10))\n"
                ),
                "--input",
                "3x8x8",
                "--classes",
                "10",
                "--seeds",
                "1",
                "-v",
            ]
        )
        == 0
    )
    told = " ".join(capsys.readouterr().out.split())
    assert "train_data: assumed, random normal inputs of shape 3x8x8" in told
    assert "loss: assumed, CrossEntropyLoss" in told


def test_the_range_test_is_drawn(written, tmp_path, capsys):
    """A PNG with what was measured, not written over without --force."""
    model, target = written(), tmp_path / "sanity.png"
    assert run(["sanity", model, "--plot", str(target), "--seeds", "1"]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    assert run(["sanity", model, "--plot", str(target), "--seeds", "1"]) == 2
    assert "--plot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "carried"),
    [
        ("loss(model(batch[0]), batch[1]).backward(); optimizer.step()", True),
        ("optimizer.zero_grad(); loss(model(batch[0]), batch[1]).backward(); optimizer.step()", False),
        ("loss(model(batch[0]), batch[1]).backward(); optimizer.step(); optimizer.zero_grad()", False),
        (
            "loss(model(batch[0]), batch[1]).backward(); nn.utils.clip_grad_norm_(model.parameters(), 1.0); optimizer.step()",
            True,
        ),
        (
            "optimizer.zero_grad(); loss(model(batch[0]), batch[1]).backward(); nn.utils.clip_grad_norm_(model.parameters(), 1.0); optimizer.step()",
            False,
        ),
    ],
)
def test_gradients_that_are_not_reset_are_seen(written, lines, carried):
    """In the user's own step, whatever its order, and clipped or not."""
    found = examine(from_file(written(f"def train_step(model, batch, optimizer): {lines}")), budget=3.0, seeds=1)
    assert (found.number("gradient_carried") > 0.5) == carried


def test_a_wrong_gradient_by_hand_is_found(examined):
    """And named with its parameter; kinks of ReLU are not."""
    wrong = """
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x): return 2 * x
        @staticmethod
        def backward(ctx, g): return 1.5 * g
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)
        def forward(self, x): return self.last(torch.relu(Twice.apply(self.first(x))))
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    """
    found = {f.name: f for f in examined(wrong).findings}
    assert found["gradient-wrong"].location.layer.startswith("first.")
    assert found["gradient-wrong"].evidence["relative_error"] == pytest.approx(0.25, abs=0.05)


def test_examples_that_leak_are_found(examined):
    """A softmax over the batch, say."""
    leaking = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)
        def forward(self, x):
            h = torch.relu(self.first(x))
            return self.last(h - h.mean(0))
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    """
    assert "examples-leak-across-batch" in {f.name for f in examined(leaking).findings}


@pytest.mark.parametrize(("rate", "name"), [(1e-6, True), (30.0, True), (3e-3, False)])
def test_a_rate_outside_the_usable_range_is_told(written, rate, name):
    """Far too low, far too high, and sound; with a suggestion that is usable."""
    found = examine(from_file(written(f"optimizer = torch.optim.Adam(model.parameters(), lr={rate})")), seeds=1)
    told = {f.name for f in nndoctor.diagnose(found).findings if f.severity != "info"}
    assert ("lr-outside-usable-range" in told) == name


def test_what_was_not_measured_is_told_without_a_word_of_logs(written, capsys):
    """A report on a model does not ask to log anything, and counts what did not fit."""
    assert run(["sanity", written(), "--seeds", "1"]) == 0
    told = capsys.readouterr().out
    assert "No problems found.\n" in told
    assert "checks were not possible on this model" in told
    assert "in the log" not in told
    assert "to enable" not in told


def test_a_model_of_half_precision_is_examined(written, capsys):
    """Of bfloat16, which numpy does not know."""
    change = """
    half = [(a.bfloat16(), b) for a, b in ((x[:200], y[:200]), (x[200:], y[200:]))]
    train_data, validation_data = (TensorDataset(*pair) for pair in half)
    model = model.bfloat16()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    """
    assert run(["sanity", written(change), "--budget", "20", "--seeds", "1"]) == 0
    assert "No problems found." in capsys.readouterr().out


def test_the_time_of_a_step_is_that_until_its_loss_is_known(written, monkeypatch):
    """An accelerator has only been asked by then, not done."""
    from nndoctor.sanity import bench as bench_module
    from nndoctor.sanity.bench import Bench, Clock
    from nndoctor.sanity.probes import steps
    from nndoctor.sanity.source import from_file
    from nndoctor.sanity.state import Snapshot

    subject = from_file(written())
    bench = Bench(subject, Clock(60.0), 1, Snapshot(subject.model), batches=list(subject.batches()))
    monkeypatch.setattr(bench_module, "number", lambda _: time.sleep(0.2))
    steps.measured(bench)
    assert bench.step_time >= 0.2


@pytest.mark.skipif(not hasattr(torch.compiler, "set_stance"), reason="torch without stances of its compiler")
def test_a_compiled_model_is_examined_as_it_was_written(written):
    """Compiling it for each kind of pass would use up the budget: its compiler, which fails here, is never called."""
    path = written(
        "def backend(graph, inputs): raise RuntimeError('compiled')\nmodel = torch.compile(model, backend=backend)\n"
    )
    run = examine(from_file(path), budget=3.0, seeds=1)
    assert not [note for note in run.notes if "compiled" in note]
    assert run.series["train/loss"].values[-1] < run.series["train/loss"].values[0]
