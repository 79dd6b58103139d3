"""What is recorded is what a calculation by hand gives."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

from nndoctor import Recorder
from tests.recorder.nets import layers, mlp, seed, seen, train


def one_step(folder, model, optimizer, x, loss_of, **options):
    """One sampled step."""
    with Recorder(model, optimizer, folder, every=1, **options) as rec:
        optimizer.zero_grad()
        loss = loss_of(model(x))
        loss.backward()
        optimizer.step()
        rec.step(loss=loss)
    assert rec.off == "closed"


def only(folder, layer, statistic):
    """The one value that was recorded."""
    (value,) = seen(folder, layer, statistic).values()
    return value


def test_output_statistics_of_small_layers_are_exact(tmp_path):
    """An output that fits into the sample whole has its true mean, spread, zeros and saturated share."""
    seed()
    model = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 9), nn.Tanh(), nn.Linear(9, 5), nn.Sigmoid())
    x = 4 * torch.randn(32, 10)
    with torch.no_grad():
        outputs = {str(k): model[: k + 1](x) for k in range(6)}
    one_step(tmp_path, model, torch.optim.SGD(model.parameters(), lr=0.1), x, lambda y: y.square().mean())
    for layer, y in outputs.items():
        assert only(tmp_path, layer, "mean") == pytest.approx(y.mean().item(), rel=1e-4, abs=1e-6)
        assert only(tmp_path, layer, "std") == pytest.approx(y.std(correction=0).item(), rel=1e-4)
        assert only(tmp_path, layer, "zero_fraction") == pytest.approx((y == 0).float().mean().item(), abs=1e-6)
    tanh, sigmoid = outputs["3"], outputs["5"]
    assert only(tmp_path, "3", "saturated_fraction") == pytest.approx((tanh.abs() > 0.94).float().mean().item())
    near = (sigmoid < 0.03) | (sigmoid > 0.97)
    assert only(tmp_path, "5", "saturated_fraction") == pytest.approx(near.float().mean().item())
    assert not seen(tmp_path, "1", "saturated_fraction")


def test_gradient_and_weight_norms_are_exact(tmp_path):
    """A layer's gradient norm is that of all of its parameters, the run's that of all layers; quantiles those of sizes."""
    seed()
    model = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 4))
    x = torch.randn(32, 10)
    model(x).square().mean().backward()
    grads = {k: [p.grad.clone() for p in model[int(k)].parameters()] for k in "02"}
    weight = model[0].weight.detach().norm().item()
    one_step(tmp_path, model, torch.optim.SGD(model.parameters(), lr=0.1), x, lambda y: y.square().mean())
    norms = {k: float(torch.stack([g.norm() for g in gs]).norm()) for k, gs in grads.items()}
    for k, norm in norms.items():
        assert only(tmp_path, k, "grad_norm") == pytest.approx(norm, rel=1e-5)
    sizes = np.sort(grads["0"][0].abs().numpy().ravel())
    for name, q in (("grad_low", 0.05), ("grad_median", 0.5), ("grad_high", 0.95)):
        assert only(tmp_path, "0", name) == pytest.approx(sizes[int(q * len(sizes))], rel=1e-5)
    assert only(tmp_path, "0", "weight_norm") == pytest.approx(weight, rel=1e-5)
    row = (tmp_path / "run.csv").read_text().splitlines()
    table = dict(zip(row[0].split(","), row[1].split(","), strict=True))
    assert float(table["grad_norm"]) == pytest.approx(np.hypot(*norms.values()), rel=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adadelta"])
def test_the_update_ratio_is_that_of_the_step_taken(name, tmp_path):
    """The ratio is the change of the weights over the weights, whatever the optimizer did."""
    seed()
    model = mlp()
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=0.01)
    old = model[2].weight.detach().clone()
    one_step(tmp_path, model, optimizer, torch.randn(8, 12), lambda y: y.square().mean())
    ratio = ((model[2].weight.detach() - old).norm() / old.norm()).item()
    assert only(tmp_path, "2", "update_ratio") == pytest.approx(ratio, rel=1e-3)


def test_a_large_weight_s_ratio_is_estimated_from_a_stretch(tmp_path):
    """Of a weight of a million values a sample is taken: ratio and norm are near the true ones."""
    seed()
    model = nn.Sequential(nn.Linear(1000, 1000), nn.ReLU(), nn.Linear(1000, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    old = model[0].weight.detach().clone()
    one_step(tmp_path, model, optimizer, torch.randn(64, 1000), lambda y: y.square().mean())
    ratio = ((model[0].weight.detach() - old).norm() / old.norm()).item()
    assert only(tmp_path, "0", "update_ratio") == pytest.approx(ratio, rel=0.1)
    assert only(tmp_path, "0", "weight_norm") == pytest.approx(old.norm().item(), rel=0.1)


def test_a_unit_is_dead_only_when_silent_over_the_whole_probe_set(tmp_path):
    """Units that never fire count as dead after 256 examples; one that fires on one example in a hundred does not."""
    seed()
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.fill_(1.0)
        model[0].bias[:3] = -1.0  # three dead
        model[0].weight[3, 0], model[0].bias[3] = 1.0, -5.0  # fires on a rare example only
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for k in range(8):
            x = torch.zeros(64, 4)
            if k % 2:
                x[17, 0] = 9.0
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    dead = seen(tmp_path, "1", "dead_fraction")
    assert min(dead) == 3  # before, fewer than 256 examples were seen
    assert set(dead.values()) == {3 / 8}


def test_units_of_one_sign_and_constant_outputs_are_seen(tmp_path):
    """Shares of units with one sign over the batch, and of units that are the same for all examples."""
    model = nn.Sequential(nn.Linear(3, 4))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]))
        model[0].bias.copy_(torch.tensor([0.0, 10, -3, 2]))
    x = torch.linspace(-1, 1, 32)[:, None].expand(32, 3).contiguous()
    one_step(tmp_path, model, torch.optim.SGD(model.parameters(), lr=0.0), x, lambda y: y.square().mean())
    assert only(tmp_path, "0", "one_sign") == 0.75
    assert only(tmp_path, "0", "same_examples") == 0.5


def test_large_numbers_are_not_taken_for_infinite_ones(tmp_path):
    """Outputs, gradients and weights of 1e20 are finite, though their squares are not in single precision."""
    seed()
    model = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 4))
    with torch.no_grad():
        model[0].weight.mul_(1e21)
    one_step(tmp_path, model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(8, 10), lambda y: y.mean())
    for layer in ("0", "1", "2"):
        assert only(tmp_path, layer, "nonfinite_output") == 0
    assert [only(tmp_path, layer, "nonfinite_grad") for layer in ("0", "2")] == [0, 0]
    assert only(tmp_path, "0", "nonfinite_weight") == 0
    assert "nonfinite" not in json.loads((tmp_path / "run.json").read_text())


def test_a_small_spread_about_a_large_mean_is_measured(tmp_path):
    """An output of 10,000 give or take 0.1 has its true deviation."""
    seed()
    model = nn.Sequential(nn.Linear(10, 5))
    nn.init.constant_(model[0].bias, 1e4)
    nn.init.normal_(model[0].weight, std=0.03)
    x = torch.randn(32, 10)
    with torch.no_grad():
        true = model(x).double().std(correction=0).item()
    one_step(tmp_path, model, torch.optim.SGD(model.parameters(), lr=0.1), x, lambda y: y.mean())
    assert only(tmp_path, "0", "std") == pytest.approx(true, rel=0.01)


@pytest.mark.parametrize("side", ["weight", "forward", "gradient"])
def test_the_birthplace_of_nan_is_named(side, tmp_path):
    """Layer, side and step where numbers first stop being finite."""
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def spoil(gradient):
        return gradient * float("nan")

    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for k in range(6):
            if k == 3:
                if side == "weight":
                    with torch.no_grad():
                        model[2].weight[0, 0] = float("nan")
                elif side == "forward":
                    model[3].register_forward_hook(lambda _m, _a, out: out / 0, prepend=True)
                else:
                    model[2].bias.register_hook(spoil)
            loss = model(torch.randn(8, 12)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    born = json.loads((tmp_path / "run.json").read_text())["nonfinite"]
    assert (born["step"], born["side"], born["layer"]) == (3, side, "3" if side == "forward" else "2")


def test_the_gradient_norm_is_that_before_clipping(tmp_path):
    """Clipping between backward and step changes no recorded gradient."""
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        loss = 100 * model(torch.randn(8, 12)).square().mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1).item()
        optimizer.step()
        rec.step(loss=loss)
    header, row = (tmp_path / "run.csv").read_text().splitlines()
    assert float(dict(zip(header.split(","), row.split(","), strict=True))["grad_norm"]) == pytest.approx(
        norm, rel=1e-5
    )


def test_accumulated_gradients_are_recorded_whole_and_give_the_noise_scale(tmp_path):
    """Of four passes the sum is recorded; the noise scale comes near the true one of a known gradient."""
    seed()
    model = nn.Linear(50, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    signal = torch.full((50,), 0.3)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(300):
            optimizer.zero_grad()
            for _ in range(4):
                loss = model((signal + torch.randn(50))[None]).sum()  # gradient: signal + noise of variance 1
                loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    lines = (tmp_path / "run.csv").read_text().splitlines()
    noise = [float(v) for line in lines[1:] if (v := line.split(",")[lines[0].split(",").index("noise_scale")])]
    assert np.median(noise) == pytest.approx(50 / (50 * 0.09), rel=0.3)


def test_gradients_taken_away_between_passes_are_no_accumulation(tmp_path):
    """Of a discriminator whose gradients of the generator's pass are thrown away only its own count."""
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for none in (True, False) * 5:
            model(100 * torch.randn(8, 12)).sum().backward()
            optimizer.zero_grad(set_to_none=none)
            loss = model(torch.randn(8, 12)).square().mean()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert "noise_scale" not in (tmp_path / "run.csv").read_text()


