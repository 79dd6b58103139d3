"""What the model makes of each of its arguments, and of random numbers in evaluation mode: a fault and its twin each."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import arguments, dependence, randomness, targets_seen  # noqa: E402

TWO = """
class Both(nn.Module):
    def __init__(self):
        super().__init__(); self.a, self.b = nn.Linear(8, 8), nn.Embedding(5, 8); self.o = nn.Linear(8, 3)
        self.gate = nn.Parameter(torch.zeros(1))
    def forward(self, values, kind): return self.o(torch.relu(self.a(values)) + SECOND)
model = Both(); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
kind = torch.randint(0, 5, (240,))
train_data = DataLoader(TensorDataset(x, kind, y), batch_size=20)
"""
DRAWS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.a, self.o = nn.Linear(8, 16), nn.Linear(16, 3)
        self.spread = nn.Parameter(torch.full((16,), -2.0)); nn.init.zeros_(self.o.weight)
    def forward(self, v): h = torch.relu(self.a(v)); return self.o(HIDDEN)
model = Net(); optimizer = torch.optim.Adam(model.parameters(), 1e-3)
"""
DECODER = """
class Translator(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(12, 16); self.o = nn.Linear(16, 12)
        self.encoder, self.decoder = nn.GRU(16, 16, batch_first=True), nn.GRU(16, 16, batch_first=True)
    def forward(self, source, target_in): return self.o(self.decoder(self.e(target_in), self.encoder(self.e(source))[1])[0])
model = Translator(); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
s, t = torch.randint(2, 12, (80, 7)), torch.randint(2, 12, (80, 9))
train_data = DataLoader(TensorDataset(s, t), batch_size=20)
def step(model, batch):
    given, goal = batch[1][:, GIVEN], batch[1][:, 1:]
    return nn.functional.cross_entropy(model(batch[0], given).flatten(0, 1), goal.flatten())
"""
FORECAST = """
w = torch.randn(120, 9, 1).cumsum(1)
class Forecaster(nn.Module):
    def __init__(self):
        super().__init__(); self.r = nn.LSTM(1, 8, batch_first=True, bidirectional=BOTH_WAYS); self.o = nn.Linear(8 + 8 * BOTH_WAYS, 1)
    def forward(self, v): return self.o(self.r(v)[0])
model = Forecaster(); loss = nn.MSELoss(); validation_data = None
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
train_data = DataLoader(TensorDataset(w[:, :-1], w[:, 1:]), batch_size=20)
"""
READ = """
class Reader(nn.Module):
    def __init__(self): super().__init__(); self.r = nn.GRU(2, 12, batch_first=FIRST); self.o = nn.Linear(12, 3)
    def forward(self, v): return self.o(self.r(v)[0][:, PLACE])
model = Reader(); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader(TensorDataset(torch.randn(120, 10, 2), y[:120]), batch_size=20)
"""
CONVOLVED = """
w = torch.randn(120, 1, 17).cumsum(2)
class Forecaster(nn.Module):
    def __init__(self): super().__init__(); self.a, self.o = nn.Conv1d(1, 8, 3), nn.Conv1d(8, 1, 1)
    def forward(self, v): return self.o(torch.relu(self.a(nn.functional.pad(v, SIDES))))
model = Forecaster(); loss = nn.MSELoss(); validation_data = None
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
train_data = DataLoader(TensorDataset(w[:, :, :-1], w[:, :, 1:]), batch_size=20)
"""


@pytest.mark.parametrize("second", ["self.b(kind) * 0", "self.a(values)", "self.b(torch.zeros_like(kind))"])
def test_an_argument_that_the_model_ignores_is_seen(probed, second):
    """Its values are multiplied by zero, replaced by another input, or by a constant."""
    facts = probed(TWO.replace("SECOND", second), arguments.probe)
    assert facts["arguments_without_effect"] == ("kind",)


@pytest.mark.parametrize("second", ["self.b(kind)", "self.gate * self.b(kind)"])
def test_an_argument_with_an_effect_is_not(probed, second):
    """The healthy twin, also behind a gate that begins at zero."""
    assert probed(TWO.replace("SECOND", second), arguments.probe)["arguments_without_effect"] == ()


def test_dropout_that_stays_on_in_evaluation_is_seen(probed):
    """Functional dropout that is not told the mode, before a last layer of zeros."""
    facts = probed(DRAWS.replace("HIDDEN", "nn.functional.dropout(h, 0.2)"), randomness.probe)
    assert facts["evaluation_dropout"] == ("model",)


@pytest.mark.parametrize("hidden", ["nn.functional.dropout(h, 0.2, self.training)", "nn.functional.normalize(h)"])
def test_a_model_that_follows_its_mode_is_not(probed, hidden):
    """The healthy twins."""
    assert probed(DRAWS.replace("HIDDEN", hidden), randomness.probe)["evaluation_change"] == 0


def test_noise_in_both_modes_is_told_from_samples(probed):
    """Noise of a fixed size before predictions, against noise whose size is learned."""
    noise = probed(DRAWS.replace("HIDDEN", "h + 0.3 * torch.randn_like(h)"), randomness.probe)
    samples = probed(DRAWS.replace("HIDDEN", "h + self.spread.exp() * torch.randn_like(h)"), randomness.probe)
    assert (noise["evaluation_samples"], samples["evaluation_samples"]) == (False, True)


def test_a_decoder_that_is_given_its_targets_is_seen(probed):
    """Teacher forcing without the shift."""
    facts = probed(DECODER.replace("GIVEN", "1:"), targets_seen.probe)
    assert facts["target_argument"] == "target_in"
    assert facts["target_argument_change"] > 0.01


