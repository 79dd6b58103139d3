"""Objectives of a known meaning: adversaries, pairs, flows and quantiles with the right sign and with the wrong one."""

from __future__ import annotations

from textwrap import dedent

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import (  # noqa: E402
    adversaries,
    alignment,
    channels,
    data,
    dependence,
    endless,
    fit,
    flows,
    input_gradients,
    moving_targets,
    pairs,
    parameters,
    quantiles,
    shapes,
    steps,
)

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


@pytest.mark.parametrize(
    ("returned", "unused"),
    [("scale.tanh().sum(1)", True), ("scale.square().sum(1)", False)],
    ids=["of the map", "another number"],
)
def test_a_log_determinant_that_the_loss_leaves_out(probed, returned, unused):
    change = FLOW.replace("RETURNED", returned).replace(" SIGN log_det.mean()", "")
    assert ("log_det_unused" in probed(change, flows.probe)) is unused


@pytest.mark.parametrize(
    ("fixed", "unmoved"), [("fixed", (4, 8)), ("fixed * 2", None)], ids=["half of the columns", "all are moved"]
)
def test_columns_that_no_layer_of_a_flow_moves(probed, fixed, unmoved):
    change = FLOW.replace("RETURNED", "scale.tanh().sum(1)").replace("SIGN", "-").replace("[fixed,", f"[{fixed},")
    assert probed(change, flows.probe).get("flow_unmoved") == unmoved


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


@pytest.mark.parametrize(("last", "labels"), [("nn.Softmax(1)", 2), ("nn.Sigmoid()", None)])
def test_several_labels_of_an_example_after_a_softmax(probed, last, labels):
    change = f"""
    y = torch.stack([x[:, 0] > 0, x[:, 1] > 0], 1).float(); train_data = DataLoader(TensorDataset(x, y), batch_size=40)
    model = nn.Sequential(nn.Linear(8, 2), {last}); loss = nn.BCELoss(); validation_data = None
    optimizer = torch.optim.Adam(model.parameters())
    """
    assert probed(dedent(change), shapes.probe).get("labels_of_one_distribution") == labels


LINES = """
model = nn.Conv1d(3, 5, 3, padding=1); del loss; optimizer = torch.optim.Adam(model.parameters()); validation_data = None
train_data = DataLoader(TensorDataset(torch.randn(60, 3, 12), torch.randint(1, 5, (60, 4))), batch_size=6)
def step(model, batch):
    scores = model(batch[0]); n, _, t = scores.shape
    scores = scores.ORDER.log_softmax(DIMENSION)
    return nn.functional.ctc_loss(scores, batch[1], torch.full((n,), t), torch.full((n,), 4))
"""
PERMUTED = "permute(2, 0, 1)"


@pytest.mark.parametrize(("dimension", "proper"), [("2", True), ("0", False)])
def test_log_probabilities_of_symbols(probed, dimension, proper):
    facts = probed(LINES.replace("ORDER", PERMUTED).replace("DIMENSION", dimension), shapes.probe)
    assert facts["symbols_sum_to_one"] is proper


@pytest.mark.parametrize(("order", "mixed"), [(PERMUTED, False), ("reshape(t, n, 5)", True)])
def test_symbols_that_a_reshape_mixes(probed, order, mixed):
    change = LINES.replace("ORDER", order).replace("DIMENSION", "2")
    assert (probed(change, dependence.leak)["leak_change"] > 1e-2) is mixed


CONTRAST = """
model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 8)); del loss; optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    one, two = (batch[0] + 0.2 * torch.randn(len(batch[0]), 8) for _ in range(2)); n = len(one)
    z = nn.functional.normalize(torch.cat([model(one), model(two)]), dim=1)
    return nn.functional.cross_entropy((z @ z.T / 0.2).fill_diagonal_(-1e9), (torch.arange(2 * n) + SHIFT) % (2 * n))
"""


@pytest.mark.parametrize(("shift", "offset"), [("1", 20), ("n", None)])
def test_the_place_of_the_positives(probed, shift, offset):
    """The other view stands as many places later as there are examples."""
    assert probed(CONTRAST.replace("SHIFT", shift), pairs.probe).get("positives_offset") == offset


