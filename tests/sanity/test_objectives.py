"""Objectives of a known meaning: adversaries, pairs, flows and quantiles with the right sign and with the wrong one."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import adversaries, alignment, data, endless, flows, pairs, quantiles, shapes, steps  # noqa: E402

GAN = """
class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.make = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 8))
        self.judge = nn.Sequential(nn.Linear(8, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    def forward(self, z): return self.make(z)
model = Gan(); del loss
optimizer = torch.optim.Adam(model.make.parameters(), 1e-3)
other = torch.optim.Adam(model.judge.parameters(), 1e-3)
def train_step(model, batch, optimizer):
    fake = model.make(torch.randn(len(batch[0]), 4))
    apart = torch.relu(1 - model.judge(batch[0])).mean() + torch.relu(1 + model.judge(fake.detach())).mean()
    other.zero_grad(); apart.backward(); other.step()
    fooled = SIGN * model.judge(fake).mean(); optimizer.zero_grad(); fooled.backward(); optimizer.step()
    return apart + fooled
"""
TRIPLETS = """
kind = torch.arange(240) % 6
centre = 2 * torch.randn(6, 8)
a, p, n = (centre[k] + torch.randn(240, 8) for k in (kind, kind, (kind + 1) % 6))
model = nn.Linear(8, 4); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader(TensorDataset(a, p, n), batch_size=40)
def step(model, batch):
    anchor, first, second = (model(one) for one in batch)
    return nn.functional.triplet_margin_loss(anchor, ORDER)
"""
PAIRS = """
kind = torch.arange(240) % 6
centre = 2 * torch.randn(6, 8)
same = (torch.arange(240) // 6) % 2
one, two = (centre[k] + torch.randn(240, 8) for k in (kind, (kind + 1 - same) % 6))
class Distance(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 4)
    def forward(self, left, right): return (self.f(left) - self.f(right)).norm(dim=1)
model = Distance(); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader(TensorDataset(one, two, same.float()), batch_size=40)
def loss(d, t):
    t = LABEL
    return (t * d**2 + (1 - t) * torch.relu(3 - d) ** 2).mean()
"""
FLOW = """
class Flow(nn.Module):
    def __init__(self): super().__init__(); self.net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 8))
    def forward(self, v):
        fixed, free = v.chunk(2, 1); scale, shift = self.net(fixed).chunk(2, 1)
        return torch.cat([fixed, free * scale.tanh().exp() + shift], 1), RETURNED
model = Flow(); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
def step(model, batch):
    z, log_det = model(batch[0])
    return (z**2 / 2).sum(1).mean() SIGN log_det.mean()
"""
QUANTILES = """
model = nn.Linear(8, 3); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
goal = torch.randn(240, 1); levels = LEVELS
train_data = DataLoader(TensorDataset(x, goal), batch_size=40)
def loss(o, t):
    error = DIFFERENCE
    return sum(torch.maximum(q * error[:, k], (q - 1) * error[:, k]).mean() for k, q in enumerate(levels))
"""


@pytest.mark.parametrize(("sign", "alike"), [("", True), ("-", False)])
def test_a_generator_that_is_trained_to_be_recognized_is_seen(probed, sign, alike):
    """A hinge loss: the generator raises the scores of what it makes."""
    assert probed(GAN.replace("SIGN *", sign), adversaries.probe)["scores_pushed_alike"] is alike


@pytest.mark.parametrize(("order", "wrong"), [("second, first", True), ("first, second", False)])
def test_exchanged_triplets_are_seen(probed, order, wrong):
    """The negative in the place of the positive."""
    assert probed(TRIPLETS.replace("ORDER", order), alignment.probe)["order_reversed"] is wrong


@pytest.mark.parametrize(("label", "wrong"), [("1 - t", True), ("t", False)])
def test_exchanged_labels_of_pairs_are_seen(probed, label, wrong):
    """Pairs that belong together are moved apart."""
    assert probed(PAIRS.replace("LABEL", label), alignment.probe)["order_reversed"] is wrong


def test_a_probability_of_being_equal_is_no_distance(probed):
    """A classifier of pairs is not judged by distances."""
    change = PAIRS.replace("LABEL", "t").replace(".norm(dim=1)", ".norm(dim=1).neg().exp()")
    assert "order_reversed" not in probed(change, alignment.probe)


@pytest.mark.parametrize(("sign", "right"), [("-", True), ("+", False)])
def test_the_sign_of_a_log_determinant_is_checked(probed, sign, right):
    """Against the Jacobian of the transformation."""
    change = FLOW.replace("RETURNED", "scale.tanh().sum(1)").replace("SIGN", sign)
    assert probed(change, flows.probe)["log_det_rewarded"] is right


def test_a_log_determinant_that_is_not_that_of_the_jacobian_is_seen(probed):
    """Half of it."""
    facts = probed(FLOW.replace("RETURNED", "scale.tanh().sum(1) / 2").replace("SIGN", "-"), flows.probe)
    assert facts["log_det_told"] == pytest.approx(facts["log_det_true"] / 2, rel=0.01)


@pytest.mark.parametrize(
    ("difference", "levels", "wrong"),
    [
        ("t - o", "(0.1, 0.5, 0.9)", False),
        ("o - t", "(0.1, 0.5, 0.9)", True),
        ("t - o", "(0.9, 0.5, 0.1)", False),
        ("o - t", "[0.1, 0.5, 0.9]", True),
        ("t - o", "torch.tensor([0.1, 0.5, 0.9])", False),
    ],
)
def test_reversed_quantiles_are_seen(probed, difference, levels, wrong):
    """The level that each output gets, against the level that the loss names."""
    change = QUANTILES.replace("DIFFERENCE", difference).replace("LEVELS", levels)
    assert probed(change, quantiles.probe)["quantiles_reversed"] is wrong


def test_several_labels_in_a_loss_of_one_class_are_seen(probed):
    """Cross-entropy takes a class or probabilities of classes."""
    several = "y = (x[:, :3] > 0).float(); train_data = DataLoader(TensorDataset(x, y), batch_size=20)"
    assert probed(several, shapes.probe)["improper_class_probabilities"] > 0.3


def test_mixed_labels_that_sum_to_one_are_not(probed):
    """As mixup makes them."""
    mixed = "y = x[:, :3].softmax(1); train_data = DataLoader(TensorDataset(x, y), batch_size=20)"
    assert probed(mixed, shapes.probe)["improper_class_probabilities"] == 0


@pytest.mark.parametrize(("branch", "endless_fall"), [("minimum", True), ("maximum", False)])
def test_an_error_that_is_maximized_is_seen(probed, branch, endless_fall):
    """The smaller branch of the quantile loss falls without limit in both directions."""
    change = QUANTILES.replace("DIFFERENCE", "t - o").replace("LEVELS", "(0.1, 0.5, 0.9)").replace("maximum", branch)
    assert ("endless_fall" in probed(change, endless.probe)) is endless_fall


def test_a_one_hot_label_among_the_features_is_seen(probed):
    """The healthy twin has the same columns of other examples."""
    coded = "x = torch.cat([x, nn.functional.one_hot(LABEL, 3).float()], 1)\ntrain_data = DataLoader(TensorDataset(x, y), batch_size=80)"
    assert probed(coded.replace("LABEL", "y"), data.probe)["label_one_hot"] == (8, 9, 10)
    assert "label_one_hot" not in probed(coded.replace("LABEL", "y.roll(1)"), data.probe)


@pytest.mark.parametrize(("sign", "follows"), [("-", False), ("", True)])
def test_scores_that_fall_with_similarity_are_seen(probed, sign, follows):
    """Two towers, whose scores are similarities or their negatives."""
    towers = """
class Towers(nn.Module):
    def __init__(self): super().__init__(); self.a, self.b = nn.Linear(8, 4), nn.Linear(8, 4)
    def forward(self, left, right): return self.a(left), self.b(right)
model = Towers(); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
train_data = DataLoader(TensorDataset(x, x.roll(1, 1)), batch_size=20)
def step(model, batch):
    q, k = model(*batch)
    return nn.functional.cross_entropy(SIGN q @ k.T, torch.arange(len(q)))
"""
    assert (probed(towers.replace("SIGN ", sign), pairs.probe)["scores_follow_similarity"] > 0.5) is follows


@pytest.mark.parametrize(("weight", "idle"), [("0", ("second",)), ("1", ())])
def test_a_head_whose_loss_is_multiplied_by_zero_is_seen(probed, weight, idle):
    """Its outputs change nothing."""
    heads = """
class Heads(nn.Module):
    def __init__(self):
        super().__init__(); self.body, self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 3), nn.Linear(8, 1)
    def forward(self, v): h = torch.relu(self.body(v)); return self.first(h), self.second(h)
model = Heads(); optimizer = torch.optim.Adam(model.parameters(), 1e-3)
def step(model, batch):
    scores, size = model(batch[0])
    return nn.functional.cross_entropy(scores, batch[1]) + WEIGHT * (size[:, 0] - batch[0].sum(1)).square().mean()
"""
    assert probed(heads.replace("WEIGHT", weight), steps.probe)["layers_without_effect"] == idle


MIXTURE = """
class Mixture(nn.Module):
    def __init__(self): super().__init__(); self.o = nn.Linear(8, 9)
    def forward(self, v):
        share, mean, spread = self.o(v).chunk(3, 1)
        return share.log_softmax(1), mean, nn.functional.softplus(spread) + 1e-3
model = Mixture(); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
train_data = DataLoader(TensorDataset(x, x[:, :1]), batch_size=20)
def loss(output, target):
    share, mean, spread = output
    return -(share - 0.5 * ((target - mean) / spread) ** 2 - spread.log()).logsumexp(1).mean()
"""


def test_logarithms_of_shares_are_not_moved(probed):
    """They add up to 1, whatever the weights are."""
    assert "endless_fall" not in probed(MIXTURE, endless.probe)