def test_the_first_loss_is_compared_with_ln_classes(tmp_path):
    """The kind of the loss, the classes and the chance level are read from the loss's own graph."""
    seed()
    model = mlp()
    train(model, torch.optim.SGD(model.parameters(), lr=0.1), tmp_path, steps=2)
    facts = json.loads((tmp_path / "run.json").read_text())
    assert facts["loss"] == "cross-entropy"
    assert facts["num_classes"] == 3
    assert facts["baseline_loss"] == pytest.approx(np.log(3))
    assert abs(facts["initial_loss"] - np.log(3)) < 0.5


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("places", [False, True])
def test_the_loss_of_guessing_is_known_of_sequences_and_smoothed_labels(smoothing, places, tmp_path):
    """Ln C is found behind the views of a loss over places, and behind label smoothing."""
    model = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 7))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        out, y = model(torch.randn(4, 5, 12)), torch.randint(7, (4, 5))
        out, y = (out.transpose(1, 2), y) if places else (out.flatten(0, 1), y.flatten())
        loss = functional.cross_entropy(out, y, label_smoothing=smoothing)
        loss.backward()
        optimizer.step()
        rec.step(loss=loss)
    facts = json.loads((tmp_path / "run.json").read_text())
    assert facts["num_classes"] == 7
    assert facts["baseline_loss"] == pytest.approx(math.log(7))