@pytest.mark.parametrize(("filled", "column"), [("y * (1 + x[:, 0].abs())", 3), ("x[:, 0].abs() * (y + 1)", None)])
def test_a_feature_that_one_class_does_not_have(probed, filled, column):
    """As a refund that is paid to those who left."""
    change = f"y = (x[:, :2].sum(1) > 0).long(); x = torch.stack([x[:, 0], x[:, 1], x[:, 2], {filled}], 1)"
    data_of = "; train_data = DataLoader(TensorDataset(x, y), batch_size=20); validation_data = None; model[0] = nn.Linear(4, 32)"
    optimizer = "; optimizer = torch.optim.Adam(model.parameters())"
    assert probed(change + data_of + optimizer, data.probe).get("class_column") == column


TAUGHT = """
del loss
class Pair(nn.Module):
    def __init__(self): super().__init__(); self.student, self.teacher = nn.Linear(8, 3), nn.Linear(8, 3)
    def forward(self, v): return self.student(v)
model = Pair(); optimizer = torch.optim.Adam(model.parameters())
def step(model, batch): return nn.functional.mse_loss(model(batch[0]), model.teacher(batch[0]))
"""


def test_a_target_with_a_graph_of_its_own_is_taken_as_it_is(probed):
    """A teacher that is trained as well."""
    assert "loss_initial" in probed(TAUGHT, fit.probe)


@pytest.mark.parametrize(
    ("target", "held", "trained"),
    [
        ("model.teacher(batch[0])", "model.parameters()", ("teacher.bias", "teacher.weight")),
        ("model.teacher(batch[0]).detach()", "model.parameters()", None),
        ("model.teacher(batch[0])", "model.student.parameters()", None),
    ],
    ids=["trained", "detached", "not in the optimizer"],
)
def test_a_teacher_that_learns_from_its_student(probed, target, held, trained):
    change = TAUGHT.replace("model.teacher(batch[0])", target).replace("model.parameters()", held)
    assert probed(change, parameters.probe, moving_targets.probe).get("trained_with_target") == trained


COLUMNS = """
model = nn.Linear(8, 3); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
train_data = DataLoader(TensorDataset(x, x[:, 0]), batch_size=20)
def loss(output, target): return sum(torch.max(q * (target - output[:, k]), (q - 1) * (target - output[:, k])).mean() for k, q in enumerate((0.1, 0.5, 0.9)))
"""


def test_a_loss_that_indexes_its_outputs_is_checked_as_others_are(examined):
    """A constant in the place of the outputs has another shape."""
    notes = examined(COLUMNS, budget=8.0).run.notes
    assert not any("IndexError" in note for note in notes)


FIELD = """
model = nn.Sequential(nn.Linear(8, 16), ACTIVATION(), nn.Linear(16, 1)); del loss; optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    v = batch[0].clone().requires_grad_()
    slope = torch.autograd.grad(model(v).sum(), v, create_graph=FIRST)[0]
    return ((slope - 1) ** 2).mean() + CURVATURE
"""
SECOND = "torch.autograd.grad(slope.sum(), v, create_graph=True)[0].square().mean()"


@pytest.mark.parametrize(("graph", "count"), [("False", 1), ("True", None)])
def test_a_derivative_that_the_loss_takes_as_a_constant(probed, graph, count):
    change = (
        FIELD.replace("ACTIVATION", "nn.Tanh").replace("FIRST", graph).replace("CURVATURE", "model(v).square().mean()")
    )
    assert probed(change, input_gradients.probe).get("derivatives_without_graph") == count


@pytest.mark.parametrize(("activation", "count"), [("nn.ReLU", 1), ("nn.Tanh", None)])
def test_a_second_derivative_that_is_zero(probed, activation, count):
    change = FIELD.replace("ACTIVATION", activation).replace("FIRST", "True").replace("CURVATURE", SECOND)
    assert probed(change, input_gradients.probe).get("zero_derivatives") == count


ATTACK = """
del loss
def step(model, batch):
    v = batch[0].clone().requires_grad_()
    slope = torch.autograd.grad(nn.functional.cross_entropy(model(v), batch[1]), v)[0]
    return nn.functional.cross_entropy(model(batch[0] + 0.1 * slope), batch[1])
"""


