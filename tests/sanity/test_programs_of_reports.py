"""Faults that public bug reports describe: layers out of the model's sight, splits by class, warm-ups without end, and others."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.batches import part  # noqa: E402
from nndoctor.sanity.last_layer import ends, one_sided  # noqa: E402
from nndoctor.sanity.optimizers import has_step  # noqa: E402
from nndoctor.sanity.probes import (  # noqa: E402
    adversaries,
    constant_targets,
    data,
    endless,
    generated,
    heldout,
    hidden,
    labels,
    masks,
    neighbours,
    objective,
    own_step,
    targets_seen,
)

STACK = """
class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = KEPT([nn.Linear(8, 8), nn.Linear(8, 8)]); self.out = nn.Linear(8, 3)
    def forward(self, v):
        for block in self.blocks: v = v + torch.relu(block(v))
        return self.out(v)
model = Stack(); optimizer = torch.optim.Adam(PARAMETERS, 3e-3)
"""


@pytest.mark.parametrize(
    ("kept", "parameters", "count"),
    [
        ("list", "model.parameters()", 4),
        ("nn.ModuleList", "model.parameters()", None),
        ("list", "[*model.parameters(), *(p for b in model.blocks for p in b.parameters())]", None),
    ],
    ids=["a plain list", "a ModuleList", "a plain list whose parameters the optimizer holds"],
)
def test_layers_that_the_model_does_not_know(probed, kept, parameters, count):
    facts = probed(STACK.replace("KEPT", kept).replace("PARAMETERS", parameters), hidden.probe)
    assert facts.get("hidden_parameters") == count
    assert facts.get("hidden_in") == ("blocks" if count else None)


def test_weights_of_a_loss_that_no_optimizer_holds(probed):
    """As the centres of classes have them."""
    change = """
    class Centres(nn.Module):
        def __init__(self): super().__init__(); self.centres = nn.Parameter(torch.randn(3, 3))
        def forward(self, o, t): return ((o - self.centres[t]) ** 2).mean()
    loss = Centres()
    """
    facts = probed(change, hidden.probe)
    assert (facts["hidden_parameters"], facts["hidden_numbers"], facts["hidden_in"]) == (1, 9, "")


def test_a_frozen_teacher_in_a_list_is_hidden_on_purpose(probed):
    change = """
    del loss
    teacher = [nn.Linear(8, 3).requires_grad_(False)]
    def step(model, batch): return ((model(batch[0]) - teacher[0](batch[0])) ** 2).mean()
    """
    assert "hidden_parameters" not in probed(change, hidden.probe)


@pytest.mark.parametrize(
    ("rows", "share"), [("y == 2", 1.0), ("y >= 0", 0.0)], ids=["a class of its own", "the same classes"]
)
def test_classes_that_only_the_validation_set_has(probed, rows, share):
    change = f"""
    keep = {rows}
    train_data = DataLoader(TensorDataset(x[y != 2], y[y != 2]), batch_size=20) if keep.sum() < 240 else train_data
    validation_data = DataLoader(TensorDataset(x[keep], y[keep]), batch_size=40)
    """
    assert probed(change, data.probe)["unseen_class_share"] == share


@pytest.mark.parametrize(("columns", "seen"), [("column", 2), ("torch.randn(240)", None)], ids=["leaks", "does not"])
def test_a_column_that_comes_from_the_label(probed, columns, seen):
    """The label with a little noise, among columns that tell little."""
    change = f"""
    t = torch.rand(240).round(); column = 2 * t - 1 + 0.05 * torch.randn(240)
    x = torch.randn(240, 5); x[:, 2] = {columns}
    model = nn.Linear(5, 1); loss = lambda o, t: nn.functional.binary_cross_entropy_with_logits(o[:, 0], t)
    train_data = DataLoader(TensorDataset(x, t), batch_size=40); validation_data = None; optimizer = torch.optim.Adam(model.parameters())
    """
    assert probed(change, data.probe).get("gap_column") == seen


def test_clusters_that_several_columns_tell_apart_are_no_leak(probed):
    change = """
    t = torch.rand(240).round(); x = 0.1 * torch.randn(240, 5) + 2 * t[:, None]
    model = nn.Linear(5, 1); loss = lambda o, t: nn.functional.binary_cross_entropy_with_logits(o[:, 0], t)
    train_data = DataLoader(TensorDataset(x, t), batch_size=40); validation_data = None; optimizer = torch.optim.Adam(model.parameters())
    """
    assert "gap_column" not in probed(change, data.probe)


def test_the_shares_of_two_classes_that_are_numbers(probed):
    change = """
    t = (torch.arange(200) % 100 == 0).float()
    train_data = DataLoader(TensorDataset(x[:200], t), batch_size=40); validation_data = None
    """
    assert probed(change, data.probe)["class_shares"] == pytest.approx((0.99, 0.01))


def test_chance_is_that_of_whole_batches(probed):
    """A last batch of two examples makes no other chance."""
    facts = probed("train_data = DataLoader(TensorDataset(x[:202], y[:202]), batch_size=4)", data.probe)
    assert facts["class_share_by_chance"] > 0.4


@pytest.mark.parametrize(("steps", "low"), [(10_000, True), (50, False)])
def test_a_warm_up_that_lasts_for_hundreds_of_epochs(probed, steps, low):
    change = f"""
    train_data = DataLoader(TensorDataset(x, y), batch_size=4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, k / {steps}))
    def train_step(model, batch, optimizer):
        l = loss(model(batch[0]), batch[1]); optimizer.zero_grad(); l.backward(); optimizer.step(); schedule.step(); return l
    """
    reached = probed(change, own_step.probe).get("warmup_reaches", 1.0)
    assert (reached < 0.01) is low


def test_the_schedule_of_the_first_transformer_is_no_endless_warm_up(probed):
    """Its factors are far below 1: the rate is that of the schedule alone."""
    change = """
    train_data = DataLoader(TensorDataset(x, y), batch_size=4); optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 0.04 * min((k + 1) ** -0.5, (k + 1) * 400 ** -1.5))
    def train_step(model, batch, optimizer):
        l = loss(model(batch[0]), batch[1]); optimizer.zero_grad(); l.backward(); optimizer.step(); schedule.step(); return l
    """
    assert probed(change, own_step.probe).get("warmup_reaches", 1.0) > 0.01


@pytest.mark.parametrize(
    "schedule", ["CosineAnnealingLR(optimizer, 60)", "OneCycleLR(optimizer, 3e-3, total_steps=70)"]
)
def test_a_schedule_that_falls_within_an_epoch_is_no_warm_up(probed, schedule):
    """Nor does it matter that one of them has an end."""
    change = f"""
    train_data = DataLoader(TensorDataset(x, y), batch_size=4)
    schedule = torch.optim.lr_scheduler.{schedule}
    def train_step(model, batch, optimizer):
        l = loss(model(batch[0]), batch[1]); optimizer.zero_grad(); l.backward(); optimizer.step(); schedule.step(); return l
    """
    assert probed(change, own_step.probe).get("warmup_reaches", 1.0) > 0.01


def test_the_parameters_of_a_teacher_are_a_remark(examined):
    """It is neither frozen nor under no_grad(), which costs time alone."""
    change = """
    del loss
    teacher = nn.Linear(8, 3)
    def step(model, batch): return ((model(batch[0]) - teacher(batch[0])) ** 2).mean()
    """
    found = [f for f in examined(change, budget=6.0).findings if f.name == "optimizer-misses-parameters"]
    assert all(str(f.severity) == "info" for f in found)


def test_flags_of_transitions_are_no_classes(probed):
    """An episode seldom ends."""
    change = """
    ended = (torch.arange(200) % 100 == 0).float(); del loss; validation_data = None
    train_data = DataLoader(TensorDataset(x[:200], x[:200] + 1, ended), batch_size=40)
    def step(model, batch): return ((model(batch[0])[:, 0] - (1 - batch[2]) * batch[1][:, 0]) ** 2).mean()
    """
    assert "class_shares" not in probed(change, data.probe)


LEAST_SQUARES = """
class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.make = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 8)END)
        self.judge = nn.Sequential(nn.Linear(8, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    def forward(self, z): return self.make(z)
model = Gan(); del loss
one, two = (torch.optim.Adam(m.parameters(), 1e-3) for m in (model.make, model.judge)); optimizer = [one, two]
def train_step(model, batch, optimizer):
    real, fake = batch[0], model.make(torch.randn(len(batch[0]), 4))
    apart = (model.judge(real) - 1).square().mean() + model.judge(fake.detach()).square().mean()
    optimizer[1].zero_grad(); apart.backward(); optimizer[1].step()
    fooled = (model.judge(fake) - GOAL).square().mean(); optimizer[0].zero_grad(); fooled.backward(); optimizer[0].step()
    return apart + fooled
"""


@pytest.mark.parametrize(("end", "outside"), [("Sigmoid", True), ("Tanh", False)])
def test_a_generator_that_cannot_reach_the_real_examples(probed, end, outside):
    change = LEAST_SQUARES.replace("END", f", nn.{end}()").replace("GOAL", "1")
    data = "train_data = DataLoader(TensorDataset(torch.rand(240, 8) * 2 - 1), batch_size=40); validation_data = None\n"
    facts = probed(change + data, generated.probe)
    assert (facts["targets_outside"] > 0.3) is outside
    assert facts["bound_of"] == "make"


@pytest.mark.parametrize(("goal", "alike"), [("1", False), ("0", True)])
def test_squared_errors_pull_scores_to_aims(probed, goal, alike):
    """From below both aims, both losses push the scores up; the generator's aim is another one."""
    change = LEAST_SQUARES.replace("END", "").replace("GOAL", goal)
    low = "nn.init.constant_(model.judge[-1].bias, -3.0)\n"
    assert probed(change + low, adversaries.probe)["scores_pushed_alike"] is alike


BOXES = """
del loss
place = torch.rand(240); spots = torch.exp(-(torch.linspace(0, 1, 16) - place[:, None]) ** 2 / 0.02) + 0.05 * torch.randn(240, 16)
order = ORDER
rows = [(spots[i], place[order[i]].expand(1 + i % 3)) for i in range(240)]
def collate(rows): return torch.stack([a for a, _ in rows]), [b for _, b in rows]
train_data = DataLoader(rows, 20, collate_fn=collate); validation_data = None
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1)); optimizer = torch.optim.Adam(model.parameters(), 1e-2)
def step(model, batch):
    return torch.stack([((o - b) ** 2).mean() for o, b in zip(model(batch[0]), batch[1])]).mean()
"""


@pytest.mark.parametrize(("order", "memorized"), [("torch.randperm(240)", True), ("torch.arange(240)", False)])
def test_lists_of_boxes_that_belong_to_other_images(probed, order, memorized):
    facts = probed(BOXES.replace("ORDER", order), heldout.probe)
    assert ("heldout_score" in facts) is memorized


OVERLAP = """
del loss
maps = torch.randn(80, 1, 12, 12); spots = (maps > 0.5).float()
train_data = DataLoader(TensorDataset(maps, spots), batch_size=20); validation_data = None
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1)); optimizer = torch.optim.Adam(model.parameters(), 1e-2)
def step(model, batch):
    p = model(batch[0]).sigmoid(); shared = 2 * (p * batch[1]).sum((1, 2, 3)) / (p + batch[1]).sum((1, 2, 3))
    return SIGN shared.mean()
"""


@pytest.mark.parametrize(("sign", "opposed"), [("", True), ("1 -", False)])
def test_an_overlap_that_is_minimized(probed, sign, opposed):
    assert ("masks_opposed" in probed(OVERLAP.replace("SIGN", sign), masks.probe)) is opposed


@pytest.mark.parametrize(("sign", "seen"), [("-", "kl_div"), ("", None)])
def test_a_divergence_from_a_teacher_that_is_maximized(probed, sign, seen):
    """Beside the labels, which train the same scores."""
    change = f"""
    del loss
    teacher = nn.Linear(8, 3).requires_grad_(False)
    def step(model, batch):
        o, f = model(batch[0]), nn.functional
        soft = f.kl_div(o.log_softmax(1), (4 * teacher(batch[0])).softmax(1), reduction="batchmean")
        return f.cross_entropy(o, batch[1]) + 2 * {sign} soft
    """
    assert probed(change, objective.probe).get("maximized_loss") == seen


@pytest.mark.parametrize(("part", "unread"), [(0, True), (1, None)], ids=["the input", "the target"])
def test_targets_that_the_loss_does_not_read(probed, part, unread):
    """Of pairs of images of one form, the input is taken for the target."""
    change = f"""
    a, b = torch.randn(2, 80, 1, 8, 8); train_data = DataLoader(TensorDataset(a, b), batch_size=20); validation_data = None
    model = nn.Conv2d(1, 1, 3, padding=1); optimizer = torch.optim.Adam(model.parameters()); del loss
    def step(model, batch): return ((model(batch[0]) - batch[{part}]) ** 2).mean()
    """
    assert probed(change, targets_seen.probe).get("target_unread") is unread


@pytest.mark.parametrize(("smoothing", "noted"), [(1.0, 1.0), (0.0, None)])
def test_label_smoothing_is_noted(probed, smoothing, noted):
    facts = probed(f"loss = nn.CrossEntropyLoss(label_smoothing={smoothing})", constant_targets.probe)
    assert facts.get("label_smoothing") == noted


def test_labels_that_a_step_leaves_out_but_for_one_class(probed):
    """The border is kept, and the classes are ignored."""
    change = """
    del loss
    model = nn.Conv2d(1, 3, 3, padding=1); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
    train_data = DataLoader(TensorDataset(torch.randn(40, 1, 8, 8), torch.randint(0, 3, (40, 8, 8))), batch_size=20)
    def step(model, batch):
        kept = batch[1].clone(); kept[:, 1:] = 255; kept[:, :1] = 0
        return nn.functional.cross_entropy(model(batch[0]), kept, ignore_index=255)
    """
    assert probed(change, constant_targets.probe)["single_class"] == 0


def test_levels_of_an_ordinal_scale_are_no_classes(probed):
    """Three thresholds tell four grades apart."""
    change = """
    del loss
    grades = torch.arange(200) % 4; train_data = DataLoader(TensorDataset(x[:200], grades), batch_size=20); validation_data = None
    def step(model, batch): return nn.functional.binary_cross_entropy_with_logits(model(batch[0]), (batch[1][:, None] > torch.arange(3)).float())
    """
    facts = probed(change, data.probe, labels.outside)
    assert facts["target_high"] == 3
    assert "output_classes" not in facts


def test_of_several_arguments_with_the_targets_that_which_changes_outputs_counts(probed):
    """A model that is handed its labels as well as its decoder's tokens, which are not shifted."""
    change = """
    class Speech(nn.Module):
        def __init__(self): super().__init__(); self.e = nn.Embedding(9, 16); self.v = nn.Linear(8, 16); self.o = nn.Linear(16, 9)
        def forward(self, v, tokens, labels): return self.o(self.e(tokens) + self.v(v)[:, None])
    model = Speech(); optimizer = torch.optim.Adam(model.parameters()); del loss; validation_data = None
    train_data = DataLoader(TensorDataset(x, torch.randint(0, 9, (240, 6))), batch_size=20)
    def step(model, batch):
        t = batch[1]
        return nn.functional.cross_entropy(model(batch[0], tokens=t, labels=t).flatten(0, 1), t.flatten())
    """
    facts = probed(change, targets_seen.probe)
    assert facts["target_argument"] == "tokens"
    assert facts["target_argument_change"] > 0.1


def test_distances_below_zero_are_out_of_reach_of_a_softplus(probed):
    """An overlap of boxes falls on for sides that no output can have."""
    change = """
    del loss
    model = nn.Sequential(nn.Linear(8, 4), nn.Softplus()); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
    train_data = DataLoader(TensorDataset(x, torch.rand(240, 4) + 1), batch_size=20)
    def step(model, batch):
        a, b = model(batch[0]), batch[1]; area = lambda s: (s[:, 0] + s[:, 2]) * (s[:, 1] + s[:, 3])
        least = torch.minimum(a, b); shared = area(least)
        return 1 - (shared / (area(a) + area(b) - shared)).mean() - (a < -20).float().mean() * 0.001 * (a ** 4).mean()
    """
    assert "endless_output" not in probed(change, endless.probe)


def test_the_ends_of_an_output():
    """A tanh has two, a softplus one, a straight line none."""
    torch.manual_seed(0)
    layer, given = torch.nn.Linear(4, 2), torch.randn(32, 4)
    before = layer.weight.detach().clone()
    assert ends(lambda: layer(given).tanh(), 2.0) == pytest.approx((-1, 1))
    assert ends(lambda: layer(given), 2.0) == (-float("inf"), float("inf"))
    assert one_sided(lambda: torch.nn.functional.softplus(layer(given)))
    assert not one_sided(lambda: layer(given))
    assert torch.allclose(layer.weight, before)


def test_parts_of_padded_sequences_end_with_the_longest():
    """As a loader would give them."""
    lengths = torch.tensor([2, 5, 3, 1])
    tokens = torch.arange(1, 6).expand(4, 5) * (torch.arange(5) < lengths[:, None])
    features = torch.randn(4, 5)
    words, found, dense = part((tokens, lengths, features), torch.tensor([0, 2]))
    assert words.shape == (2, 3)
    assert found.tolist() == [2, 3]
    assert dense.shape == (2, 5)  # which no length ends


def test_an_optimizer_without_a_step_is_known():
    """SAM, as it is usually written."""

    class Sam(torch.optim.Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, {"lr": 0.1})

    weights = [torch.nn.Parameter(torch.zeros(2))]
    assert not has_step(Sam(weights))
    assert has_step(torch.optim.SGD(weights, lr=0.1))


def test_a_first_step_that_climbs_uses_its_gradients(probed):
    """SAM moves the weights by the gradients of its first pass, and clears them."""
    change = """
    def train_step(model, batch, optimizer):
        optimizer.zero_grad(); loss(model(batch[0]), batch[1]).backward()
        with torch.no_grad():
            ways = [0.05 * p.grad for p in model.parameters()]
            for p, w in zip(model.parameters(), ways): p.add_(w)
        optimizer.zero_grad(); l = loss(model(batch[0]), batch[1]); l.backward()
        with torch.no_grad():
            for p, w in zip(model.parameters(), ways): p.sub_(w)
        optimizer.step(); return l
    """
    assert "idle_pass" not in probed(change, objective.probe)


def test_a_loss_of_classes_of_the_users_own_is_compared_with_constants(examined):
    """A squared error of one-hot labels from weights that are far too large: zeros for all are no success."""
    change = """
    def loss(o, t): return ((torch.relu(o) - nn.functional.one_hot(t, 3)) ** 2).sum(1).mean()
    optimizer = torch.optim.SGD(model.parameters(), lr=3.0)
    with torch.no_grad(): [p.mul_(30) for p in model.parameters()]
    """
    assert any(f.severity in ("error", "warning") for f in examined(change, budget=10.0).findings)


CONDITIONED = """
class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.make, self.judge = nn.Linear(4 + 3, 8), nn.Sequential(nn.Linear(8 + 3, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    def forward(self, z): return self.make(z)
model = Gan(); del loss; kind = torch.arange(240) % 3; x = 4 * nn.functional.one_hot(kind, 8).float() + torch.randn(240, 8)
one, two = (torch.optim.Adam(m.parameters(), 1e-3) for m in (model.make, model.judge)); optimizer = (one, two)
train_data = DataLoader(TensorDataset(x[:160], kind[:160]ORDER), batch_size=40); validation_data = DataLoader(TensorDataset(x[160:], kind[160:]), batch_size=40)
def train_step(model, batch, optimizer):
    code = nn.functional.one_hot(batch[1], 3).float(); fake = model.make(torch.cat([torch.randn(len(code), 4), code], 1))
    scores = [model.judge(torch.cat([v, code], 1)) for v in (batch[0], fake.detach())]
    apart = (scores[0] - 1).square().mean() + scores[1].square().mean(); two.zero_grad(); apart.backward(); two.step()
    fooled = (model.judge(torch.cat([fake, code], 1)) - 1).square().mean(); one.zero_grad(); fooled.backward(); one.step()
    return apart + fooled
"""


@pytest.mark.parametrize(
    ("order", "told"), [("[torch.randperm(160)]", False), ("", True)], ids=["shuffled", "in order"]
)
def test_conditions_of_a_gan_are_compared_with_those_of_validation(probed, order, told):
    facts = probed(CONDITIONED.replace("ORDER", order), neighbours.probe)
    assert facts["label_signal_validation"] > 0.5
    assert (facts["label_signal"] > 0.5) is told
