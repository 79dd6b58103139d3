"""Single probes of tokens, of terms of the loss and of blocks: a fault and its healthy twin each."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import (  # noqa: E402
    data,
    fit,
    sequences,
    shapes,
    steps,
)

WORDS = """
s = torch.randint(0, 12, (80, 10))
class Lm(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(12, 16); self.r = nn.GRU(16, 16, batch_first=True); self.o = nn.Linear(16, 12)
    def forward(self, input_ids, labels=None):
        o = self.o(self.r(self.e(input_ids))[0])
        l = nn.functional.cross_entropy(o[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return {"loss": l, "logits": o}
model = Lm(); optimizer = torch.optim.Adam(model.parameters(), 3e-3); del loss; validation_data = None
class Rows(torch.utils.data.Dataset):
    def __len__(self): return len(s)
    def __getitem__(self, i): return {"input_ids": s[i], "labels": LABELS}
train_data = DataLoader(Rows(), batch_size=20)
"""
CTC = """
x = torch.randn(16, 8, 12); t = torch.randint(1, 5, (16, 3)) - SHIFT
model = nn.Linear(12, 5); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
train_data = DataLoader(TensorDataset(x, t), batch_size=8)
def loss(o, t):
    lengths = torch.full((len(o),), 8), torch.full((len(o),), 3)
    return nn.functional.ctc_loss(o.log_softmax(2).transpose(0, 1), t, *lengths)
"""
DISTILLED = """
teacher = nn.Linear(8, 3)
def step(model, batch):
    s, t = model(batch[0]), teacher(batch[0]).detach()
    return nn.functional.kl_div(GIVEN, t.softmax(1), reduction="batchmean") + nn.functional.cross_entropy(s, batch[1])
"""
STACK = """
class Stack(nn.Module):
    def __init__(self):
        super().__init__(); self.f, self.r, self.s = (nn.ModuleList(nn.Linear(8, 8) for _ in range(3)) for _ in range(3))
        self.o = nn.Linear(8, 3)
    def forward(self, v):
        skip = 0
        for f, r, s in zip(self.f, self.r, self.s):
            h = torch.tanh(f(v)); skip = skip + s(h); v = v + r(h)
        return self.o(skip)
model = Stack(); optimizer = torch.optim.Adam(model.parameters(), 1e-3)
"""
HEADS = """
class Heads(nn.Module):
    def __init__(self): super().__init__(); self.b = nn.Linear(8, 8); self.h = nn.ModuleList(nn.Linear(8, 3) for _ in range(3))
    def forward(self, v): z = torch.relu(self.b(v)); return [h(z) for h in self.h]
model = Heads(); optimizer = torch.optim.Adam(model.parameters(), 1e-3)
def loss(o, t): return sum(nn.functional.cross_entropy(one, t) for one in o[:2])
"""
SERIES = """
w = torch.randn(140, 7).cumsum(1)
model = nn.Linear(6, 1); loss = nn.MSELoss(); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
train_data = DataLoader(TensorDataset(WINDOW, w[:, 6:]), batch_size=20)
"""


def test_labels_of_other_sentences_are_seen(probed):
    """A language model with its own loss takes the tokens of its input as labels."""
    assert probed(WORDS.replace("LABELS", "s[(i + 7) % 80]"), sequences.probe)["labels_found_in_input"] < 0.5


def test_labels_of_the_same_sentence_are_not(probed):
    """The healthy twin, whose next token is the target."""
    facts = probed(WORDS.replace("LABELS", "s[i]"), sequences.probe)
    assert "labels_found_in_input" not in facts
    assert facts["target_offset"] == 1


def test_targets_that_a_model_sees_at_their_own_places_are_seen(probed):
    """A model that looks both ways, whose loss is taken at every token that it is given."""
    change = WORDS.replace("LABELS", "s[i]").replace("batch_first", "bidirectional=True, batch_first")
    change = change.replace("(16, 12)", "(32, 12)").replace("o[:, :-1]", "o").replace("labels[:, 1:]", "labels")
    assert probed(change, sequences.probe)["target_offset"] == 0


def test_hidden_targets_are_not(probed):
    """The healthy twin: half of the tokens are masked, and only they are targets."""
    change = WORDS.replace("LABELS", "torch.where(hide, s[i], -100)").replace("s[i],", "torch.where(hide, 0, s[i]),", 1)
    change = change.replace("batch_first", "bidirectional=True, batch_first").replace("(16, 12)", "(32, 12)")
    change = change.replace("class Rows", "hide = torch.arange(10) % 2 == 0\nclass Rows")
    change = change.replace("o[:, :-1]", "o").replace("labels[:, 1:]", "labels")
    assert "target_offset" not in probed(change, sequences.probe)


def test_blanks_among_the_targets_of_a_ctc_loss_are_seen(probed):
    """Labels that are numbered from 0, which is the blank."""
    assert 0 < probed(CTC.replace("SHIFT", "1"), shapes.probe)["blank_targets"] < 1


def test_labels_from_one_on_are_no_blanks(probed):
    """The healthy twin."""
    assert probed(CTC.replace("SHIFT", "0"), shapes.probe)["blank_targets"] == 0


def test_a_divergence_that_is_given_probabilities_is_seen(probed):
    """It takes their logarithms, also where it is a part of the loss only."""
    assert probed(DISTILLED.replace("GIVEN", "s.softmax(1)"), shapes.probe)["not_log_probabilities"] == "kl_div"


def test_a_divergence_that_is_given_logarithms_is_not(probed):
    """The healthy twin."""
    assert "not_log_probabilities" not in probed(DISTILLED.replace("GIVEN", "s.log_softmax(1)"), shapes.probe)


def test_what_the_last_block_makes_for_no_next_one_is_a_dead_end(probed):
    """The last residual of a stack that ends in its skips."""
    facts = probed(STACK, steps.probe)
    assert facts["dead_ends"] == ("r.2.weight", "r.2.bias")
    assert facts["no_gradient"] == ()


def test_a_forgotten_head_is_none(probed):
    """Heads beside each other take the same input."""
    facts = probed(HEADS, steps.probe)
    assert facts["no_gradient"] == ("h.2.weight", "h.2.bias")


def test_a_loss_that_rewards_wrong_classes_is_seen(probed):
    """An overlap that is minimized."""
    overlap = "def loss(o, t): return (o.softmax(1) * nn.functional.one_hot(t, 3)).sum(1).mean()"
    facts = probed(overlap, fit.probe)
    assert facts["loss_of_right_answers"] > facts["loss_of_wrong_answers"]


def test_a_loss_that_rewards_right_classes_is_not(probed):
    """The healthy twin."""
    facts = probed("", fit.probe)
    assert facts["loss_of_right_answers"] < facts["loss_of_wrong_answers"]


def test_a_window_that_holds_its_target_is_seen(probed):
    """The window ends with the value that is to be predicted."""
    assert probed(SERIES.replace("WINDOW", "w[:, 1:]"), data.probe)["target_column"] == 5


def test_a_window_before_its_target_is_not(probed):
    """The healthy twin."""
    assert "target_column" not in probed(SERIES.replace("WINDOW", "w[:, :6]"), data.probe)


def test_convolutions_that_are_shown_their_targets_are_seen(probed):
    """Causal convolutions have the places last."""
    convolved = WORDS.replace("LABELS", "s[i]").replace("o[:, :-1]", "o").replace("labels[:, 1:]", "labels")
    convolved = convolved.replace("nn.GRU(16, 16, batch_first=True)", "nn.Conv1d(16, 16, 2)").replace(
        "self.o(self.r(self.e(input_ids))[0])",
        "self.o(self.r(nn.functional.pad(self.e(input_ids).transpose(1, 2), (1, 0))).transpose(1, 2)).transpose(1, 2)",
    )
    facts = probed(convolved.replace("o.flatten(0, 1), labels.flatten()", "o, labels"), sequences.probe)
    assert facts["target_offset"] == 0