def test_inputs_that_are_moved_along_their_gradient(probed):
    """As adversarial training does: the model takes the gradient, and not the loss."""
    assert "derivatives_without_graph" not in probed(ATTACK, input_gradients.probe)


IMAGES = """
smooth = torch.randn(40, 3, 24, 24).cumsum(3).cumsum(2) / 20 + 3 * torch.randn(40, 3, 1, 1); images = smooth.CHANGE
model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 3)); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
train_data = DataLoader(TensorDataset(images, y[:40]), batch_size=20)
"""


@pytest.mark.parametrize(("change", "torn"), [("permute(0, 2, 3, 1).reshape(40, 3, 24, 24)", True), ("flip(3)", False)])
def test_colors_that_a_reshape_interleaves(probed, change, torn):
    assert ("channels_interleaved" in probed(IMAGES.replace("CHANGE", change), channels.probe)) is torn


STROKES = """
strokes = torch.zeros(40, 1, 24, 24)
for k in range(40): strokes[k, 0, 3:20, 2 + k % 19] = 3
grey = strokes.expand(40, 3, 24, 24) + 0.5 * torch.randn(40, 3, 24, 24); images = grey.CHANGE
model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 3)); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
train_data = DataLoader(TensorDataset(images, y[:40]), batch_size=20)
"""


@pytest.mark.parametrize(("change", "torn"), [("permute(0, 2, 3, 1).reshape(40, 3, 24, 24)", True), ("flip(3)", False)])
def test_grey_images_whose_pixels_a_reshape_tears_apart(probed, change, torn):
    assert ("channels_in_groups" in probed(STROKES.replace("CHANGE", change), channels.probe)) is torn


TOWERS = """
model = nn.Linear(8, 6); del loss; optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    scores = model(batch[0]) @ model(batch[0].flip(1)).T
    return nn.functional.cross_entropy(scores, POSITIVES)
"""


@pytest.mark.parametrize(
    ("positives", "rows"), [("torch.zeros(len(scores), dtype=torch.long)", 20), ("torch.arange(len(scores))", None)]
)
def test_one_positive_for_all_rows(probed, positives, rows):
    assert probed(TOWERS.replace("POSITIVES", positives), pairs.probe).get("same_positive") == rows


@pytest.mark.parametrize("rows", [":", ":16"])
@pytest.mark.parametrize(("dimension", "wrong"), [("0", True), ("1", False), ("-2", True), ("-1", False)])
def test_a_log_softmax_over_the_examples(probed, dimension, wrong, rows):
    scores = f"model(batch[0]).log_softmax({dimension})[{rows}]"
    step = f"del loss\ndef step(model, batch): return nn.functional.nll_loss({scores}, batch[1][{rows}])"
    assert ("log_softmax_over_examples" in probed(step, shapes.probe)) is wrong


@pytest.mark.parametrize(("dimension", "wrong"), [("1", True), ("-2", True), ("0", True), ("2", False), ("-1", False)])
def test_a_log_softmax_over_the_places_of_a_sequence(probed, dimension, wrong):
    """Seen through the view that joins examples and places."""
    change = f"""
x = torch.randn(240, 5, 8); y = torch.arange(1200).reshape(240, 5) % 3; train_data = DataLoader(TensorDataset(x, y), batch_size=20)
del loss; model = nn.Linear(8, 3); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
def step(model, batch):
    return nn.functional.nll_loss(model(batch[0]).log_softmax({dimension}).view(-1, 3), batch[1].view(-1))
"""
    assert ("log_softmax_over_examples" in probed(change, shapes.probe)) is wrong


@pytest.mark.parametrize(("targets", "silent"), [("(y == 0).float()", 0.0), ("2 * (y == 0).float() - 1", None)])
def test_a_hinge_loss_on_targets_of_0(probed, targets, silent):
    change = f"""
t = {targets}; train_data = DataLoader(TensorDataset(x, t), batch_size=20); model = nn.Linear(8, 1)
optimizer = torch.optim.Adam(model.parameters()); validation_data = None
def loss(o, t): return torch.clamp(1 - t * o[:, 0], min=0).mean()
"""
    assert probed(change, fit.probe).get("target_without_loss") == silent
