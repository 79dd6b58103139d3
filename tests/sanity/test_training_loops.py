"""The training loops of scripts as the step that is judged, and what a step shows that single examples do not."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.exchanges import PARTS  # noqa: E402
from nndoctor.sanity.methods import own_method  # noqa: E402
from nndoctor.sanity.observe import Observer  # noqa: E402
from nndoctor.sanity.probes import follow, objective, own_step  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.structured import structured  # noqa: E402

LOOP = """
def train(epoch):
    for step, (inputs, labels) in enumerate(train_data):
        ZERO
        output = model(inputs)
        value = loss(output, labels); value.backward()
        if step % EVERY == EVERY - 1: optimizer.step()
        print(value)
"""
EPISODES = """
policy = nn.Linear(4, 3); model = policy; del loss, train_data, validation_data
optimizer = torch.optim.Adam(policy.parameters(), 1e-2)
def main():
    for _ in range(50):
        chosen, rewards = [], torch.randn(12)
        for _ in range(12):
            of = torch.distributions.Categorical(logits=policy(torch.randn(1, 4)))
            chosen.append(of.log_prob(of.sample()))
        total = torch.stack([SIGN one * reward for one, reward in zip(chosen, rewards)]).sum()
        optimizer.zero_grad(); total.backward(); optimizer.step()
"""
SIZES = """
class Boxes(nn.Module):
    def __init__(self): super().__init__(); self.a = nn.Linear(8, 5)
    def forward(self, v): return self.a(v)
model = Boxes(); optimizer = torch.optim.Adam(model.parameters()); del loss
here = (torch.rand(240, 5) < 0.1).float(); sizes = here * torch.rand(240, 5)
train_data = DataLoader(TensorDataset(x, sizes), batch_size=40)
def step(model, batch): return ((model(batch[0]) - batch[1]).abs() * WHERE).mean()
"""
SCORED = """
class Scorer(nn.Module):
    def __init__(self): super().__init__(); self.body = nn.Linear(8, 3)
    def forward(self, v): return v
    def helper(self, v): return self.body(v)
    def scores(self, v): return self.helper(v)
    def objective(self, v, t): return nn.functional.cross_entropy(self.helper(v), t)
