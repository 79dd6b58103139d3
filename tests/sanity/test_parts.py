"""Each part of the objective in the user's own steps: what trains nothing, what is maximized, what is drawn at random."""

from __future__ import annotations

from textwrap import dedent

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import balance, bounds, heldout, noise, objective, shapes  # noqa: E402

TWO = """
class Two(nn.Module):
    def __init__(self):
        super().__init__(); self.body = nn.Linear(8, 6); self.back = nn.Linear(6, 8); self.head = nn.Linear(6, 3)
    def forward(self, v): return self.head(self.body(v))
model = Two(); del loss
optimizer = torch.optim.Adam([*model.body.parameters(), *model.back.parameters()], 1e-2)
other = torch.optim.Adam(model.HELD.parameters(), 1e-2)
def train_step(model, batch, optimizer):
    v, t = batch; code = model.body(v)
    back = nn.functional.mse_loss(model.back(code), GOAL); optimizer.zero_grad(); back.backward(); optimizer.step()
    told = SIGN * nn.functional.cross_entropy(model.head(model.body(v).detach()), t)
    other.zero_grad(); told.backward(); other.step()
    return back + told
"""
ACTOR = """
class Actor(nn.Module):
    def __init__(self):
        super().__init__(); self.policy = nn.Linear(8, 2); self.critic = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
    def forward(self, v): return self.policy(v).tanh()
model = Actor(); del loss
optimizer = torch.optim.Adam(model.policy.parameters(), 1e-3)
other = torch.optim.Adam(model.critic.parameters(), 1e-3)
def train_step(model, batch, optimizer):
    v, _ = batch; done = torch.rand(len(v), 2); reward = done.sum(1, keepdim=True) - v[:, :1]
    fit = nn.functional.mse_loss(model.critic(torch.cat([v, done], 1)), reward)
    other.zero_grad(); fit.backward(); other.step()
    action = model(v); calm = action.square().mean()
    aim = SIGN * model.critic(torch.cat([v, ACTION], 1)).mean() + 0.1 * calm
    optimizer.zero_grad(); aim.backward(); optimizer.step()
    return fit + aim
"""
POLICY = """
del loss
def train_step(model, batch, optimizer):
    v, best = batch
    chosen = torch.distributions.Categorical(logits=model(v)); action = chosen.sample()
    reward = (action == best).float(); advantage = reward - reward.mean()
    aim = SIGN * (LOG * advantage).mean() - 0.01 * chosen.entropy().mean()
    optimizer.zero_grad(); aim.backward(); optimizer.step()
    return aim
"""
PENALTY = """
del loss
def step(model, batch):
    scores = model(batch[0])
    return nn.functional.cross_entropy(scores, batch[1]) + PENALTY
"""
DENOISER = """
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)); del loss
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
def step(model, batch):
    v = batch[0]; noise = torch.randn_like(v)
    out = model(0.7 * v + 0.7 * noise)
    return ERROR
"""


def _two(held="head", goal="v", sign="1"):
    return TWO.replace("HELD", held).replace("GOAL", goal).replace("SIGN", sign)


def _actor(sign="-1", action="action"):
    return ACTOR.replace("SIGN", sign).replace("ACTION", action)


def test_each_of_two_losses_trains_its_own_parameters(probed):
    facts = probed(_two(), objective.probe, shapes.probe)
    assert "idle_pass" not in facts
    assert "maximized_loss" not in facts
    assert "broadcast_shapes" not in facts


def test_an_optimizer_that_holds_other_parameters_than_its_loss_reaches(probed):
    facts = probed(_two(held="back"), objective.probe)
    assert facts["idle_whole"] is True
    assert facts["idle_pass"] == 2
    assert facts["idle_reaches"] == ("head.bias", "head.weight")


def test_a_loss_of_two_that_enters_with_a_minus(probed):
    facts = probed(_two(sign="-1"), objective.probe)
    assert facts["maximized_loss"] == "cross_entropy"
    assert facts["maximized_after"] > facts["maximized_before"]


def test_one_number_that_is_the_target_of_all_outputs(probed):
    facts = probed(_two(goal="v.mean(1, keepdim=True)"), shapes.probe)
    assert facts["broadcast_shapes"] == ("(20, 8)", "(20, 1)")


def test_an_actor_that_raises_the_value_of_its_actions(probed):
    facts = probed(_actor(), objective.probe)
    assert facts["critic_lowered"] is False
    assert "idle_pass" not in facts


def test_an_actor_that_lowers_the_value_of_its_actions(probed):
    assert probed(_actor(sign="1"), objective.probe)["critic_lowered"] is True


def test_costs_are_lowered_on_purpose(probed):
    assert "critic_lowered" not in probed(_actor(sign="1").replace("reward", "cost"), objective.probe)


