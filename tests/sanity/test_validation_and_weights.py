"""Validation examples that training does not help, weights that begin too large, and classes that the loss leaves out."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import arguments, constant_targets, data, parameters, shapes, validation_fit, views  # noqa: E402

MOVED = """
y = torch.arange(600) % 3; x = torch.randn(600, 8) + 3 * nn.functional.one_hot(y, 8); y[500:] = LABELS
train_data = DataLoader(TensorDataset(x[:500], y[:500]), batch_size=50, shuffle=True)
validation_data = DataLoader(TensorDataset(x[500:], y[500:]), batch_size=50)
"""


@pytest.mark.parametrize(("labels", "share"), [("y[500:]", 1.0), ("(y[500:] + 1) % 3", -1.0)])
def test_what_a_training_does_for_validation_examples(probed, labels, share):
    """With labels of the next class the loss rises; else it falls as that of held-out training examples does."""
    facts = probed(MOVED.replace("LABELS", labels), validation_fit.probe)
    fall = facts["held_loss_before"] - facts["held_loss_after"]
    assert fall > 0.5
    assert (facts["validation_loss_before"] - facts["validation_loss_after"]) * share > 0.8 * fall


def test_validation_examples_that_come_class_by_class(probed):
    """They are looked at in all places, not at their beginning."""
    change = """
y = torch.cat([torch.arange(500) % 2, torch.zeros(300).long(), torch.ones(300).long()])
x = torch.randn(1100, 8) + 3 * nn.functional.one_hot(y, 8); loss = nn.CrossEntropyLoss(); model = nn.Linear(8, 2)
model.bias.data[:] = torch.tensor([6.0, 0.0]); optimizer = torch.optim.Adam(model.parameters(), 3e-2)
train_data = DataLoader(TensorDataset(x[:500], y[:500]), batch_size=50, shuffle=True)
validation_data = DataLoader(TensorDataset(x[500:], y[500:]), batch_size=50)
"""
    facts = probed(change, validation_fit.probe)
    assert facts["validation_loss_before"] == pytest.approx(facts["held_loss_before"], rel=0.3)


@pytest.mark.parametrize(("images", "asked"), [("x[torch.randint(60, (500,))]", False), ("x[:500]", True)])
def test_images_of_several_pairs_are_not_held_out(probed, images, asked):
    """What belongs to a pair that was trained on has been seen."""
    change = (
        MOVED.replace("LABELS", "y[500:]") + f"train_data = DataLoader(TensorDataset({images}, y[:500]), batch_size=50)"
    )
    assert ("fit_steps" in probed(change, validation_fit.probe)) is asked


def test_validation_images_that_only_batch_statistics_normalize(probed):
    """Their loss is taken in evaluation mode, in which the running statistics are used."""
    change = "y = torch.arange(600) % 3; x = torch.randn(600, 8) + 3 * nn.functional.one_hot(y, 8); x[500:] *= 50"
    change += MOVED.partition("LABELS")[2] + "model = nn.Sequential(nn.BatchNorm1d(8), *model)\n"
    facts = probed(change + "optimizer = torch.optim.Adam(model.parameters(), 3e-3)", validation_fit.probe)
    assert facts["validation_loss_after"] > 2.0 > 4 * facts["held_loss_after"]


@pytest.mark.parametrize(("init", "large"), [("kaiming_normal_", False), ("normal_", True)])
def test_weights_that_begin_far_larger_than_by_default(probed, init, large):
    change = f"model = nn.Sequential(nn.Linear(8, 900), nn.ReLU(), nn.Linear(900, 3)); [nn.init.{init}(m.weight) for m in model if hasattr(m, 'weight')]"
    found = probed(change + "\noptimizer = torch.optim.Adam(model.parameters())", parameters.probe)
    assert (found["weights_over_default"] > 4) is large


@pytest.mark.parametrize(("ignored", "found"), [("0", "0"), ("255", None)])
def test_a_class_of_maps_that_the_loss_leaves_out(probed, ignored, found):
    change = f"""
x = torch.randn(40, 1, 6, 6); y = (x[:, 0] > 1).long()
train_data = DataLoader(TensorDataset(x, y), batch_size=20); model = nn.Conv2d(1, 2, 1); validation_data = None
optimizer = torch.optim.Adam(model.parameters()); loss = nn.CrossEntropyLoss(ignore_index={ignored})
"""
    facts = probed(change, shapes.probe)
    assert facts.get("class_left_out") == found
    assert found is None or facts["class_left_out_share"] > 0.7


ADVANTAGE = """
del loss; model = nn.Linear(8, 1); optimizer = torch.optim.Adam(model.parameters())
def step(model, batch):
    value = model(batch[0]); reward = batch[0][:, 0]
    return -(value[:, 0] * (reward[:, None] - value.detach()SHAPE)WEIGHT).mean()
