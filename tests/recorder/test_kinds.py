"""Every kind of module, and every way of calling it, is seen."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

from nndoctor import Recorder
from tests.recorder.nets import hooks, layers, seed, seen


class Net(nn.Module):
    """A model of parts and a function that calls them."""

    def __init__(self, call, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.call = call

    def forward(self, x):  # noqa: D102
        return self.call(self, x)


def first(y):
    """The first tensor of an output."""
    while not isinstance(y, torch.Tensor):
        y = next(iter(y.values())) if isinstance(y, dict) else y[0]
    return y


def record(folder, model, x, steps=4, **options):
    """A few sampled steps."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.01)
    with Recorder(model, optimizer, folder, every=1, **options) as rec:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = first(model(x)).float().square().mean()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert rec.off == "closed"
    assert hooks(model, optimizer) == 0
    return layers(folder)


words = torch.randint(20, (4, 7))
frames = torch.randn(4, 7, 8)
pixels = torch.randn(4, 3, 10, 10)
rows = torch.randn(16, 8)

MODULES = {
    "linear": (nn.Linear(8, 4), rows),
    "bilinear": (Net(lambda m, x: m.b(x, x), b=nn.Bilinear(8, 8, 4)), rows),
    "conv1d": (nn.Conv1d(7, 5, 3), frames),
    "conv2d": (nn.Conv2d(3, 5, 3), pixels),
    "conv3d": (nn.Conv3d(2, 3, 2), torch.randn(2, 2, 4, 4, 4)),
    "transposed": (nn.ConvTranspose2d(3, 4, 3), pixels),
    "grouped, channels last": (nn.Conv2d(3, 6, 3, groups=3), pixels.to(memory_format=torch.channels_last)),
    "rnn": (nn.RNN(8, 6, batch_first=True), frames),
    "lstm": (nn.LSTM(8, 6, 2, bidirectional=True), frames),
    "gru": (nn.GRU(8, 6), frames),
    "lstm cell": (nn.LSTMCell(8, 6), rows),
    "attention": (Net(lambda m, x: m.a(x, x, x), a=nn.MultiheadAttention(8, 2, batch_first=True)), frames),
    "transformer": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), frames),
    "embedding": (nn.Embedding(20, 5), words),
    "bag": (nn.EmbeddingBag(20, 5), words),
    "batch norm": (nn.BatchNorm2d(3), pixels),
    "group norm": (nn.GroupNorm(1, 3), pixels),
    "instance norm": (nn.InstanceNorm2d(3, affine=True), pixels),
    "layer norm": (nn.LayerNorm(8), rows),
    "rms norm": (nn.RMSNorm(8), rows),
    "prelu": (nn.PReLU(), rows),
}


@pytest.mark.parametrize("name", MODULES)
def test_every_kind_of_module_has_outputs_gradients_and_updates(name, tmp_path):
    """Each named kind is recorded, without a complaint, with finite numbers."""
    seed()
    module, x = MODULES[name]
    seen_layers = record(tmp_path, nn.Sequential(module), x)
    facts = json.loads((tmp_path / "run.json").read_text())
    assert "recorder_failed" not in facts
    for statistic in ("mean", "std", "grad_norm", "weight_norm", "update_ratio"):
        found = [seen(tmp_path, layer, statistic) for layer in seen_layers]
        assert any(len(f) == 4 for f in found), statistic
        assert all(abs(v) < 1e6 for f in found for v in f.values())


def test_functional_activations_are_layers_of_their_own(tmp_path):
    """relu, tanh, sigmoid and a clamp at zero called as functions are named after the layer before."""
    seed()

    def call(m, x):
        return torch.sigmoid(m.d(torch.tanh(m.c(m.b(functional.relu(m.a(x))).clamp(min=0)))))

    model = Net(call, **{k: nn.Linear(8, 8) for k in "abcd"})
    assert record(tmp_path, model, rows) == ("a", "a.relu", "b", "b.relu", "c", "c.tanh", "d", "d.sigmoid")
    with torch.no_grad():
        zeros = (functional.relu(model.a(rows)) == 0).float().mean().item()
    assert list(seen(tmp_path, "a.relu", "zero_fraction").values())[-1] == pytest.approx(zeros, abs=0.02)


def test_a_module_called_several_times_has_a_layer_for_each_call(tmp_path):
    """The second call of `a` is `a#2`; its weights count once."""
    seed()
    model = Net(lambda m, x: m.b(m.a(torch.relu(m.a(x)))), a=nn.Linear(8, 8), b=nn.Linear(8, 2))
    found = record(tmp_path, model, rows)
    assert found == ("a", "a.relu", "a#2", "b")
    assert seen(tmp_path, "a", "grad_norm")
    assert not seen(tmp_path, "a#2", "grad_norm")


