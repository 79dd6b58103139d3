"""Sequences of numbers that see their own targets, losses of sets, and preferences that are exchanged."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import fit, own_value, preferences  # noqa: E402

FORECAST = """
class Forecast(nn.Module):
    def __init__(self): super().__init__(); self.r = nn.GRU(1, 12, batch_first=True, BIDIRECTIONAL); self.o = nn.LazyLinear(1)
    def forward(self, s): return self.o(self.r(GIVEN)[0])
s = torch.randn(60, 12, 1); train_data = DataLoader(TensorDataset(s), batch_size=20); validation_data = None
model = Forecast(); model(s); optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
def step(model, batch):
    mean = model(batch[0])
    return -torch.distributions.Normal(mean, 1.0).log_prob(batch[0]).mean()
"""
EARLIER = "nn.functional.pad(s, (0, 0, 1, 0))[:, :-1]"
ANSWERS = """
class Words(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(9, 16); self.r = nn.GRU(16, 16, batch_first=True); self.o = nn.Linear(16, 9)
    def forward(self, ids): return self.o(self.r(self.e(ids))[0])
model = Words(); validation_data = None; optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
p = torch.randint(0, 9, (80, 4)); good, bad = p.sort(1)[0], p
rows = [{"prompt": a, "chosen": b, "rejected": c} for a, b, c in zip(p, good, bad)]
train_data = DataLoader(rows, batch_size=20)
def score(model, prompt, answer):
    ids = torch.cat([prompt, answer], 1)
    return model(ids)[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[:, 3:, 0].sum(1)
def step(model, batch):
    margin = score(model, batch["prompt"], batch["chosen"]) - score(model, batch["prompt"], batch["rejected"])
    return -nn.functional.logsigmoid(SIGN 0.5 * margin).mean()
"""
REWARDS = """
class Reward(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(9, 16); self.o = nn.Linear(64, 1)
    def forward(self, ids): return self.o(self.e(ids).flatten(1))
model = Reward(); validation_data = None; optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
p = torch.randint(0, 9, (80, 4)); train_data = DataLoader([{"chosen_ids": a, "rejected_ids": b} for a, b in zip(p.sort(1)[0], p)], batch_size=20)
def step(model, batch):
    both = model(torch.cat([batch["chosen_ids"], batch["rejected_ids"]]))
    good, bad = both.chunk(2)
    return -nn.functional.logsigmoid(SIGN (good - bad)).mean()
"""
SOURCES = """
s = torch.randn(40, 2, 16); mix = s.sum(1)
class Apart(nn.Module):
    def __init__(self): super().__init__(); self.n = nn.Linear(16, 32)
    def forward(self, v): return self.n(v).view(-1, 2, 16)
model = Apart(); optimizer = torch.optim.Adam(model.parameters()); train_data = DataLoader(TensorDataset(mix, s), batch_size=20); validation_data = None
def ratio(e, t): return 10 * torch.log10(t.pow(2).sum(-1) / ((e - t).pow(2).sum(-1) + 1e-8)).mean(1)
def loss(e, t): return -torch.maximum(ratio(e, t), ratio(e, t.flip(1))).mean()
"""
CLAMPED = """
model = nn.Linear(8, 1); optimizer = torch.optim.Adam(model.parameters()); t = 3 + torch.rand(240, 1); train_data = DataLoader(TensorDataset(x, t), batch_size=20)
validation_data = None
def loss(o, t): return (o.clamp(2, 5) - t).square().mean()
"""


@pytest.mark.parametrize(("given", "least", "most"), [("s", 0.01, 10.0), (EARLIER, 0.0, 0.0)])
def test_a_forecast_that_sees_the_value_it_predicts_is_known(probed, given, least, most):
    """The input must be shifted by one place."""
    facts = probed(FORECAST.replace("GIVEN", given).replace(", BIDIRECTIONAL", ""), own_value.probe)
    assert least <= facts["own_value_seen"] <= most


DEMAND = """
s = torch.randn(80, 13).cumsum(1); del model, loss
class Forecast(nn.Module):
    def __init__(self): super().__init__(); self.r, self.o = nn.LSTM(2, 8, batch_first=True), nn.Linear(8, 1)
    def forward(self, v): return self.o(self.r(v)[0])[..., 0]
model = Forecast(); optimizer = torch.optim.Adam(model.parameters()); validation_data = None
given = torch.stack([s[:, :-1], torch.arange(12.0).expand(80, 12)], 2)
train_data = DataLoader(TensorDataset(given, TARGET), batch_size=20)
def loss(o, t): return (0.5 * ((t - o) / 0.3) ** 2).mean()
"""


@pytest.mark.parametrize(("target", "seen"), [("s[:, :-1]", True), ("s[:, 1:]", False)])
def test_a_feature_that_is_the_value_to_be_predicted(probed, target, seen):
    facts = probed(DEMAND.replace("TARGET", target), own_value.probe)
    assert ("own_value_seen" in facts) is seen


def test_an_autoencoder_of_sequences_sees_its_targets_on_purpose(probed):
    """It sees both ways."""
    facts = probed(FORECAST.replace("GIVEN", "s").replace("BIDIRECTIONAL", "bidirectional=True"), own_value.probe)
    assert "own_value_seen" not in facts


@pytest.mark.parametrize("change", [ANSWERS, REWARDS])
@pytest.mark.parametrize(("sign", "wrong"), [("-", True), ("", False)])
def test_exchanged_preferences_are_seen(probed, change, sign, wrong):
    """Of a language model by log-probabilities, of a reward model by its rewards."""
    assert probed(change.replace("SIGN", sign), preferences.probe)["preference_reversed"] is wrong


def test_sources_in_another_order_are_as_good_as_the_targets(probed):
    """A loss of separated sources has several best outputs, and falls without end towards each."""
    facts = probed(SOURCES, fit.probe)
    assert facts["loss_least_at_target"] is True
    assert facts["loss_still_falls"] is True


def test_outputs_that_a_clamp_keeps_from_the_targets_are_stuck(probed):
    """Shorter steps do not help there."""
    assert probed(CLAMPED, fit.probe)["loss_still_falls"] is False


DECODER = """
class Decoder(nn.Module):
    def __init__(self): super().__init__(); self.e, self.r, self.o = nn.Embedding(12, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(8, 12)
    def forward(self, ids): return self.o(self.r(self.e(ids))[0])
words = torch.randint(3, 12, (80, 6)); words[:, 5] = 2; words[::3, 4:] = 1
goal = words.masked_fill(words == 1, -100)
given = torch.cat([torch.zeros(80, 1).long(), words[:, :-1]], 1) if SHIFTED else words
model = Decoder(); validation_data = None; optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
train_data = DataLoader(TensorDataset(given, goal), batch_size=20); del loss
def step(model, batch): return nn.functional.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten())
"""


@pytest.mark.parametrize("shifted", [False, True])
def test_a_decoder_that_is_given_its_labels(probed, shifted):
    """Short sequences that all end alike; padding stands where the loss leaves labels out."""
    facts = probed(DECODER.replace("SHIFTED", str(shifted)), own_value.probe)
    assert (facts.get("own_value_seen", 0.0) > 0) is not shifted


@pytest.mark.parametrize("shifted", [False, True])
def test_a_decoder_by_time_and_example_whose_outputs_are_one_row_a_token(probed, shifted):
    change = DECODER.replace("SHIFTED", str(shifted)).replace("batch_first=True", "batch_first=False")
    change = change.replace("self.r(self.e(ids))[0])", "self.r(self.e(ids))[0]).flatten(0, 1)")
    change = change.replace(
        "model(batch[0]).flatten(0, 1), batch[1].flatten()", "model(batch[0].t()), batch[1].t().flatten()"
    )
    assert (probed(change, own_value.probe).get("own_value_seen", 0.0) > 0) is not shifted