model = Scorer(); optimizer = torch.optim.Adam(model.parameters()); del loss
def step(model, batch): return BODY
"""


def loop(zero: str = "optimizer.zero_grad()", every: int = 1) -> str:
    """A training loop."""
    return LOOP.replace("ZERO", zero).replace("EVERY", str(every))


@pytest.mark.parametrize(("zero", "carried"), [("optimizer.zero_grad()", 0.0), ("pass", 1.0)])
def test_gradients_that_a_loop_does_not_reset(probed, zero, carried):
    facts = probed(loop(zero), own_step.probe)
    assert facts["gradient_carried"] == pytest.approx(carried, abs=1e-3)


def test_a_loop_that_steps_in_much_later_batches_only_is_not_used(examined):
    single = "train_data = DataLoader(TensorDataset(x, y), batch_size=1, shuffle=True)\n"
    report = examined(single + loop(every=150), budget=4.0)
    notes = " ".join(report.run.notes)
    assert "the training loop of the file is not used: its optimizer does not step in its first batches" in notes
    assert not any(finding.name == "frozen-parameters" for finding in report.findings)


def test_a_loop_that_adds_up_gradients_goes_through_its_batch_until_it_steps(probed):
    facts = probed(loop("if step % 4 == 0: optimizer.zero_grad()", every=4), own_step.probe)
    assert facts["gradient_carried"] == pytest.approx(0.0, abs=1e-3)


def test_a_loop_that_reads_arguments_sees_none_of_those_of_another_command(probed, monkeypatch):
    monkeypatch.setattr("sys.argv", ["nndoctor", "sanity", "model.py"])
    reads = "import argparse\n    argparse.ArgumentParser().parse_args()\n    for step"
    facts = probed(loop().replace("for step", reads), own_step.probe)
    assert facts["gradient_carried"] == pytest.approx(0.0, abs=1e-3)


def test_a_loop_that_fails_is_not_used(examined):
    report = examined("def train():\n    missing\n    for a, b in train_data: loss(model(a), b).backward()", budget=4.0)
    assert "the training loop of the file is not used: (line 16): train() fails: NameError" in " ".join(
        report.run.notes
    )


@pytest.mark.parametrize("drawn", ["torch.randn(12)", "torch.rand(12) + 0.1", "-torch.rand(12)"])
@pytest.mark.parametrize(
    ("term", "lowered"), [("one * reward", True), ("-one * reward", False), ("one * -reward", False)]
)
def test_the_sign_of_a_policy_whose_choices_are_weighed_one_by_one(probed, term, lowered, drawn):
    """Its episodes are its data, and its rewards may all have one sign."""
    change = EPISODES.replace("SIGN one * reward", term).replace("torch.randn(12)", drawn)
    assert probed(change, objective.probe)["advantages_lowered"] is lowered


@pytest.mark.parametrize(("where", "compared"), [("1.0", True), ("here[:len(batch[0])]", False)])
def test_outputs_of_which_the_loss_leaves_out_most_need_not_follow_their_target(probed, where, compared):
    def meets(bench):
        bench.fact("meets", follow.meets(bench, bench.batch))

    assert probed(SIZES.replace("WHERE", where), meets)["meets"] is compared


@pytest.mark.parametrize("shape", [(6, 30, 2), (6, 2, 30)])
def test_the_places_of_a_sequence_stand_before_or_behind_its_channels(shape):
    given = torch.randn(shape)
    changed = PARTS["other_places_than_the_first"](given, 1)
    kept = (changed == given).all(0)
    assert kept.sum() == 2
    assert kept.select(shape.index(30) - 1, 0).all()


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(("shape", "meets"), [((6, 6), True), ((6,), False)])
def test_outputs_of_all_pairs_meet_the_target_of_each_example(shape, meets):
    output, target = torch.randn(shape, requires_grad=True), torch.randn(6)
    with Observer() as observer:
        torch.nn.functional.mse_loss(output, target)
    assert bool(observer.broadcasts) is meets


def test_identifiers_of_real_data_differ_in_how_often_they_occur():
    draws = torch.Generator().manual_seed(0)
    even = torch.randint(0, 40, (600,), generator=draws)
    popular = (40 * torch.rand(600, generator=draws) ** 3).long()
    assert not structured(even)
    assert structured(popular)


@pytest.mark.parametrize(
    ("body", "method"),
    [
        ("nn.functional.cross_entropy(model.scores(batch[0]), batch[1])", "scores"),
        ("nn.functional.cross_entropy(model.scores(model(batch[0])), batch[1])", None),
        ("model.objective(*batch)", None),
    ],
)
def test_a_method_that_a_step_calls_is_taken_as_the_forward_pass(written, body, method):
    """Not where forward is called as well, nor one that gives the loss."""
    subject = from_file(written(SCORED.replace("BODY", body)))
    found = own_method(subject.model, lambda: subject.run(next(subject.batches())))
    assert (None if found is None else found.name) == method


def test_a_method_that_was_taken_as_the_forward_pass_is_given_back(written):
    body = "nn.functional.cross_entropy(model.scores(batch[0]), batch[1])"
    subject = from_file(written(SCORED.replace("BODY", body)))
    method = own_method(subject.model, lambda: subject.run(next(subject.batches())))
    method.install()
    outputs = []
    handle = subject.model.register_forward_hook(lambda _m, _a, output: outputs.append(output.shape))
    subject.run(next(subject.batches()))
    handle.remove()
    method.restore()
    assert outputs == [(20, 3)]
    assert {"forward", "scores"}.isdisjoint(vars(subject.model))
