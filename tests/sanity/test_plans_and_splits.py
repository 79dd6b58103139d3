"""Schedules that a script advances, what only validation examples have, and parts of objectives that are seen in a step."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.experiment.experiment import experiment  # noqa: E402
from nndoctor.sanity.methods import LastPart, stand_in  # noqa: E402
from nndoctor.sanity.probes import data, densities, fit, objective, schedule  # noqa: E402
from nndoctor.sanity.probes.labels import outside  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402

SCHEDULED = """
del train_data, model, optimizer
def main():
    model = nn.Linear(8, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / 40))
    for epoch in range(4):
        for count, (a, b) in enumerate(train_data):
            value = loss(model(a), b); optimizer.zero_grad(); value.backward(); optimizer.step()
            INNER
        OUTER
if __name__ == "__main__": main()
"""


def scheduled(inner="pass", outer="pass"):
    """A script with a warm-up of 40 steps, and 40 steps in 4 epochs."""
    return SCHEDULED.replace("INNER", inner).replace("OUTER", outer)


@pytest.mark.parametrize(
    ("inner", "outer", "peak"),
    [
        ("scheduler.step()", "pass", None),
        ("pass", "scheduler.step()", 4 / 40),
        ("if count % 5 == 0: scheduler.step()", "pass", 8 / 40),
        ("if epoch < 0: scheduler.step()", "scheduler.step()", 4 / 40),
    ],
)
def test_a_warm_up_that_a_script_does_not_advance_far_enough(probed, inner, outer, peak):
    """With each batch it ends with the training; with each epoch, or every few batches, it has hardly begun there."""
    facts = probed(scheduled(inner, outer), schedule.probe)
    assert facts.get("planned_peak") == (None if peak is None else pytest.approx(3e-3 * peak))


def test_a_schedule_that_several_lines_advance_has_no_known_rates(written):
    assert experiment(written(scheduled("scheduler.step()", "scheduler.step()"))).plan.rates == ()


CODES = """
users = torch.arange(240) // 6; x = torch.randn(240, 3)
class Scores(nn.Module):
    def __init__(self): super().__init__(); self.of = nn.Embedding(40, 4); self.out = nn.Linear(7, 1)
    def forward(self, who, what): return self.out(torch.cat([self.of(who), what], 1)).squeeze(1)
model, loss = Scores(), nn.MSELoss(); optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
order = ORDER; users, x, y = users[order], x[order], x[order, 0]
train_data = DataLoader(TensorDataset(users[:200], x[:200], y[:200]), batch_size=20, shuffle=True)
validation_data = DataLoader(TensorDataset(users[200:], x[200:], y[200:]), batch_size=40)
"""


@pytest.mark.parametrize(("order", "unseen"), [("torch.arange(240)", 0.8), ("torch.randperm(240)", 0.0)])
def test_codes_that_only_validation_examples_have(probed, order, unseen):
    """Users of a table that is divided in their order."""
    facts = probed(CODES.replace("ORDER", order), data.probe)
    assert ("unseen_codes" in facts) is (unseen > 0)
    assert unseen == 0 or facts["unseen_codes"][1] > unseen


@pytest.mark.parametrize(("order", "apart"), [("x[:, 0].argsort()", True), ("torch.randperm(240)", False)])
def test_examples_that_are_divided_in_the_order_of_their_targets(probed, order, apart):
    facts = probed(CODES.replace("ORDER", order), data.probe)
    assert ("targets_apart" in facts) is apart


@pytest.mark.parametrize(
    ("last", "rows", "share"),
    [("nn.Softmax(1)", "> 0", 0.5), ("nn.Softmax(1)", "== x.amax(1, True)", 0.0), ("nn.Sigmoid()", "> 0", None)],
)
def test_examples_of_several_classes_under_a_softmax(probed, last, rows, share):
    change = f"""
x = torch.randn(240, 4); y = (x {rows}).float(); train_data = DataLoader(TensorDataset(x, y), batch_size=40)
model, loss = nn.Sequential(nn.Linear(4, 4), {last}), nn.MSELoss(); validation_data = None
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
"""
    found = probed(change, fit.probe).get("several_classes")
    assert found == share if not share else found > share


@pytest.mark.parametrize(("scale", "told"), [(1.0, None), (1 / 255, 1 / 255)])
def test_masks_that_were_divided_by_the_largest_value_of_images(probed, scale, told):
    change = f"""