def test_a_shared_module_is_one_layer_under_its_first_name(tmp_path):
    """The same module at two places is known by the first."""
    shared = nn.Linear(8, 8)
    found = record(tmp_path, nn.Sequential(shared, nn.ReLU(), shared), rows)
    assert found == ("0", "1", "0#2")


def test_tied_weights_belong_to_their_first_owner(tmp_path):
    """An embedding whose matrix is the head's, too: one gradient, one update, counted once."""
    seed()
    table, head = nn.Embedding(20, 6), nn.Linear(6, 20, bias=False)
    head.weight = table.weight
    record(tmp_path, Net(lambda m, x: m.head(m.table(x)), table=table, head=head), words)
    assert seen(tmp_path, "table", "update_ratio")
    assert not seen(tmp_path, "head", "update_ratio")
    assert seen(tmp_path, "head", "mean")
    assert json.loads((tmp_path / "run.json").read_text())["parameters"] == 120


def test_frozen_parameters_have_no_gradient_and_an_update_of_zero(tmp_path):
    """What is frozen is seen to stand still."""
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    model[0].requires_grad_(False)
    record(tmp_path, model, rows)
    assert not seen(tmp_path, "0", "grad_norm")
    assert set(seen(tmp_path, "0", "update_ratio").values()) == {0.0}


def test_a_layer_off_the_loss_s_path_is_unreached(tmp_path):
    """A trainable layer that got no gradient is named."""
    record(tmp_path, Net(lambda m, x: m.a(x), a=nn.Linear(8, 2), b=nn.Linear(8, 2)), rows)
    assert json.loads((tmp_path / "run.json").read_text())["unreached"] == ["b"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: {"logits": y, "extra": {"n": 3}},
        lambda y: (None, [y, "x"]),
        lambda y: [{"a": (y,)}],
        lambda y: (y, torch.ones(3, dtype=torch.int64)),
    ],
)
def test_outputs_of_any_nesting_are_seen(wrap, tmp_path):
    """The first tensor of floating numbers stands for a dict, a tuple, a list, or several of them."""

    class Wraps(nn.Linear):
        def forward(self, x):
            return wrap(super().forward(x))

    model = Wraps(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(2):
            y = nn.Linear.forward(model, rows)
            model(rows)
            y.square().mean().backward()
            optimizer.step()
            rec.step(loss=1.0)
    assert seen(tmp_path, "model", "mean")[0] == pytest.approx(y.mean().item(), abs=1e-4)


def test_packed_sequences_are_seen(tmp_path):
    """A recurrent net over sequences of several lengths."""
    packed = nn.utils.rnn.pack_padded_sequence(frames, [7, 5, 3, 2], batch_first=True)
    lstm = nn.LSTM(8, 6, batch_first=True)
    optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)
    with Recorder(lstm, optimizer, tmp_path, every=1) as rec:
        loss = lstm(packed)[0].data.square().mean()
        loss.backward()
        optimizer.step()
        rec.step(loss=loss)
    assert seen(tmp_path, "model", "std")


def test_a_recurrent_loop_of_many_calls_costs_only_its_first_eight(tmp_path):
    """A cell that is called for each of 50 frames has eight layers, not fifty."""

    def call(m, x):
        h = torch.zeros(4, 6)
        for k in range(50):
            h = m.cell(x[:, k % 7], h)
        return h

    assert len(record(tmp_path, Net(call, cell=nn.GRUCell(8, 6)), frames)) == 8


def test_parameters_outside_any_layer_are_the_model_s(tmp_path):
    """A model's own parameter, a scale, is recorded under the model's name."""

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.scale = nn.Linear(8, 4), nn.Parameter(torch.ones(4))

        def forward(self, x):
            return self.scale * self.inner(x)

    assert "model" in record(tmp_path, Scaled(), rows)
    assert seen(tmp_path, "model", "grad_norm")


def test_double_precision_and_complex_weights_are_no_obstacle(tmp_path):
    """Values of float64 are recorded; complex parameters are left out without a word."""

    class Waves(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(8, 8).double()
            self.w = nn.Parameter(torch.ones(8, dtype=torch.complex64))

        def forward(self, x):
            return (self.a(x.double()) * self.w).abs()

    record(tmp_path, Waves(), rows)
    assert seen(tmp_path, "a", "update_ratio")


def test_checkpointed_layers_are_recorded_once(tmp_path):
    """The forward pass that activation checkpointing repeats in the backward pass is not another call."""
    from torch.utils.checkpoint import checkpoint

    model = Net(
        lambda m, x: m.b(checkpoint(m.a, x, use_reentrant=False)),
        a=nn.Sequential(nn.Linear(8, 8), nn.ReLU()),
        b=nn.Linear(8, 2),
    )
    assert record(tmp_path, model, rows) == ("a.0", "a.1", "b")
