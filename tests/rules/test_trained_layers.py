"""The rules on layers and initialization, on networks that are really trained under the recorder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - after the skip
from torch.nn import functional as F  # noqa: E402, N812

import nndoctor  # noqa: E402
from nndoctor.core.finding import Finding, Severity  # noqa: E402

_spec = importlib.util.spec_from_file_location("nets", Path(__file__).with_name("nets.py"))
nets = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(nets)

ADAM, ADAMW = torch.optim.Adam, torch.optim.AdamW


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    yield
    torch.set_num_threads(before)


def bce(model, batch):
    """Binary cross-entropy of logits."""
    return F.binary_cross_entropy_with_logits(model(batch[0]), batch[1])


def masks(step):
    """Pictures, and which pixels are bright."""
    x, _ = nets.pictures(16)(step)
    return x, ((x[:, :1] + x[:, 1:2]) > 0).float()


def copies(step):
    """Pictures in [0, 1] as their own targets."""
    x = torch.sigmoid(2 * nets.pictures(64, 8, 1)(step)[0].flatten(1))
    return x, x


def fine_tuned():
    """A backbone whose layers are frozen on purpose, and a new head."""
    model = nets.mlp(4, 64, init=nets.he)
    for parameter in list(model.parameters())[:-4]:
        parameter.requires_grad_(False)
    return model


def normal(std: float) -> Callable[[torch.Tensor], object]:
    """Weights of one deviation, whatever the fan-in."""
    return lambda weight: nn.init.normal_(weight, std=std)


class LowRank(nn.Module):
    """A frozen network with a trained branch of low rank beside it, which begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nets.mlp(3, 64, init=nets.he).requires_grad_(requires_grad=False)
        self.down, self.up = nn.Linear(32, 4, bias=False), nn.Linear(4, 10, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        """Logits."""
        return self.base(x) + self.up(self.down(x))


class ZeroBranches(nn.Module):
    """Residual branches and a head that all begin at zero, without normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(32, 48), nn.Linear(48, 10)
        self.ups = nn.ModuleList([nn.Linear(48, 48) for _ in range(6)])
        self.downs = nn.ModuleList([nn.Linear(48, 48) for _ in range(6)])
        for layer in (*self.downs, self.head):
            nn.init.zeros_(layer.weight)

    def forward(self, x):
        """Logits."""
        x = self.first(x)
        for up, down in zip(self.ups, self.downs, strict=True):
            x = x + down(F.relu(up(x)))
        return self.head(x)


HEALTHY = {
    "MLP, He": (lambda: nets.mlp(3, init=nets.he), nets.vectors(), nets.logits, {}),
    "MLP, He, 8 layers": (lambda: nets.mlp(8, init=nets.he), nets.vectors(), nets.logits, {"lr": 0.05}),
    "MLP, torch's own": (lambda: nets.mlp(3, 128), nets.vectors(), nets.logits, {"optimizer": ADAM, "lr": 1e-3}),
    "MLP, tanh": (lambda: nets.mlp(3, 64, nn.Tanh, nn.init.xavier_normal_), nets.vectors(), nets.logits, {}),
    "MLP, sigmoid": (lambda: nets.mlp(1, 64, nn.Sigmoid), nets.vectors(), nets.logits, {"optimizer": ADAM, "lr": 0.01}),
    "MLP, GELU": (lambda: nets.mlp(4, 64, nn.GELU), nets.vectors(), nets.logits, {"optimizer": ADAMW, "lr": 1e-3}),
    "MLP, SiLU": (lambda: nets.mlp(4, 64, nn.SiLU), nets.vectors(), nets.logits, {"optimizer": ADAMW, "lr": 1e-3}),
    "MLP, leaky": (lambda: nets.mlp(4, 64, nn.LeakyReLU), nets.vectors(), nets.logits, {}),
    "MLP, BN, 20 layers": (lambda: nets.mlp(20, norm=True), nets.vectors(), nets.logits, {"lr": 0.05}),
    "regression": (
        lambda: nets.mlp(2, inputs=16, outputs=1), nets.curves(), nets.squares, {"optimizer": ADAM, "lr": 3e-3},
    ),
    "LeNet": (nets.LeNet, nets.pictures(), nets.logits, {"lr": 0.05, "momentum": 0.9}),
    "VGG with BN": (nets.vgg, nets.pictures(), nets.logits, {"lr": 0.05, "momentum": 0.9, "steps": 30}),
    "ResNet": (nets.resnet, nets.pictures(32), nets.logits, {"lr": 0.1, "momentum": 0.9, "steps": 30}),
    "U-Net": (nets.UNet, masks, bce, {"optimizer": ADAM, "lr": 3e-3, "steps": 40}),
    "LSTM": (lambda: nets.Recurrent(nn.LSTM), nets.words(), nets.logits, {"optimizer": ADAM, "lr": 0.01}),
    "GRU": (lambda: nets.Recurrent(nn.GRU), nets.words(), nets.logits, {"optimizer": ADAM, "lr": 0.01}),
    "encoder, post-norm": (
        lambda: nets.Encoder(first=False), nets.words(), nets.logits, {"optimizer": ADAM, "lr": 1e-3, "steps": 40},
    ),
    "encoder, pre-norm": (
        lambda: nets.Encoder(first=True), nets.words(), nets.logits, {"optimizer": ADAM, "lr": 1e-3, "steps": 40},
    ),
    "GPT, tied": (nets.GPT, nets.words(), nets.logits, {"optimizer": ADAMW, "lr": 1e-3, "steps": 50}),
    "ViT": (nets.ViT, nets.pictures(32), nets.logits, {"optimizer": ADAMW, "lr": 1e-3, "steps": 30}),
    "gates": (nets.Gated, nets.pictures(), nets.logits, {"optimizer": ADAM, "lr": 3e-3, "steps": 150}),
    "autoencoder": (nets.autoencoder, copies, nets.squares, {"optimizer": ADAM, "lr": 3e-3, "steps": 120}),
    "logistic": (lambda: nn.Linear(32, 10), nets.vectors(), nets.logits, {"lr": 0.5}),
    "low-rank branch": (LowRank, nets.vectors(), nets.logits, {"optimizer": ADAM, "lr": 3e-3}),
    "zero branches": (ZeroBranches, nets.vectors(), nets.logits, {"optimizer": ADAM, "lr": 1e-3}),
    "GPT, fast": (nets.GPT, nets.words(), nets.logits, {"optimizer": ADAMW, "lr": 3e-3, "steps": 30}),
    "RMSprop, ten steps": (
        lambda: nets.mlp(3), nets.vectors(), nets.logits, {"optimizer": torch.optim.RMSprop, "lr": 1e-3, "steps": 10},
    ),
    "frozen backbone": (fine_tuned, nets.vectors(), nets.logits, {"lr": 0.05}),
}  # fmt: skip


def of_layers(run) -> list[Finding]:
    """The findings of families NN4 and NN5."""
    return [f for f in nndoctor.diagnose(run).findings if f.code[:3] in ("NN4", "NN5")]


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_network_gets_no_warning(name, tmp_path):
    """Networks of every kind that train get no error and no warning, of any rule."""
    make, batch, loss, settings = HEALTHY[name]
    run = nets.train(tmp_path / "run", make(), batch, loss, **settings)
    assert [f"{f.name}: {f.message}" for f in nndoctor.diagnose(run).at_least(Severity.WARNING)] == []


def biased(layer: int, value: float) -> nn.Module:
    """A healthy network with one layer's bias far below zero."""
    model = nets.mlp(3, init=nets.he)
    nn.init.constant_(model[2 * layer].bias, value)
    return model


def equal(model: nn.Module, value: float) -> nn.Module:
    """All weights of all layers one value, biases torch's own."""
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.constant_(parameter, value)
    return model


def headstrong() -> nn.Module:
    """A head twenty times too large."""
    model = nets.mlp(3, init=nets.he)
    nn.init.normal_(model[-1].weight, std=3.0)
    return model


class Loop(nn.Module):
    """A recurrent network whose state grows at every place."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.RNN(6, 32, nonlinearity="relu", batch_first=True), nn.Linear(32, 2)
        nn.init.eye_(self.rnn.weight_hh_l0)
        self.rnn.weight_hh_l0.data.mul_(1.8)

    def forward(self, x):
        """Logits."""
        return self.head(self.rnn(x)[0][:, -1])


def sequences(step):
    """Long sequences of two classes."""
    x = torch.randn(32, 40, 6, generator=torch.Generator().manual_seed(step))
    return x, (x[:, 0, 0] > 0).long()


def silent(value: float) -> nn.Module:
    """Convolutions, the second with a low bias."""
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    nn.init.constant_(model[2].bias, value)
    return model


def shares(model, batch):
    """Cross-entropy written out; from the thirtieth call on small probabilities are cut to zero."""
    model.calls = getattr(model, "calls", 0) + 1
    p = torch.softmax(model(batch[0]), 1)
    p = torch.where(p < 0.2, torch.zeros_like(p), p) if model.calls > 30 else p
    return -torch.log(p[torch.arange(len(p)), batch[1]]).mean()


class Cut(nn.Module):
    """Two parts with the gradient cut between."""

    def __init__(self) -> None:
        super().__init__()
        self.front, self.back = nets.mlp(2, init=nets.he, outputs=64), nets.mlp(1, inputs=64)

    def forward(self, x):
        """Logits."""
        return self.back(self.front(x).detach())


class Blind(nn.Module):
    """A network that multiplies its input by zero."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nets.mlp(2, init=nets.he)

    def forward(self, x):
        """Logits."""
        return self.net(0 * x)


def far(step):
    """Targets far from zero."""
    x, y = nets.curves()(step)
    return x, y + 50


def loud(step):
    """Inputs a hundred times too large."""
    x, y = nets.vectors()(step)
    return 50 * x, y


SICK = {
    "dead by bias": ("NN401", "3", lambda: biased(1, -8.0), {"lr": 0.05}),
    "dead by learning rate": ("NN401", None, lambda: nets.mlp(3, init=nets.he), {"optimizer": ADAM, "lr": 0.5}),
    "saturated tanh": ("NN402", "1", lambda: nets.mlp(3, 64, nn.Tanh, normal(1.0)), {"lr": 0.05}),
    "saturated sigmoid": ("NN402", "1", lambda: nets.mlp(3, 64, nn.Sigmoid, normal(3.0)), {"lr": 0.05}),
    "vanishing, sigmoid": ("NN403", "0", lambda: nets.mlp(8, 64, nn.Sigmoid), {}),
    "vanishing, ReLU": ("NN403", "0", lambda: nets.mlp(20), {}),
    "exploding": ("NN404", None, lambda: nets.mlp(6, init=normal(1.0)), {"lr": 1e-9}),
    "cut off": ("NN405", "front.0", Cut, {}),
    "rate too low": ("NN406", None, lambda: nets.mlp(3, init=nets.he), {"lr": 1e-7}),
    "sigmoids": ("NN407", "1", lambda: nets.mlp(3, 64, nn.Sigmoid, nn.init.xavier_normal_), {"lr": 0.3}),
    "NaN": ("NN408", None, lambda: nets.mlp(3, init=nets.he), {"lr": 1e5, "every": 1}),
    "input ignored": ("NN409", "net.0", Blind, {}),
    "all zero": ("NN501", "0", lambda: nets.mlp(3, init=nn.init.zeros_), {}),
    "all equal": ("NN501", "0", lambda: equal(nets.mlp(3), 0.05), {}),
    "signal shrinks": ("NN502", "8", lambda: nets.mlp(5, init=normal(0.01)), {}),
    "signal grows": ("NN503", "10", lambda: nets.mlp(6, init=normal(0.6)), {"lr": 1e-7}),
    "Xavier under ReLU": ("NN504", "2", lambda: nets.mlp(20, init=nn.init.xavier_normal_), {}),
    "He under tanh": ("NN504", "1", lambda: nets.mlp(6, 64, nn.Tanh, nets.he), {"lr": 0.05}),
    "head too large": ("NN505", "6", headstrong, {"lr": 1e-3}),
}


FEW = ("dead by bias", "saturated tanh", "vanishing, sigmoid", "all equal", "signal shrinks", "head too large")


@pytest.mark.parametrize(("name", "every"), [*((name, 3) for name in SICK), *((name, "auto") for name in FEW)])
def test_a_sick_network_is_named_with_its_layer(name, every, tmp_path):
    """A planted fault is found in a short run, sampled often or as the recorder chooses, with the layer it sits in."""
    code, layer, make, settings = SICK[name]
    run = nets.train(tmp_path / "run", make(), nets.vectors(), **({"every": every, "steps": 40} | settings))
    found = {f.code: f for f in of_layers(run)}
    assert code in found, [f"{f.name}: {f.message}" for f in found.values()]
    assert layer in (None, found[code].location.layer)
    assert found[code].location.layer in run.layers
    assert found[code].evidence


def test_the_cause_of_dead_units_is_distinguished(tmp_path):
    """The bias, the learning rate and the initialization are each named where each did it."""
    low = of_layers(nets.train(tmp_path / "a", biased(1, -8.0), nets.vectors(), lr=0.05))[0]
    fast = of_layers(nets.train(tmp_path / "b", nets.mlp(3, init=nets.he), nets.vectors(), optimizer=ADAM, lr=0.5))[0]
    drawn = nets.mlp(3, init=lambda w: nn.init.normal_(w, mean=-0.15, std=0.05))
    begun = of_layers(nets.train(tmp_path / "c", drawn, nets.vectors(), lr=0.05))[0]
    assert [f.causes[0].name for f in (low, fast, begun)] == ["the bias", "the learning rate", "the initialization"]
    assert fast.location.step > 0


def test_saturation_by_inputs_is_reported_from_saturation_by_weights(tmp_path):
    """Inputs too large saturate the first layer alone."""
    run = nets.train(tmp_path / "a", nets.mlp(2, 64, nn.Tanh), loud, lr=0.01)
    found = next(f for f in of_layers(run) if f.code == "NN402")
    assert found.causes[0].name == "the inputs"


@pytest.mark.parametrize("every", ["auto", 3])
@pytest.mark.parametrize(
    ("name", "make", "batch", "loss", "settings", "code", "layer", "cause"),
    [
        ("thrown", lambda: nets.mlp(3, 64, nn.GELU, init=nets.he), nets.vectors(), nets.logits,
         {"optimizer": ADAM, "lr": 0.1, "steps": 80}, "NN406", None, None),
        ("zeros, biases not", lambda: equal(nets.mlp(3), 0.0), nets.vectors(), nets.logits, {"lr": 0.05},
         "NN501", "0", None),
        ("inputs", lambda: nets.mlp(3, 64, nn.Tanh, nn.init.xavier_normal_), loud, nets.logits, {"lr": 0.005},
         "NN402", "1", "the inputs"),
        ("silent convolution", lambda: silent(-6.0), nets.pictures(32), nets.logits, {"lr": 0.02},
         "NN401", "3", "the bias"),
        ("log of zero", lambda: nets.mlp(2, init=nets.he), nets.vectors(), shares, {"lr": 0.05},
         "NN301", None, "numbers outside the loss's range"),
    ],
)  # fmt: skip
def test_the_right_rule_leads_with_the_right_layer_and_cause(
    name, make, batch, loss, settings, code, layer, cause, every, tmp_path
):
    """Of a planted fault the report's first finding is the fault, not one of its symptoms."""
    primary = nndoctor.diagnose(
        nets.train(tmp_path / "a", make(), batch, loss, **{"steps": 60, "every": every} | settings)
    ).primary
    assert primary is not None, name
    assert primary.code == code, primary.message
    assert layer in (None, primary.location.layer)
    assert cause is None or primary.causes[0].name == cause


@pytest.mark.parametrize("every", ["auto", 3])
def test_numbers_lost_through_the_initialization_are_not_laid_on_the_rate(every, tmp_path):
    """A recurrent network that explodes before any step loses its numbers at once: the weights' start is the cause."""
    run = nets.train(tmp_path / "a", Loop(), sequences, lr=1e-7, steps=20, every=every)
    report = nndoctor.diagnose(run)
    assert report.primary.name in ("nan-loss", "nan-in-layer")
    assert report.primary.causes[0].name == "weights too large at the start"
    assert "exploding-gradient" in [f.name for f in report.at_least(Severity.WARNING)]


def test_layers_missing_from_the_optimizer_are_named(tmp_path):
    """A layer that the optimizer was not given is a warning; one that is frozen on purpose is not."""
    model = nets.mlp(3, init=nets.he)
    run = nets.train(tmp_path / "a", model, nets.vectors(), parameters=list(model.parameters())[2:])
    found = next(f for f in of_layers(run) if f.code == "NN405")
    assert (found.severity, found.location.layer) == (Severity.WARNING, "0")
    frozen = nets.train(tmp_path / "b", fine_tuned(), nets.vectors(), lr=0.05)
    assert [f.severity for f in of_layers(frozen) if f.code == "NN405"] == [Severity.INFO]


def test_a_squared_error_far_from_the_mean_predictors_is_found(tmp_path):
    """Targets around 50 make the first loss a thousand times that of predicting their mean."""
    run = nets.train(
        tmp_path / "a", nets.mlp(2, inputs=16, outputs=1), far, nets.squares, optimizer=ADAM, lr=0.01, steps=300
    )
    assert "NN505" in [f.code for f in of_layers(run)]


def test_a_nan_in_the_data_is_seen_in_the_first_layer(tmp_path):
    """The step and the layer are those of the batch that held it."""

    def poisoned(step):
        x, y = nets.vectors()(step)
        return (x * float("nan") if step == 20 else x), y

    run = nets.train(tmp_path / "a", nets.mlp(3, init=nets.he), poisoned, every=1, steps=30)
    found = of_layers(run)[0]
    assert (found.code, found.location.layer, found.location.step) == ("NN408", "0", 20)
    assert found.causes[0].name == "NaN in the data"


@pytest.mark.parametrize("every", ["auto", 25])
def test_a_loss_lost_before_a_layer_is_seen_leads_the_report(every, tmp_path):
    """Thrown out by a rate of a million: the loss leads with the rate as its cause, and names the layer seen next."""
    run = nets.train(tmp_path / "a", nets.mlp(3, init=nets.he), nets.vectors(), lr=1e6, every=every, steps=60)
    report = nndoctor.diagnose(run)
    assert report.primary.name == "nan-loss"
    assert report.primary.location.layer == "0"
    assert "weights of layer 0 (Linear) at step" in report.primary.evidence["first_seen_in"]
    assert report.primary.causes[0].name == "learning rate too high"
    printed = next(f for f in report.findings if f.name == "nan-in-layer")
    assert printed.severity is Severity.INFO


def test_a_layer_named_by_a_number_is_reported_with_its_kind(tmp_path):
    """`layer 3 (ReLU)` in the message, the bare path in the location."""
    model = nets.mlp(3, init=nets.he)
    nn.init.constant_(model[2].bias, -8.0)
    (found,) = [f for f in of_layers(nets.train(tmp_path / "a", model, nets.vectors(), lr=0.05)) if f.code == "NN401"]
    assert "in layer 3 (ReLU) are dead" in found.message
    assert found.location.layer == "3"


def test_one_cause_stands_for_its_symptoms(tmp_path):
    """A dead layer's constant output, vanished gradient and flat loss are not told again."""
    report = nndoctor.diagnose(nets.train(tmp_path / "a", biased(2, -20.0), nets.vectors(), lr=0.05))
    assert [f.name for f in report.at_least(Severity.WARNING)] == ["dead-relu"]
    assert report.primary.location.layer == "5"