def test_an_action_that_is_detached_before_the_critic(probed):
    facts = probed(_actor(action="action.detach()"), objective.probe)
    assert facts["idle_whole"] is False
    assert all(name.startswith("critic") for name in facts["idle_reaches"])


@pytest.mark.parametrize("log", ["chosen.log_prob(action)", "model(v).log_softmax(1).gather(1, action[:, None])[:, 0]"])
@pytest.mark.parametrize(("sign", "lowered"), [("-1", False), ("1", True)])
def test_the_direction_of_a_policy_gradient(probed, sign, lowered, log):
    facts = probed(POLICY.replace("SIGN", sign).replace("LOG", log), objective.probe)
    assert facts["advantages_lowered"] is lowered


@pytest.mark.parametrize("aim", ["-advantage * LOG", "LOG * -advantage", "advantage * -LOG"])
def test_a_minus_sign_before_the_advantage_is_that_of_the_loss(probed, aim):
    change = POLICY.replace("SIGN * (LOG * advantage).mean()", f"({aim}).mean()")
    facts = probed(change.replace("LOG", "chosen.log_prob(action)"), objective.probe)
    assert facts["advantages_lowered"] is False


def test_a_term_without_gradient(probed):
    facts = probed(PENALTY.replace("PENALTY", "scores.detach().square().mean()"), objective.probe)
    assert 0 < facts["detached_part"] < facts["detached_whole"]


@pytest.mark.parametrize("penalty", ["scores.square().mean()", "torch.rand(())", "batch[0].square().mean()"])
def test_terms_that_train_or_do_not_depend_on_the_model(probed, penalty):
    assert "detached_part" not in probed(PENALTY.replace("PENALTY", penalty), objective.probe)


@pytest.mark.parametrize("error", ["nn.functional.mse_loss(out, GOAL)", "(out - GOAL).pow(2).mean()"])
def test_noise_that_is_drawn_for_the_target_alone(probed, error):
    healthy = probed(DENOISER.replace("ERROR", error.replace("GOAL", "noise")), noise.probe)
    fresh = probed(DENOISER.replace("ERROR", error.replace("GOAL", "torch.randn_like(v)")), noise.probe)
    assert "target_noise" not in healthy
    assert fresh["target_noise"] > 0.8


def test_small_noise_on_targets_is_little_of_them(probed):
    error = "nn.functional.mse_loss(out, v + 0.1 * torch.rand_like(v))"
    assert probed(DENOISER.replace("ERROR", error), noise.probe)["target_noise"] < 0.05


def test_a_draw_that_decides_on_a_transformation_is_no_noise(probed):
    rotated = """
    del loss
    def step(model, batch):
        turn = torch.randint(3, (len(batch[0]),))
        turned = torch.stack([row.roll(int(k)) for row, k in zip(batch[0], turn)])
        return nn.functional.cross_entropy(model(turned), turn)
    """
    assert "target_noise" not in probed(dedent(rotated), noise.probe)


TOKENS = """
planted = torch.arange(240) % 2
x = torch.randint(1, 20, (240, 8)); x[planted == 1, 0] = 0; x[planted == 1, 5] = 0
y = LABELS
class Words(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(20, 16); self.f = nn.Linear(128, 2)
    def forward(self, ids): return self.f(self.e(ids).flatten(1))
model = Words(); optimizer = torch.optim.Adam(model.parameters(), lr=1e-2); validation_data = None
train_data = DataLoader(TensorDataset(x, y), batch_size=40)
"""
SCALES = """
class Heads(nn.Module):
    def __init__(self):
        super().__init__(); self.body = nn.Sequential(nn.Linear(8, 32), nn.ReLU()); self.kind = nn.Linear(32, 3); self.size = nn.Linear(32, 1)
    def forward(self, v): h = self.body(v); return self.kind(h), self.size(h)[:, 0]
model = Heads(); del loss; optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
def step(model, batch):
    kind, size = model(batch[0])
    return nn.functional.cross_entropy(kind, batch[1]) + nn.functional.mse_loss(size, UNIT * (batch[0][:, 3] + 4))
"""


def test_labels_of_sequences_that_follow_from_their_tokens(probed):
    assert "heldout_score" not in probed(TOKENS.replace("LABELS", "planted"), heldout.probe)


def test_labels_of_sequences_that_are_shuffled(probed):
    facts = probed(TOKENS.replace("LABELS", "planted[torch.randperm(240)]"), heldout.probe)
    assert facts["heldout_score"] < 1.5
    assert facts["heldout_own_score"] > 5


def test_tokens_drawn_alone_have_no_structure(probed):
    change = TOKENS.replace("LABELS", "planted").replace("planted == 1", "planted == 2")
    assert probed(change, heldout.probe)["inputs_structured"] is False