"""


@pytest.mark.parametrize(("shape", "weight", "met"), [("[:, 0]", "", True), ("", "[:, 0]", False)])
def test_an_advantage_of_all_pairs_meets_the_outputs(probed, shape, weight, met):
    """Neither the reward nor the detached value has a gradient."""
    facts = probed(ADVANTAGE.replace("SHAPE", shape).replace("WEIGHT", weight), shapes.probe)
    assert ("broadcast_shapes" in facts) is met


TWO_VIEWS = """
class Views(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 12)
    def forward(self, a, b):
        p, q = self.f(a), self.f(b)
        return (2 - nn.functional.cosine_similarity(p, FIRST).mean() - nn.functional.cosine_similarity(q, SECOND).mean())
model = Views(); del loss; optimizer = torch.optim.Adam(model.parameters()); validation_data = None
def step(model, batch):
    view = lambda: batch[0] + 0.1 * torch.randn_like(batch[0])
    return model(view(), view())
"""


@pytest.mark.parametrize(("first", "second", "alone"), [("p.detach() + 1", "q.detach() + 1", True), ("q", "p", False)])
def test_views_that_are_compared_with_themselves(probed, first, second, alone):
    facts = probed(TWO_VIEWS.replace("FIRST", first).replace("SECOND", second), views.probe)
    assert (facts.get("views_not_compared") is True) is alone


def test_targets_in_a_batch_that_the_model_takes_whole(probed):
    """What the model leaves to the loss is not ignored."""
    change = """
class Whole(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 3)
    def forward(self, batch): return self.f(batch["x"])
model = Whole(); optimizer = torch.optim.Adam(model.parameters()); validation_data = None; del loss
train_data = DataLoader([{"x": x[k], "y": y[k], "row": k} for k in range(200)], batch_size=20)
def step(model, batch): return nn.functional.cross_entropy(model(dict(batch)), batch["y"])
"""
    assert "arguments_seen" not in probed(change, arguments.probe)


@pytest.mark.parametrize(("tags", "single"), [("y * 0", 0), ("y", None)])
def test_labels_that_are_all_zero_under_a_loss_of_ones_own(probed, tags, single):
    """No loss of torch's sees them: the step picks the scores itself."""
    change = f"""
def step(model, batch):
    scores = model(batch[0]).log_softmax(1)
    return -scores[torch.arange(len(scores)), batch[1]].mean()
tags = {tags}; train_data = DataLoader(TensorDataset(x, tags, torch.rand(240)), batch_size=40); del loss
"""
    assert probed(change, constant_targets.probe).get("single_class") == single


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ("order[:100]", "order[50:150]", 0.5),
        ("order[:100]", "order[100:]", 0.0),
        ("order < 100", "order < 150", 2 / 3),
    ],
)
def test_nodes_of_one_graph_that_are_held_out(probed, first, second, share):
    change = f"""
order = torch.randperm(240); del loss
train_data, validation_data = [(x, y, {first})], [(x, y, {second})]
def step(model, batch): return nn.functional.cross_entropy(model(batch[0])[batch[2]], batch[1][batch[2]])
"""
    assert probed(change, data.probe).get("overlap_share") == pytest.approx(share)


@pytest.mark.parametrize(
    ("optimizer", "share"),
    [("AdamW", 0.05), ("Adam", None)],
)
def test_what_decoupled_weight_decay_takes_off_at_each_step_is_noted(probed, optimizer, share):
    """Weight decay that is added to the gradient does no more at a higher rate."""
    text = f"optimizer = torch.optim.{optimizer}(model.parameters(), lr=1e-3, weight_decay=50.0)"
    assert probed(text, parameters.probe).get("shrinking") == (None if share is None else pytest.approx(share))


def test_targets_of_two_kinds_only_are_compared_with_those_of_validation(probed):
    """Numbers of type bool, which torch does not look up in others."""
    change = """
y = (x[:, 0] > 0).bool(); model = nn.Sequential(nn.Linear(8, 1), nn.Flatten(0))
def loss(output, target): return nn.functional.binary_cross_entropy_with_logits(output, target.float())
optimizer = torch.optim.Adam(model.parameters(), 3e-3)
train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True)
validation_data = DataLoader(TensorDataset(x[200:], y[200:]), batch_size=40)
"""
    assert probed(change, data.probe)["unseen_class_share"] == 0


@pytest.mark.parametrize(("labels", "share"), [("rules", 0.0), ("torch.randint(5, (240,))", 0.3)])
def test_equal_codes_with_different_labels(probed, labels, share):
    """Codes that leave some of the label open, as tokens do what comes next, are no contradiction; those that tell nothing are."""
    change = f"""
codes = torch.randint(4, (240, 2)); rules = (codes.sum(1) + torch.randint(2, (240,))) % 5
train_data = DataLoader(TensorDataset(codes, {labels}), batch_size=20, shuffle=True); validation_data = None
model = nn.Sequential(nn.Embedding(4, 8), nn.Flatten(), nn.Linear(16, 5))
optimizer = torch.optim.Adam(model.parameters(), 3e-3)
"""
    assert (probed(change, data.probe)["contradicting_share"] > share) is (share > 0)