def test_a_penalty_added_to_the_loss_leaves_guessing_unknown(tmp_path):
    """Of a sum of two terms the loss of guessing is not ln C, and none is claimed."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        loss = functional.cross_entropy(model(torch.randn(8, 12)), torch.randint(3, (8,))) + model[0].weight.norm()
        loss.backward()
        optimizer.step()
        rec.step(loss=loss)
    assert "baseline_loss" not in json.loads((tmp_path / "run.json").read_text())


def test_the_table_has_every_step_s_loss_and_each_group_s_learning_rate(tmp_path):
    """run.csv holds a row for each step, sampled or not."""
    seed()
    model = mlp()
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters(), "lr": 0.02}]
    optimizer = torch.optim.SGD(groups)
    losses = []
    with Recorder(model, optimizer, tmp_path, every=7) as rec:
        for _ in range(20):
            loss = functional.cross_entropy(model(torch.randn(8, 12)), torch.randint(3, (8,)))
            loss.backward()
            optimizer.step()
            rec.step(loss=loss, accuracy=0.5)
            losses.append(loss.item())
    lines = [line.split(",") for line in (tmp_path / "run.csv").read_text().splitlines()]
    at = {name: k for k, name in enumerate(lines[0])}
    assert [int(line[at["step"]]) for line in lines[1:]] == list(range(20))
    assert [float(line[at["loss"]]) for line in lines[1:]] == pytest.approx(losses, rel=1e-6)
    assert {(line[at["lr"]], line[at["lr_1"]], line[at["accuracy"]]) for line in lines[1:]} == {("0.1", "0.02", "0.5")}
    assert layers(tmp_path) == ("0", "1", "2", "3", "4")
    assert list(seen(tmp_path, "0", "mean")) == [0, 7, 14]


def test_what_hangs_in_no_optimizer_and_what_is_frozen_is_reported(tmp_path):
    """Frozen layers, and layers that should train and that the optimizer does not hold."""
    seed()
    model = mlp()
    model[0].requires_grad_(False)
    train(model, torch.optim.SGD(model[4].parameters(), lr=0.1), tmp_path, steps=3)
    facts = json.loads((tmp_path / "run.json").read_text())
    assert facts["frozen_layers"] == ["0"]
    assert facts["not_in_optimizer"] == ["2"]
    assert set(seen(tmp_path, "0", "update_ratio").values()) == {0.0}