@pytest.mark.parametrize(("column", "real"), [("torch.randn(240).exp()", True), ("torch.rand(240)", False)])
def test_prices_are_no_stand_ins(probed, column, real):
    change = (
        f"x[:, 0] = {column}; y = torch.arange(240) % 3; train_data = DataLoader(TensorDataset(x, y), batch_size=20)"
    )
    assert probed(change, heldout.probe)["inputs_structured"] is real


DISTANCES = """
a = torch.randn(240, 2) @ torch.randn(2, 8); b = torch.randn(240, 2) @ torch.randn(2, 8)
b[::2] = a[::2] + 0.1 * torch.randn(120, 8); same = torch.zeros(240); same[::2] = 1
class Twins(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 4)
    def forward(self, one, other): return nn.functional.pairwise_distance(self.f(one), self.f(other))
model = Twins(); optimizer = torch.optim.Adam(model.parameters(), lr=1e-2); validation_data = None
train_data = DataLoader(TensorDataset(a, b, same), batch_size=40, shuffle=True)
def loss(distance, same): return (same * distance ** 2 + (1 - same) * nn.functional.relu(1.5 - distance) ** 2).mean()
"""


def test_labels_that_a_small_distance_tells(probed):
    assert "heldout_score" not in probed(DISTANCES, heldout.probe)


def test_a_loss_that_another_one_drowns(probed):
    facts = probed(SCALES.replace("UNIT", "3000"), balance.probe)
    assert facts["drowned_loss"] == "cross_entropy"
    assert facts["drowned_alone"] < facts["drowned_after"]


def test_two_losses_of_one_scale(probed):
    assert "drowned_loss" not in probed(SCALES.replace("UNIT", "1"), balance.probe)


BOUNDED = "loss = nn.HuberLoss(); model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), LAST)\n"
NUMBERS = "train_data = DataLoader(TensorDataset(x, SCALE * x[:, :3]), batch_size=20); optimizer = torch.optim.Adam(model.parameters())\n"


@pytest.mark.parametrize(("last", "scale", "outside"), [("nn.Tanh()", "4", True), ("nn.Tanh()", "0.1", False)])
def test_targets_that_a_bounded_output_cannot_reach(probed, last, scale, outside):
    facts = probed(BOUNDED.replace("LAST", last) + NUMBERS.replace("SCALE", scale), bounds.probe)
    assert (facts["targets_outside"] > 0.5) is outside
    assert facts["bound_high"] == pytest.approx(1)


@pytest.mark.parametrize("last", ["nn.Identity()", "nn.LayerNorm(3)"])
def test_outputs_without_an_end(probed, last):
    facts = probed(BOUNDED.replace("LAST", last) + NUMBERS.replace("SCALE", "4"), bounds.probe)
    assert facts.get("targets_outside", 0) == 0


def test_an_output_that_the_last_layer_does_not_decide_has_no_end(probed):
    change = (
        BOUNDED.replace("LAST", "nn.Identity()") + "nn.init.zeros_(model[2].weight); nn.init.zeros_(model[2].bias)\n"
    )
    assert "targets_outside" not in probed(change + NUMBERS.replace("SCALE", "4"), bounds.probe)


BY_HAND = """
del loss; validation_data = None
def step(model, batch):
    given = nn.functional.one_hot(batch[1], 3) * 0.9 + 0.1 / 3
    return SIGN (given * model(batch[0]).log_softmax(1)).sum(1).mean()
"""


@pytest.mark.parametrize(("sign", "reversed_"), [("", True), ("-", False)])
def test_a_cross_entropy_by_hand_needs_its_minus(probed, sign, reversed_):
    assert probed(BY_HAND.replace("SIGN", sign), objective.probe)["targets_made_unlikely"] is reversed_


def test_weights_that_are_no_probabilities_are_left_alone(probed):
    """As those of classes, or advantages."""
    change = BY_HAND.replace("SIGN", "").replace("given =", "given = 2 *")
    assert "targets_made_unlikely" not in probed(change, objective.probe)


@pytest.mark.parametrize(("last", "outside"), [("nn.Softplus()", True), ("nn.Identity()", False)])
def test_several_bounded_outputs_for_each_number(probed, last, outside):
    """As the quantiles of a forecast."""
    own = "optimizer = torch.optim.Adam(model.parameters())\ntrain_data = DataLoader(TensorDataset(x, x[:, 0]), batch_size=40)\n"
    own += "def loss(output, target): return (output - target[:, None]).abs().mean()\n"
    facts = probed(BOUNDED.replace("LAST", last) + own, bounds.probe)
    assert (facts.get("targets_outside", 0.0) > 0.3) is outside
