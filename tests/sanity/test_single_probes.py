"""Single probes on small files: a fault and its healthy twin each, without the rest of the check-up."""

from __future__ import annotations

import warnings

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.bench import Bench, Clock, gather  # noqa: E402
from nndoctor.sanity.probes import (  # noqa: E402
    dependence,
    endless,
    heldout,
    neighbours,
    pairs,
    parameters,
    sequences,
    shapes,
    steps,
    tiny,
)
from nndoctor.sanity.settle import settle  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.state import Snapshot, random_state  # noqa: E402

CODES = """
class Vae(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Linear(8, 8); self.d = nn.Linear(4, 8)
    def forward(self, v):
        mu, lv = self.e(v).chunk(2, 1)
        return self.d(mu + torch.randn_like(mu) * (lv / 2).exp()), mu, lv
model = Vae(); optimizer = torch.optim.Adam(model.parameters(), 3e-3); validation_data = None
def step(model, batch):
    r, mu, lv = model(batch[0])
    kl = -0.5 * (1 + lv - mu**2 - lv.exp()).sum(1).mean()
    return RECONSTRUCTION + WEIGHT * kl
"""
VIEWS = """
class Encoder(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Linear(8, 6)
    def forward(self, v): return nn.functional.normalize(self.f(v), dim=DIMENSION)
model = Encoder(); optimizer = torch.optim.Adam(model.parameters(), 3e-3); validation_data = None
def step(model, batch):
    v = batch[0]; n = len(v)
    z = torch.cat([model(v), model(v + 0.1 * torch.randn_like(v))]); s = z @ z.T / 0.5
    mask, places = torch.eye(2 * n, dtype=torch.bool), torch.arange(2 * n)
    return nn.functional.cross_entropy(LOGITS)
"""
OTHER_VIEW = VIEWS.replace("LOGITS", "s.masked_fill(mask, -1e9), places.roll(n)")
MAPS = """
x = torch.randn(32, 1, 4, 4); m = (x > 0).float()
model = nn.Conv2d(1, 1, 3, padding=1); loss = nn.MSELoss(); validation_data = None
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
train_data = DataLoader(TensorDataset(x, TARGET), batch_size=8)
"""
ADAPTED = """
class Adapted(nn.Module):
    def __init__(self):
        super().__init__(); self.base = nn.Linear(8, 3); self.norm = nn.LayerNorm(8)
        self.lora_A, self.lora_B = nn.Linear(8, 2, bias=False), nn.Linear(2, 3, bias=False)
    def forward(self, v): v = self.norm(v); return self.base(v) + self.lora_B(self.lora_A(v))
model = Adapted()
for n, p in model.named_parameters(): p.requires_grad_(n.startswith(("norm", TRAINED)))
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-3)
"""
CLUSTERS = """
c = torch.arange(240) % 3
x = torch.randn(3, 24)[c] * 2 + 0.5 * torch.randn(240, 24)
train_data = DataLoader(TensorDataset(x, LABELS), batch_size=20, shuffle=True); validation_data = None
model = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 3)); optimizer = torch.optim.Adam(model.parameters(), 2e-2)
"""
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


@pytest.fixture
def probed(written, monkeypatch):
    """The facts that probes note of a file with a change."""
    monkeypatch.setattr(heldout, "STEPS", 200)

    def probe(change: str, *probes, budget: float = 20.0) -> dict[str, object]:
        torch.set_num_threads(1)
        subject = from_file(written(change))
        with random_state(), torch.enable_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of shapes that broadcast, too
            bench = Bench(subject, Clock(budget), 1, Snapshot(subject.model), step_time=1e-3)
            bench.fresh_start()
            gather(bench)
            settle(bench)
            for each in probes:
                bench.fresh_start()
                each(bench)
        return bench.facts

    return probe


def untold(bench):
    """Neighbours tell nothing of the labels, as of shuffled ones; with so few examples chance may tell a little."""
    bench.fact("label_signal", 0.0)


def codes(weight: float, reconstruction: str = "((r - batch[0]) ** 2).sum(1).mean()") -> str:
    """The file of an autoencoder with codes drawn from a Gaussian."""
    return CODES.replace("WEIGHT", str(weight)).replace("RECONSTRUCTION", reconstruction)


def test_a_divergence_of_the_wrong_sign_is_seen(probed):
    """The loss falls with the square of the codes' means."""
    assert probed(codes(-1.0), endless.probe)["endless_output"] == 1


def test_a_divergence_of_the_right_sign_has_a_lowest_value(probed):
    """The healthy twin."""
    assert "endless_output" not in probed(codes(1.0), endless.probe)


def test_a_term_that_outweighs_the_reconstruction_is_seen(probed, monkeypatch):
    """The loss falls while the output stays the same for every example."""
    monkeypatch.setattr(tiny, "FACTORS", (10.0,))
    monkeypatch.setattr(tiny, "ADAMS", ())
    facts = probed(codes(50.0, "((r - batch[0]) ** 2).mean()"), tiny.probe)
    assert facts["tiny_outputs_constant"] is True


def test_outputs_that_follow_their_inputs_are_not_called_constant(probed):
    """The healthy twin, with little weight on the codes."""
    facts = probed(codes(0.01) + "optimizer = torch.optim.Adam(model.parameters(), 3e-2)", tiny.probe)
    assert facts["output_meets_target"] is True
    assert facts["tiny_passed"] == 1