def test_functional_dropout_does_not_hide_that_a_decoder_is_given_its_targets(probed):
    """A model that samples in training may see its targets; dropout is no sample."""
    dropped = DECODER.replace("self.e(target_in)", "nn.functional.dropout(self.e(target_in), 0.1, self.training)")
    assert probed(dropped.replace("GIVEN", "1:"), targets_seen.probe)["target_argument"] == "target_in"


def test_a_decoder_that_is_given_earlier_targets_is_not(probed):
    """The healthy twin."""
    facts = probed(DECODER.replace("GIVEN", ":-1"), targets_seen.probe)
    assert "target_argument" not in facts
    assert facts["future_change"] < 1e-6


@pytest.mark.parametrize(("both_ways", "leaks"), [("True", True), ("False", False)])
def test_a_forecast_from_both_ways_sees_the_next_value(probed, both_ways, leaks):
    """Numbers, whose targets are the input one step later."""
    facts = probed(FORECAST.replace("BOTH_WAYS", both_ways), targets_seen.probe)
    assert (facts["future_change"] > 1e-3) == leaks


HALVES = """
def step(model, batch):
    return sum(nn.functional.mse_loss(model(v), t) for v, t in zip(batch[0].chunk(2), batch[1].chunk(2))) / 2
"""


@pytest.mark.parametrize(("both_ways", "leaks"), [("True", True), ("False", False)])
def test_each_call_of_a_step_that_accumulates_is_looked_at(probed, both_ways, leaks):
    facts = probed(FORECAST.replace("BOTH_WAYS", both_ways) + "del loss\n" + HALVES, targets_seen.probe)
    assert (facts["future_change"] > 1e-3) == leaks


PADDED = """
length = torch.randint(2, 6, (120, 1)); ids = torch.randint(1, 9, (120, 6)) * (torch.arange(6) < length)
class Pooled(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(9, 8); self.v = nn.Linear(8, 8); self.o = nn.Linear(8, 3)
    def forward(self, ids, values):
        kept = (ids KEPT 0).float()[..., None]
        return self.o((self.e(ids) * kept).sum(1) / kept.sum(1).clamp(min=1) + self.v(values))
model = Pooled(); optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader(TensorDataset(ids, x[:120], y[:120]), batch_size=20)
"""


@pytest.mark.parametrize(("kept", "idle"), [("==", ("ids",)), ("!=", ())])
def test_a_mask_that_keeps_the_padding_alone_leaves_the_tokens_without_effect(probed, kept, idle):
    """Their lengths still have one."""
    assert probed(PADDED.replace("KEPT", kept), arguments.probe)["arguments_without_effect"] == idle


@pytest.mark.parametrize(("place", "idle"), [("0", "first"), ("-1", None)])
def test_a_recurrent_network_whose_first_state_is_read_uses_one_place(probed, place, idle):
    """The state at the first place has seen that place alone."""
    change = READ.replace("PLACE", place).replace("FIRST", "True")
    found = {name for name, value in probed(change, arguments.probe).items() if "other_places" in name and value}
    assert found == (set() if idle is None else {f"arguments_without_other_places_than_the_{idle}"})


@pytest.mark.parametrize(("first", "leaks"), [("False", True), ("True", False)])
def test_a_recurrent_network_that_runs_along_the_examples_leaks(probed, first, leaks):
    """batch_first is missing: later examples see earlier ones, and the first sees none."""
    facts = probed(READ.replace("PLACE", "-1").replace("FIRST", first), dependence.leak)
    assert (facts["leak_change"] > 1e-2) == leaks


@pytest.mark.parametrize(("both_sides", "leaks"), [("(1, 1)", True), ("(2, 0)", False)])
def test_a_convolution_that_pads_on_both_sides_sees_the_next_value(probed, both_sides, leaks):
    """Channels stand before places."""
    facts = probed(CONVOLVED.replace("SIDES", both_sides), targets_seen.probe)
    assert (facts["future_change"] > 1e-3) == leaks


COLUMNS = """
class Table(nn.Module):
    def __init__(self): super().__init__(); self.a, self.o = nn.Linear(8, 16), nn.Linear(16, 3)
    def forward(self, v): return self.o(torch.relu(self.a(COLUMNS)))
model = Table(); optimizer = torch.optim.Adam(model.parameters(), 1e-2)
"""


@pytest.mark.parametrize(
    ("columns", "idle"),
    [("torch.cat([v[:, :7], v[:, :1]], 1)", ("column 7 of v",)), ("v", None)],
    ids=["twice", "each"],
)
def test_a_column_that_the_model_does_not_read(probed, columns, idle):
    """The last one's place is taken by the first."""
    assert probed(COLUMNS.replace("COLUMNS", columns), arguments.probe).get("columns_without_effect") == idle


REWARD = """
ids = torch.randint(1, 12, (120, 2, 9)); ids[:, :, LAST] = 0
class Reward(nn.Module):
    def __init__(self): super().__init__(); self.e, self.r, self.o = nn.Embedding(12, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(8, 1)
    def forward(self, ids): return self.o(self.r(self.e(ids))[0].mean(1))
model = Reward(); del loss; optimizer = torch.optim.Adam(model.parameters(), 1e-2); validation_data = None
train_data = DataLoader(TensorDataset(ids[:, 0], ids[:, 1]), batch_size=20)
def step(model, batch): return -nn.functional.logsigmoid(model(batch[0]) - model(batch[1])).mean()
"""


@pytest.mark.parametrize("last", ["-1", "-2:", "0"])
def test_examples_in_another_order_are_no_other_examples(probed, last):
    """Both calls take their input from the same example, and padding or a first token is all that would stay."""
    facts = probed(REWARD.replace("LAST", last), arguments.probe)
    assert not any(value for name, value in facts.items() if "without" in name)
