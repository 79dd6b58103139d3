"""Losses of classes that have no minimum, classes without a weight, targets without time, and batches that have no parts."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.alignments import Alignment  # noqa: E402
from nndoctor.sanity.probes import constant_targets, densities, endless, shapes, tiny  # noqa: E402

WRITTEN_OUT = """
del loss
def step(model, batch):
    inputs, labels = batch
    return SIGN model(inputs).log_softmax(1).gather(1, labels[:, None]).mean()
"""
WITHOUT_SUM = """
del loss
def step(model, batch):
    inputs, labels = batch
    scores = model(inputs)
    return (REST - scores.gather(1, labels[:, None])[:, 0]).mean()
"""
NORMALIZED = """
class Turned(nn.Module):
    def __init__(self): super().__init__(); self.a = nn.Linear(8, 4)
    def forward(self, v): return nn.functional.normalize(self.a(v))
centres = nn.functional.normalize(torch.randn(3, 4))
model = Turned(); optimizer = torch.optim.Adam(model.parameters()); del loss
def step(model, batch): return -(model(batch[0]) * centres[batch[1]]).sum(1).mean()
"""
REWARDED = """
del loss
def step(model, batch):
    states, actions = batch
    reward = torch.where(actions == 0, -1.0, -2.0)
    return -(reward * model(states).log_softmax(1).gather(1, actions[:, None])[:, 0]).mean()
"""
WEIGHED = """
loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, OTHER, OTHER]))
train_data = DataLoader(TensorDataset(x, y), batch_size=40)
"""
DENSITY = """
class Scaled(nn.Module):
    def __init__(self): super().__init__(); self.logs, self.shift = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    def forward(self, v): return v
    def log_prob(self, v):
        moved = v * self.logs.exp() + self.shift
        return -0.5 * moved.square().sum(1) + BY self.logs.sum()
model = Scaled(); optimizer = torch.optim.Adam(model.parameters(), lr=0.02); del loss, validation_data
points = torch.randn(400, 2) * 3 + 5
train_data = DataLoader(TensorDataset(points), batch_size=40)
def step(batch):
    value = -model.log_prob(batch[0]).mean()
    optimizer.zero_grad(); value.backward(); optimizer.step()
"""
BAGS = """
words = [(torch.randint(1, 12, (4 + k % 5,)) + 12 * (k % 3), k % 3) for k in range(120)]
def joined(rows):
    starts = torch.tensor([0] + [len(w) for w, _ in rows][:-1])CUMULATED
    return torch.cat([w for w, _ in rows]), starts, torch.tensor([label for _, label in rows])
class Bags(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.EmbeddingBag(40, 8); self.o = nn.Linear(8, 3)
    def forward(self, w, starts): return self.o(self.e(w, starts))
model = Bags(); optimizer = torch.optim.Adam(model.parameters(), 3e-2); validation_data = None
train_data = DataLoader(words, batch_size=20, collate_fn=joined)
"""


@pytest.mark.parametrize(("sign", "found"), [("", True), ("-", False)])
def test_a_log_likelihood_without_its_minus_has_no_minimum(probed, sign, found):
    assert ("endless_fall" in probed(WRITTEN_OUT.replace("SIGN", sign), endless.probe)) is found


@pytest.mark.parametrize(("rest", "found"), [("0", True), ("scores.logsumexp(1)", False)])
def test_a_likelihood_without_its_sum_over_classes_has_no_minimum(probed, rest, found):
    assert ("endless_fall" in probed(WITHOUT_SUM.replace("REST", rest), endless.probe)) is found


@pytest.mark.parametrize("change", [NORMALIZED, REWARDED], ids=["of one length", "choices that have rewards"])
def test_outputs_that_have_ends_and_choices_are_left_alone(probed, change):
    assert "endless_fall" not in probed(change, endless.probe)


@pytest.mark.parametrize(("weight", "single"), [("0.0", 0), ("0.5", None)])
def test_classes_with_a_weight_of_zero_do_not_count(probed, weight, single):
    assert probed(WEIGHED.replace("OTHER", weight), constant_targets.probe).get("single_class") == single


@pytest.mark.parametrize(("times", "share"), [((7, 7), 0.0), ((4, 4), 0.5), ((1, 1), 1.0)])
def test_targets_of_a_ctc_loss_need_their_time_and_one_more_between_equal_symbols(times, share):
    scores = torch.zeros(7, 2, 5)
    targets = torch.tensor([1, 2, 3, 2, 2, 4, 4])  # 3 symbols, and 4 that need 6 steps
    assert Alignment.of(scores, targets, times, (3, 4)).too_long == share


@pytest.mark.parametrize(("cumulated", "learned"), [(".cumsum(0)", True), ("", False)])
def test_the_tiny_subset_of_batches_without_parts_is_put_together_by_their_loader(probed, cumulated, learned):
    """Words of all texts stand end to end, with the start of each."""
    facts = probed(BAGS.replace("CUMULATED", cumulated), tiny.probe)
    assert facts["tiny_examples"] == 16
    assert (facts["tiny_passed"] == facts["tiny_tried"]) is learned


@pytest.mark.parametrize(("cumulated", "overlap"), [(".cumsum(0)", None), ("", True)])
def test_offsets_of_bags_that_fall_are_lengths(probed, cumulated, overlap):
    facts = probed(BAGS.replace("CUMULATED", cumulated), shapes.probe)
    assert facts.get("bags_overlap") is overlap


def test_what_the_model_takes_is_no_target_where_it_leaves_another_part(probed):
    """The starts of the texts come last, after the labels."""
    change = (
        BAGS.replace("CUMULATED", ".cumsum(0)")
        + """
def turned(rows): words, starts, labels = joined(rows); return words, labels, starts
train_data = DataLoader(words, batch_size=20, collate_fn=turned)
def step(model, batch): return loss(model(batch[0], batch[2]), batch[1])
    """
    )
    facts = probed(change, lambda bench: bench.fact("target", bench.target(bench.batch) is not None))
    assert facts["target"] is False


@pytest.mark.parametrize(("by", "grows"), [("", False), ("0 *", True), ("-", True)])
def test_likelihoods_that_add_up_to_more_and_more_are_no_probabilities(probed, by, grows):
    """The constant that the likelihood lacks does not matter."""
    assert ("mass_grown" in probed(DENSITY.replace("BY", by), densities.probe)) is grows
