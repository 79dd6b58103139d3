"""Sequences of different lengths, in batches that cannot be joined: their labels, and the tags of their tokens."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import data, heldout  # noqa: E402
from nndoctor.sanity.ragged import padded  # noqa: E402

TEXTS = """
from torch.nn.utils.rnn import pad_sequence
draws = torch.Generator().manual_seed(1)
def text():
    n = int(torch.randint(6, 16, (1,), generator=draws))
    return (torch.rand(n, generator=draws) ** 2 * 30).long() + 3  # words differ in frequency
texts = [text() for _ in range(240)]
first = torch.tensor([int(t[0] > 12) for t in texts])
order = torch.randperm(240)
def collate(rows):
    words, labels = zip(*rows)
    return pad_sequence(words, batch_first=True), LABELS
class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.mix, self.out = nn.Embedding(40, 24, padding_idx=0), nn.Linear(24, 24), nn.Linear(24, 2)
    def forward(self, words): h = self.words(words); return self.out(torch.relu(self.mix(h)) + h.mean(1, keepdim=True))OUTPUT
model = Reader(); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
"""
WHOLE = TEXTS.replace("LABELS", "torch.stack(labels)").replace("OUTPUT", "[:, 0]")
TAGGED = TEXTS.replace("LABELS", "pad_sequence(labels, batch_first=True, padding_value=-100)").replace("OUTPUT", "")
TAGS = "def loss(output, target): return nn.functional.cross_entropy(output.flatten(0, 1), target.flatten())\n"
BATCHES = "train_data = DataLoader(list(zip(texts, ROWS)), 24, collate_fn=collate)\n"


def test_labels_that_follow_from_texts_are_found_on_held_out_batches(probed):
    """The first word tells the label, which counts of words do not show."""
    facts = probed(WHOLE + BATCHES.replace("ROWS", "first"), heldout.probe)
    assert "heldout_score" not in facts


def test_labels_of_other_texts_are_only_memorized(probed):
    """The same labels, shuffled."""
    facts = probed(WHOLE + BATCHES.replace("ROWS", "first[order]"), heldout.probe)
    assert facts["inputs_structured"] is True
    assert facts["heldout_score"] < 2
    assert facts["heldout_own_score"] > 5


def test_tags_of_other_texts_are_only_memorized(probed):
    """Tags have the shape of the tokens, but are far fewer than words: they are labels, not the input."""
    tags = "[(t > 12).long() for t in texts]"
    assert "heldout_score" not in probed(TAGGED + TAGS + BATCHES.replace("ROWS", tags), heldout.probe)
    drawn = "[torch.randint(0, 2, (len(t),)) for t in texts]"
    facts = probed(TAGGED + TAGS + BATCHES.replace("ROWS", drawn), heldout.probe)
    assert facts["heldout_score"] < 2


def test_a_causal_language_model_is_not_asked_for_its_own_input(probed):
    """Its labels are its tokens."""
    change = WHOLE.replace("[:, 0]", "").replace("nn.Linear(24, 2)", "nn.Linear(24, 40)")
    tokens = "def loss(output, target): return nn.functional.cross_entropy(output.flatten(0, 1), target.flatten())\n"
    change = change.replace("torch.stack(labels)", "pad_sequence(labels, batch_first=True)")
    assert "heldout_score" not in probed(change + tokens + BATCHES.replace("ROWS", "texts"), heldout.probe)


def test_sequences_are_padded_as_their_batches_are():
    """By the most frequent last value of whole numbers, by zeros of others; not where the dimensions differ."""
    whole = padded([torch.tensor([[1, 2, 9], [3, 9, 9]]), torch.tensor([[4, 9]])])
    assert whole.tolist() == [[1, 2, 9], [3, 9, 9], [4, 9, 9]]
    assert padded([torch.ones(1, 2, 2), torch.ones(1, 3, 2)]).sum() == 10
    assert padded([torch.ones(2), torch.ones(2, 1)]) is None
    masks = padded([torch.ones(1, 1, dtype=torch.bool), torch.tensor([[True, False]])])
    assert masks.tolist() == [[True, False], [True, False]]


def test_labels_of_all_batches_are_counted(probed):
    """Two of 240 texts are of the rare class, and none of them is in the first batch."""
    rare = "torch.tensor([0] * 100 + [1] * 2 + [0] * 138)"
    facts = probed(WHOLE + BATCHES.replace("ROWS", rare), data.probe)
    assert facts["examples_seen"] == 240
    assert facts["class_shares"] == pytest.approx((238 / 240, 2 / 240))


ALONE = """
from torch.nn.utils.rnn import pad_sequence
def step(model, batch): return nn.functional.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten(), ignore_index=0)
sessions = [torch.randint(1, 20, (int(torch.randint(4, 12, (1,))),)) for _ in range(200)]
class Next(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(20, 8); self.r = nn.GRU(8, 8, batch_first=True); self.o = nn.Linear(8, 20)
    def forward(self, given): return self.o(self.r(self.e(given))[0])
model = Next(); del loss; optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader(sessions, 20, collate_fn=lambda rows: pad_sequence(rows, batch_first=True))
"""


def test_batches_that_are_one_tensor_each_are_padded_together(probed):
    """As sessions are, of which the next item is predicted."""
    assert probed(ALONE, data.probe)["examples_seen"] == 200


ANSWERS = """
hidden = torch.randn(480, 3) @ torch.randn(3, 16) + 0.3 * torch.randn(480, 16); a, b = hidden[:240], hidden[240:]
first = CHOSEN
train_data = DataLoader(TensorDataset(torch.where(first, a, b), torch.where(first, b, a)), batch_size=40)
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1)); del loss; validation_data = None
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
def step(model, batch): return -nn.functional.logsigmoid(model(batch[0]) - model(batch[1])).mean()
"""


@pytest.mark.parametrize(("chosen", "told"), [("a[:, :1] > b[:, :1]", True), ("torch.rand(240, 1) < 0.5", False)])
def test_chosen_and_rejected_answers_that_were_drawn(probed, chosen, told):
    facts = probed(ANSWERS.replace("CHOSEN", chosen), heldout.probe)
    assert ("heldout_score" not in facts) is told
    assert told or (facts["heldout_roles"] and facts["heldout_score"] < 2 and facts["heldout_own_score"] > 5)


def test_sequences_without_padding_are_padded_with_a_value_of_none():
    """Or a short one would be equal to the start of a long one."""
    short, long = torch.tensor([[2, 3, 4], [5, 6, 7]]), torch.tensor([[2, 3, 4, 9], [5, 6, 7, 8]])
    assert padded([short, long])[:2, 3].tolist() == [0, 0]
    assert padded([torch.tensor([[2, 1], [3, 1]]), long])[:2, 2:].flatten().tolist() == [1, 1, 1, 1]
