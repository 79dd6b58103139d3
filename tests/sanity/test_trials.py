"""What the comparison of a training with a remedy makes of the losses of both."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from torch import nn  # noqa: E402

from nndoctor.experiment.plan import Plan  # noqa: E402
from nndoctor.sanity.bench import Bench, Clock  # noqa: E402
from nndoctor.sanity.probes import fit, tiny  # noqa: E402
from nndoctor.sanity.state import Snapshot  # noqa: E402
from nndoctor.sanity.trials.compare import FEWEST, SEEDS, Result, Trials  # noqa: E402
from nndoctor.sanity.trials.remedies import HIGHER, LOWER  # noqa: E402
from nndoctor.sanity.trials.verify import HARM, _far_outside, _untried, _verified, cures, harm  # noqa: E402


@pytest.fixture
def bench():
    """A bench that knows nothing of the loss."""
    model = nn.Linear(1, 1)
    return Bench(None, Clock(1.0), 1, Snapshot(model))


def ended(*losses: float) -> Result:
    return Result(tuple(2.3 for _ in losses), losses)


def test_a_remedy_that_lowers_the_loss_shows_harm(bench):
    assert harm(bench, ended(1.5, 1.6), ended(0.2, 0.3)) > HARM


def test_a_loss_below_zero_may_still_be_far_from_its_end(bench):
    """As a negative log-likelihood, or a loss whose terms are weighed by learned variances."""
    assert harm(bench, ended(-0.6, -0.6), ended(-7.1, -7.2)) > HARM


def test_a_loss_that_has_reached_zero_leaves_nothing_to_gain(bench):
    assert harm(bench, ended(0.01, 0.01), ended(0.001, 0.001)) == 0


def test_seeds_that_disagree_show_no_harm(bench):
    assert harm(bench, ended(1.5, 1.0), ended(1.2, 1.3)) == 0


@pytest.mark.parametrize(("trainings", "enough"), [(2.5, True), (1.5, False)])
def test_little_time_is_spent_on_one_remedy(bench, trainings, enough):
    bench.clock = Clock(1000.0)
    bench.step_time = bench.clock.budget / (SEEDS * FEWEST * trainings)
    assert Trials(bench).plan() == enough


def test_a_step_that_is_too_small_is_tried_with_a_higher_rate(bench):
    """And one that is too large with a lower one."""
    for ratio, tried in ((1e-4, HIGHER), (0.3, LOWER)):
        evidence = {"update_ratio": ratio, "healthy": 1e-3}
        assert cures(bench, SimpleNamespace(name="update-ratio-off", evidence=evidence)) == (tried,)


def test_what_the_seeds_disagree_on_is_not_called_harmless(bench):
    """The mean of two seeds shows a gain, one of them does not."""
    trials = Trials(bench, steps=100, results={"": ended(1.5, 1.0), "the learning rate ÷10": ended(0.2, 1.1)})
    bench.subject = SimpleNamespace(blind=False)
    found = SimpleNamespace(name="update-ratio-off", confidence=0.5, evidence={})
    _verified(bench, trials, found, (LOWER,))
    assert bench.facts["remark:update-ratio-off"] == (
        "the seeds disagree on whether it does harm: after 100 steps 1.25, with the learning rate ÷10 0.65"
    )


@pytest.mark.parametrize(
    ("side", "gain", "best", "suggested", "seeds", "sure"),
    [
        ("above", -0.01, 0.29, 0.03, 3, True),
        ("above", -0.01, 0.29, 0.03, 1, False),
        ("below", 0.001, 0.29, 100.0, 1, True),
        ("below", 0.001, 0.29, 3.0, 1, False),
        ("below", 0.1, 0.29, 100.0, 1, False),
    ],
    ids=["far too high", "one seed only", "far too low", "a slow start", "learns"],
)
def test_a_range_test_alone_shows_what_is_far_outside(bench, side, gain, best, suggested, seeds, sure):
    bench.facts.update(lr_side=side, lr_gain=gain, lr_best_gain=best, lr_suggested=suggested, lr_configured=0.3)
    bench.facts.update(lr_seeds=seeds, lr_agree=seeds)
    assert _far_outside(bench) == sure


@pytest.mark.parametrize(("optimizer", "verdict"), [("SGD", "harm"), ("AdamW", "remark")])
def test_large_gradients_are_no_warning_where_steps_do_not_grow_with_them(bench, optimizer, verdict):
    bench.facts["optimizer"] = optimizer
    _untried(bench, SimpleNamespace(name="exploding-gradient"), sure=True)
    assert f"{verdict}:exploding-gradient" in bench.facts


def test_a_model_that_makes_its_inputs_tiny_is_compared_with_normalized_ones(examined):
    """It divides bytes by 255 twice, which no scaling of its inputs undoes."""
    change = """
    class Scaled(nn.Module):
        def __init__(self): super().__init__(); self.net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
        def forward(self, v): return self.net(v / 255 / 255)
    x = (x * 60 + 128).clamp(0, 255); model = Scaled(); optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True); validation_data = None
    """
    found = [f for f in examined(change, budget=20.0).findings if f.name == "inputs-not-normalized"]
    assert [str(f.severity) for f in found] == ["warning"]
    assert "for the first layer" in found[0].message


@pytest.fixture
def compared(bench):
    """What is noted of a finding by trainings of which the losses are known; its remedy raises the rate a hundredfold."""

    def judge(name: str, own: Result, other: Result, steps: int = 300, *, step: object = None, **facts) -> dict:
        bench.subject = SimpleNamespace(blind=False, step=step, plan=Plan())
        bench.facts.update(facts)
        words = cures(bench, finding := SimpleNamespace(name=name, confidence=0.5, evidence={}))
        trials = Trials(bench, steps=steps, results={"": own} | {one.words: other for one in words})
        _verified(bench, trials, finding, words)
        return bench.facts

    return judge


BELOW = {"lr_side": "below", "lr_suggested": 0.1, "optimizer": "Adam"}


@pytest.mark.parametrize(("rate", "verdict"), [(5e-5, "remark"), (5e-7, "harm")])
def test_few_steps_tell_only_a_rate_that_is_far_too_low(compared, rate, verdict):
    given = {**BELOW, "lr_suggested": 5e-4, "lr_configured": rate, "lr_gain": 0.0, "lr_best_gain": 0.5}
    found = compared("lr-outside-usable-range", ended(2.3, 2.3), ended(0.1, 0.1), 66, **given)
    assert f"{verdict}:lr-outside-usable-range" in found


SLOW = """
c = torch.arange(200) % 3
x = torch.randn(3, 8)[c] + 0.3 * torch.randn(200, 8)
train_data = DataLoader(TensorDataset(x, c), batch_size=20, shuffle=True); validation_data = None
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)); optimizer = torch.optim.SGD(model.parameters(), 1e-3)
"""


@pytest.mark.parametrize(("line", "severity"), [("", "warning"), ("epochs = 5", "warning"), ("epochs = 3000", "info")])
def test_many_epochs_make_up_for_a_low_rate(examined, line, severity):
    """A file that names none is judged by the trial alone."""
    found = [f for f in examined(SLOW + line).findings if f.name == "lr-outside-usable-range"]
    assert [str(f.severity) for f in found] == [severity]


@pytest.mark.parametrize(("own", "verdict"), [(0.9, "remark"), (1.9, "harm")])
def test_first_weights_that_only_begin_more_slowly_are_a_remark(compared, own, verdict):
    assert f"{verdict}:signal-shrinks" in compared("signal-shrinks", ended(own, own), ended(0.1, 0.1))


def test_a_loss_that_stays_far_above_that_of_a_constant_needs_no_remedy(compared):
    found = compared("initial-loss-off-chance", ended(2e4, 2e4), ended(2e4, 2e4), constant_loss=1.8)
    assert found["harm:initial-loss-off-chance"] == "after 300 steps the loss is 20000"


@pytest.mark.parametrize(("rms", "step", "verdict"), [(2e4, 1, "harm"), (2e4, None, "remark"), (20, 1, "remark")])
def test_units_that_no_remedy_reaches_within_a_step(compared, rms, step, verdict):
    given = {"step": step, "first_layer_rms": float(rms)}
    found = compared("inputs-not-normalized", ended(2e7, 2e7), ended(2e7, 2e7), **given)
    assert f"{verdict}:inputs-not-normalized" in found


def test_a_remedy_that_the_loss_does_not_take_is_no_end_of_the_trials(examined):
    """Standardized outputs are no probabilities."""
    change = """
    x = 40 + 9 * torch.randn(240, 8); y = (x[:, :1] > 40).float()
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid()); loss = nn.BCELoss()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True); validation_data = None
    """
    report = examined(change)
    assert "inputs-not-normalized" in {f.name for f in report.findings}
    assert not [note for note in report.run.notes if "whether remedies help" in note]


def test_a_scale_that_keeps_a_subset_from_being_learned_is_judged_by_itself(probed):
    change = """
    x = torch.randn(240, 3, 4) * torch.tensor([0.1, 8, 0.1, 20.0]) + torch.tensor([0, 8, 0, 24.0]); y = 9 + x[:, -1, 1:2] / 8
    class Memory(nn.Module):
        def __init__(self): super().__init__(); self.memory, self.head = nn.LSTM(4, 16, batch_first=True), nn.Linear(16, 1)
        def forward(self, v): return self.head(self.memory(v)[0][:, -1])
    model = Memory(); loss = nn.MSELoss(); optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True)
    """
    assert probed(change, fit.probe, tiny.probe)["tiny_passed_elsewhere"] == 1
