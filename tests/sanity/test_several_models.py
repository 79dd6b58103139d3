"""Steps that call several models of a file, whose last one gives the output."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.methods import stand_in  # noqa: E402
from nndoctor.sanity.optimizers import fresh  # noqa: E402
from nndoctor.sanity.probes import own_value  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.user_step import modes_kept  # noqa: E402

TWO = """
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.GRU(8, 16, batch_first=True); self.table = nn.Embedding(9, 8); self.last = nn.Linear(16, 9)
    def forward(self, state, given): return self.last(self.net(self.table(given), state[None])[0])
encoder, decoder = nn.Linear(8, 16), Decoder()
first, second = (torch.optim.Adam(one.parameters(), 1e-2) for one in (encoder, decoder))
y = torch.randint(1, 9, (240, 6)); del model, loss, optimizer, validation_data
train_data = DataLoader(TensorDataset(x, y), batch_size=20)
def train_step(model, batch):
    state = encoder(batch[0]); given = torch.cat([torch.zeros_like(batch[1][:, :1]), batch[1]], 1)
    SCORES
    value = nn.functional.cross_entropy(scores.flatten(0, 1), batch[1].flatten())
    first.zero_grad(); second.zero_grad(); value.backward(); first.step(); second.step()
    return value
"""
SHIFTED, COPIED = "scores = decoder(state, given[:, :-1])", "scores = decoder(state, given[:, 1:])"
BY_PLACE = "scores = torch.cat([decoder(state, given[:, k:k + 1]) for k in range(6)], 1)"


@pytest.mark.parametrize(("scores", "found"), [(SHIFTED, True), (BY_PLACE, False)], ids=["once", "for each place"])
def test_the_last_of_several_models_stands_for_all(written, scores, found):
    """Where it is called once; and it is given back."""
    subject = from_file(written(TWO.replace("SCORES", scores)))
    batch = next(subject.batches())
    part = stand_in(subject.model, lambda: subject.train_step(subject.model, batch, None))
    assert (part is not None) is found
    if part is None:
        return
    part.install()
    outputs = []
    handle = subject.model.register_forward_hook(lambda _m, _a, output: outputs.append(output.shape))
    subject.train_step(subject.model, batch, None)
    handle.remove()
    part.restore()
    assert outputs == [(20, 6, 9)]
    assert all("forward" not in vars(one) for one in subject.model.modules())


@pytest.mark.parametrize(("scores", "seen"), [(COPIED, True), (SHIFTED, False)])
def test_what_the_last_model_takes_is_compared_with_the_targets(probed, scores, seen):
    assert ("own_value_seen" in probed(TWO.replace("SCORES", scores), own_value.probe)) is seen


class Fabric(torch.nn.Module):
    """A wrapper that hands what is set on it to the module within, as that of Lightning Fabric."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.ready = True

    def __setattr__(self, name, value):
        """Set it within, too."""
        if "ready" in vars(self):
            setattr(self.inner, name, value)
        super().__setattr__(name, value)


def test_modes_of_a_wrapper_are_kept():
    model = Fabric(torch.nn.Linear(2, 2))
    model.eval()
    with modes_kept(model):
        model.train()
        assert not model.inner.training
        model.train(False)
    assert "train" not in vars(model)
    assert "train" not in vars(model.inner)
    model.train()
    assert model.inner.training


class Behind(torch.optim.SGD):
    """An optimizer behind a property, as that of Lightning Fabric."""

    def __init__(self, optimizer):
        self._optimizer = optimizer
        self.param_groups, self.defaults, self.state = optimizer.param_groups, optimizer.defaults, optimizer.state

    @property
    def optimizer(self):
        """The optimizer within."""
        return self._optimizer


def test_an_optimizer_behind_a_property_is_copied():
    model = torch.nn.Linear(2, 2)
    own = torch.optim.SGD(model.parameters(), lr=0.1)
    found = fresh(Behind(own), model, factor=10.0)
    assert found.param_groups[0]["lr"] == found.optimizer.param_groups[0]["lr"] == 1.0
    assert own.param_groups[0]["lr"] == 0.1
