"""What does not work is told in one line with exit code 2, the user's own traceback above it where there is one."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.cli.entry import run  # noqa: E402

CASES = {
    "a layer of the wrong width": (
        "model = nn.Sequential(nn.Linear(8, 16), nn.Linear(15, 3)); optimizer = None",
        "layer 1 (Linear) got (20, 16), expected 15 features",
    ),
    "inputs of the wrong width": (
        "train_data = DataLoader(TensorDataset(x[:, :5], y), batch_size=20)",
        "layer 0 (Linear) got (20, 5), expected 8 features",
    ),
    "inputs of the wrong type": (
        "train_data = DataLoader(TensorDataset(x.double(), y), batch_size=20)",
        "got (20, 8) of float64, expected float32",
    ),
    "targets of the wrong type": (
        "train_data = DataLoader(TensorDataset(x, y.float()), batch_size=20)",
        "the loss fails on output (20, 3) of float32 and target (20,) of float32",
    ),
    "a loss of many numbers": ("loss = nn.CrossEntropyLoss(reduction='none')", "the loss gives 20 numbers"),
    "a loss of nothing": ("def loss(o, t): nn.functional.cross_entropy(o, t)", "the loss gives nothing"),
    "a loss that is a float": (
        "loss = lambda o, t: float(nn.functional.cross_entropy(o, t))",
        "the loss gives a float; expected a tensor",
    ),
    "an optimizer of something else": (
        "optimizer = torch.optim.Adam(nn.Linear(8, 3).parameters())",
        "none of them the model's",
    ),
    "an iterator": ("train_data = iter([(x, y)])", "is an iterator, which ends after one epoch"),
    "no batches": ("train_data = DataLoader(TensorDataset(x[:0], y[:0]), batch_size=20)", "train_data has no batch"),
    "a number for data": ("train_data = 7", "train_data is an int"),
    "a number for a model": ("model = 3", "model is an int"),
    "nothing to train": ("model.requires_grad_(False); optimizer = None", "nothing can train"),
    "a script that ends": ("raise SystemExit(3)", "ends the program; put its script"),
    "no loss and no data": ("del loss, train_data, x, y", "has no loss and no train_data: add"),
}
DATA_THAT_RAISE = """
class D(torch.utils.data.Dataset):
    def __len__(self): return 50
    def __getitem__(self, i): raise ValueError("corrupt")
train_data = DataLoader(D(), batch_size=5)
"""
OWN_TRACE = {
    "an import that fails": ("import no_such_module", "No module named 'no_such_module'"),
    "a loss that raises": ("def loss(o, t):\n    raise KeyError('boom')", "the loss fails on output"),
    "a data set that raises": (
        DATA_THAT_RAISE,
        "reading train_data fails: ValueError: corrupt",
    ),
    "a forward that raises": (
        "class M(nn.Linear):\n    def forward(self, x): raise RuntimeError('no')\nmodel = M(8, 3); optimizer = None",
        "the forward pass fails: layer model (M)",
    ),
    "a train_step that raises": (
        "def train_step(model, batch, optimizer):\n    a, b, c = batch",
        "train_step fails: ValueError",
    ),
}


def complaints(err):
    """The lines of nndoctor's own, without the one that says what it is doing."""
    return [line for line in err.splitlines() if line.startswith("nndoctor: ") and ": checking " not in line]


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_fit_is_told_in_one_line(written, capsys, name):
    """Exit code 2, one line, no traceback."""
    change, words = CASES[name]
    assert run(["sanity", written(change)]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert len(complaints(told.err)) == 1
    assert not told.out


@pytest.mark.parametrize("name", OWN_TRACE)
def test_the_users_own_traceback_is_shown(written, capsys, name):
    """With the frame of their file, and none of nndoctor's."""
    change, words = OWN_TRACE[name]
    assert run(["sanity", written(change)]) == 2
    told = capsys.readouterr().err
    assert words in told.splitlines()[-1]
    assert "model.py" in told.splitlines()[-1]
    assert 'model.py", line' in told
    assert "nndoctor/sanity" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sanity"], "needs a model file"),
        (["sanity", "nowhere.py"], "no such file"),
        (["sanity", "x.py", "--input", "3xx"], "--input expects the shape"),
        (["sanity", "x.py", "--budget", "0"], "--budget wants seconds"),
        (["sanity", "x.py", "--plot", "x.txt"], "must end in .png"),
    ],
)
def test_words_that_make_no_sense_are_told(capsys, words, told):
    """Exit code 2, and what was wanted."""
    assert run(words) == 2
    assert told in capsys.readouterr().err


def test_memory_that_runs_out_skips_a_probe_only(written, capsys):
    """What did not fit is said; the rest is judged."""
    change = """
    class Big(nn.Linear):
        passes = 0
        def forward(self, x):
            Big.passes += 1
            if Big.passes > 80:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)
    model = Big(8, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    """
    assert run(["sanity", written(change), "--seeds", "1", "-v"]) == 0
    assert "out of memory" in capsys.readouterr().out.replace("\n", " ")


def test_a_device_that_is_lost_is_told_in_one_line(written, capsys, monkeypatch):
    """Although the weights cannot be put back any more."""
    from nndoctor.sanity.state import Snapshot

    change = """
    class Lost(nn.Linear):
        passes = 0
        def forward(self, x):
            Lost.passes += 1
            if Lost.passes > 8:
                raise RuntimeError("CUDA error: device-side assert triggered\\nSearch for it.")
            return super().forward(x)
    model = Lost(8, 3)
    optimizer = None
    """

    def fails(_snapshot):
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(Snapshot, "restore", fails)
    assert run(["sanity", written(change)]) == 2
    told = capsys.readouterr().err
    assert len(complaints(told)) == 1
    assert "the device failed (CUDA error: device-side assert triggered)" in told
    assert "with the model on the CPU" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(("label", "wrong"), [(2, False), (3, True)])
def test_labels_that_the_loss_refuses_are_known_before_a_device_is_given_them(written, label, wrong):
    """The loss is taken on the host, wherever the model lies."""
    from nndoctor.sanity.probes.labels import refused
    from nndoctor.sanity.source import from_file

    subject = from_file(written(f"y[:] = {label}"))
    assert refused(subject, next(subject.batches())) is wrong