def test_embeddings_that_are_their_own_positives_are_seen(probed):
    """The targets are the diagonal of the similarities."""
    change = VIEWS.replace("LOGITS", "s, places").replace("DIMENSION", "1")
    assert probed(change, pairs.probe)["own_positives"] == 40


def test_the_other_view_as_the_positive_is_not(probed):
    """The healthy twin."""
    assert "own_positives" not in probed(OTHER_VIEW.replace("DIMENSION", "1"), pairs.probe)


def test_embeddings_normalized_over_the_batch_leak_within_a_step(probed):
    """Each embedding then depends on all others."""
    assert probed(OTHER_VIEW.replace("DIMENSION", "0"), dependence.leak)["leak_change"] > 1e-2


def test_embeddings_normalized_by_example_do_not(probed):
    """The healthy twin."""
    assert probed(OTHER_VIEW.replace("DIMENSION", "1"), dependence.leak)["leak_change"] < 1e-5


def test_maps_without_their_channel_broadcast_in_a_loss(probed):
    """(8, 1, 4, 4) against (8, 4, 4)."""
    facts = probed(MAPS.replace("TARGET", "m[:, 0]"), shapes.probe)
    assert facts["broadcast_to"] == "(8, 8, 4, 4)"


def test_maps_with_their_channel_do_not(probed):
    """The healthy twin."""
    assert "broadcast_to" not in probed(MAPS.replace("TARGET", "m"), shapes.probe)


def test_adapters_that_are_all_frozen_are_seen(probed):
    """Only the normalization trains."""
    facts = probed(ADAPTED.replace("TRAINED", "'norm'"), parameters.probe)
    assert facts["frozen_adapters"] == ("lora_A.weight", "lora_B.weight")


def test_adapters_that_train_are_not(probed):
    """The healthy twin."""
    assert "frozen_adapters" not in probed(ADAPTED.replace("TRAINED", "'lora_'"), parameters.probe)


def test_labels_that_are_only_memorized_are_seen(probed):
    """Shuffled labels of inputs in clusters: learned on one part, told by chance on the other."""
    facts = probed(CLUSTERS.replace("LABELS", "c[torch.randperm(240)]"), untold, heldout.probe)
    assert facts["inputs_structured"] is True
    assert facts["heldout_score"] < 1.5
    assert facts["heldout_learned"] > 0.3


def test_labels_that_neighbours_tell_need_no_training(probed):
    """The healthy twin."""
    assert "heldout_score" not in probed(CLUSTERS.replace("LABELS", "c"), neighbours.probe, heldout.probe)


def test_independent_features_are_no_structure(probed):
    """Numbers drawn as stand-ins: labels need not follow from them."""
    change = CLUSTERS.replace("LABELS", "c[torch.randperm(240)]") + "x.copy_(torch.randn(240, 24))"
    assert probed(change, untold, heldout.probe)["inputs_structured"] is False


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


CTC = """
x = torch.randn(16, 8, 12); t = torch.randint(1, 5, (16, 3)) - SHIFT
model = nn.Linear(12, 5); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
train_data = DataLoader(TensorDataset(x, t), batch_size=8)
def loss(o, t):
    lengths = torch.full((len(o),), 8), torch.full((len(o),), 3)
    return nn.functional.ctc_loss(o.log_softmax(2).transpose(0, 1), t, *lengths)
"""


def test_blanks_among_the_targets_of_a_ctc_loss_are_seen(probed):
    """Labels that are numbered from 0, which is the blank."""
    assert 0 < probed(CTC.replace("SHIFT", "1"), shapes.probe)["blank_targets"] < 1


def test_labels_from_one_on_are_no_blanks(probed):
    """The healthy twin."""
    assert probed(CTC.replace("SHIFT", "0"), shapes.probe)["blank_targets"] == 0


DISTILLED = """
teacher = nn.Linear(8, 3)
def step(model, batch):
    s, t = model(batch[0]), teacher(batch[0]).detach()
    return nn.functional.kl_div(GIVEN, t.softmax(1), reduction="batchmean") + nn.functional.cross_entropy(s, batch[1])
"""


def test_a_divergence_that_is_given_probabilities_is_seen(probed):
    """It takes their logarithms, also where it is a part of the loss only."""
    assert probed(DISTILLED.replace("GIVEN", "s.softmax(1)"), shapes.probe)["not_log_probabilities"] == "kl_div"


def test_a_divergence_that_is_given_logarithms_is_not(probed):
    """The healthy twin."""
    assert "not_log_probabilities" not in probed(DISTILLED.replace("GIVEN", "s.log_softmax(1)"), shapes.probe)


def test_a_slow_model_learns_a_tiny_subset_of_one_seed(written):
    """A budget of 240 steps is one seed of two hundred, rather than three of forty."""
    subject = from_file(written())
    bench = Bench(subject, Clock(48.0), 3, Snapshot(subject.model), step_time=0.1)
    assert tiny._plan(bench) == (200, 1)


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


def test_what_the_last_block_makes_for_no_next_one_is_a_dead_end(probed):
    """The last residual of a stack that ends in its skips."""
    facts = probed(STACK, steps.probe)
    assert facts["dead_ends"] == ("r.2.weight", "r.2.bias")
    assert facts["no_gradient"] == ()


def test_a_forgotten_head_is_none(probed):
    """Heads beside each other take the same input."""
    facts = probed(HEADS, steps.probe)
    assert facts["no_gradient"] == ("h.2.weight", "h.2.bias")