x = torch.randn(40, 1, 6, 6); y = (x > 0).float() * {scale}
train_data = DataLoader(TensorDataset(x, y), batch_size=20); model, loss = nn.Conv2d(1, 1, 1), nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters()); validation_data = None
"""
    assert probed(change, outside).get("target_instead_of_one") == (None if told is None else pytest.approx(told))


FLOW = """
class Flow(nn.Module):
    def __init__(self): super().__init__(); self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 2))
    def log_prob(self, v):
        kept, moved = v[:, :1], v[:, 1:]
        s, t = self.net(kept).chunk(2, 1)
        z = torch.cat([kept, moved * s.exp() + t], 1)
        return -0.5 * (z.square() + 1.8379).sum(1), s.sum(1)
a = torch.randn(400, 1); x = torch.cat([a, 0.1 * torch.randn(400, 1) + a.sin()], 1)
model = Flow(); optimizer = torch.optim.Adam(model.parameters(), lr=2e-3); del loss; validation_data = None
train_data = DataLoader(TensorDataset(x), batch_size=50, shuffle=True)
def step(model, batch):
    base, log_det = model.log_prob(batch[0])
    return -(base SIGN log_det).mean()
"""


@pytest.mark.parametrize(("sign", "grows"), [("+", False), ("-", True)])
def test_a_density_and_a_log_determinant_as_two_outputs(probed, sign, grows):
    """With the wrong sign their sum is no density any more after some steps."""
    assert ("mass_grown" in probed(FLOW.replace("SIGN", sign), densities.probe)) is grows


PLAYED = """
model = nn.Linear(4, 3); del loss, train_data, validation_data
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
def main():
    for _ in range(50):
        taken = []
        for _ in range(3):
            policy = torch.distributions.Categorical(logits=model(torch.randn(12, 4)))
            action = policy.sample()
            taken.append(policy.log_prob(CHOICE))
        rewards = torch.randn(3, 12)
        total = SIGN (torch.stack(taken) * rewards).mean()
        optimizer.zero_grad(); total.backward(); optimizer.step()
if __name__ == "__main__": main()
"""


@pytest.mark.parametrize(("sign", "lowered"), [("-", False), ("+", True)])
def test_the_sign_of_a_policy_whose_moments_are_stacked(probed, sign, lowered):
    facts = probed(PLAYED.replace("SIGN", sign).replace("CHOICE", "action"), objective.probe)
    assert facts["advantages_lowered"] is lowered


@pytest.mark.parametrize(("choice", "again"), [("action", False), ("policy.sample()", True)])
def test_log_probabilities_of_a_second_sample(probed, choice, again):
    facts = probed(PLAYED.replace("SIGN", "-").replace("CHOICE", choice), objective.probe)
    assert facts["policy_drawn_again"] is again


def test_the_only_part_of_a_model_stands_for_it(written):
    """As the network of a module whose training step calls it and not the module."""
    subject = from_file(
        written("""
class Module(nn.Module):
    def __init__(self): super().__init__(); self.net = nn.Linear(8, 3)
    def training_step(self, batch, index): return nn.functional.cross_entropy(self.net(batch[0]), batch[1])
model = Module(); optimizer = torch.optim.Adam(model.parameters()); del loss
def step(model, batch): return model.training_step(batch, 0)
""")
    )
    batch = next(iter(subject.batches()))
    found = stand_in(subject.model, lambda: subject.run(batch))
    assert isinstance(found, LastPart)
    assert found.part is subject.model.net


GRAPH = """
del train_data, validation_data, model, optimizer
def main():
    links = torch.eye(240) + (torch.rand(240, 240) < 0.02); order = torch.randperm(240)
    train_mask = torch.zeros(240, dtype=torch.bool); train_mask[order[:150]] = True
    train_idx = order[:150]
    net = nn.Linear(8, 3); optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(50):
        output = links @ net(x)
        value = nn.functional.cross_entropy(PAIR)
        optimizer.zero_grad(); value.backward(); optimizer.step()
if __name__ == "__main__": main()
"""


@pytest.mark.parametrize(
    ("pair", "kept"),
    [("output, y", (150, 240)), ("output[train_mask], y[train_mask]", None), ("output[train_idx], y[train_idx]", None)],
)
def test_a_loss_over_all_nodes_of_a_graph(probed, pair, kept):
    """Beside a mask that says which are for training."""
    assert probed(GRAPH.replace("PAIR", pair), data.probe).get("nodes_kept") == kept
