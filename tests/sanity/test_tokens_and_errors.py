"""Language models that are asked for the token they are given, and errors written by hand that are raised."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import arguments, fit, noise, objective, own_value, sequences, targets_seen  # noqa: E402

LANGUAGE = """
class Language(nn.Module):
    def __init__(self):
        super().__init__(); self.embed, self.memory, self.head = nn.Embedding(20, 16), nn.GRU(16, 16, batch_first=True), nn.Linear(16, 20)
    def forward(self, tokens): return self.head(self.memory(self.embed(tokens))[0])
model = Language()
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
train_data = DataLoader(TensorDataset(tokens), batch_size=20)
"""
LENGTHS = """
lengths = torch.randint(5, 9, (80,))
tokens = torch.randint(1, 20, (80, 16)).masked_fill(torch.arange(16) >= lengths[:, None], 0)
"""
RECURRENT = (
    f"{LENGTHS}{LANGUAGE}"
    """
def step(model, batch):
    scores = model(batch[0])[:, PLACES]
    return nn.functional.cross_entropy(scores.reshape(-1, 20), batch[0][:, 1:].reshape(-1), ignore_index=0)
"""
)
DECODER = """
sources, lengths = torch.randn(80, 8), torch.randint(4, 8, (80,))
tokens = torch.randint(1, 20, (80, 20)).masked_fill(torch.arange(20) >= lengths[:, None], 0)
class Reader(nn.Module):
    def __init__(self):
        super().__init__(); self.source, self.embed, self.memory, self.head = nn.Linear(8, 16), nn.Embedding(20, 16), nn.GRU(16, 16, batch_first=True), nn.Linear(16, 20)
    def forward(self, source, labels):
        begin = torch.zeros_like(labels[:, :1]); given = GIVEN
        return self.head(self.memory(self.embed(given), self.source(source)[None])[0])
model = Reader()
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
train_data = DataLoader(TensorDataset(sources, tokens), batch_size=20)
def step(model, batch):
    return nn.functional.cross_entropy(model(*batch).transpose(1, 2), batch[1], ignore_index=0)
"""
PHYSICS = """
times = torch.linspace(0, 1, 20)[:, None]; observed = times.sin()
model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
train_data = DataLoader(TensorDataset(times), batch_size=20)
def train_step(model, batch, optimizer):
    error = ((model(batch[0]) - observed) ** 2).mean()
    optimizer.zero_grad(); (SIGN error + 1e-3 * model(batch[0]).square().mean()).backward(); optimizer.step()
    return error.detach()
"""


@pytest.mark.parametrize(("places", "seen"), [(":-1", False), ("1:", True)])
def test_outputs_that_are_compared_with_the_token_at_their_own_place(probed, places, seen):
    """Also where most of a batch is padding."""
    found = probed(RECURRENT.replace("PLACES", places), own_value.probe)
    assert (found.get("own_value_seen", 0.0) > 0.1) is seen


@pytest.mark.parametrize(
    ("given", "seen"), [("torch.cat([begin, labels[:, :-1]], 1)", False), ("labels", True)], ids=["shifted", "not"]
)
def test_a_decoder_that_is_given_its_targets_before_the_padding(probed, given, seen):
    found = probed(DECODER.replace("GIVEN", given), targets_seen.probe)
    assert (found["target_argument_change"] > 0.05) is seen


@pytest.mark.parametrize(("sign", "raised"), [("", False), ("-", True)])
def test_a_squared_error_that_is_written_by_hand(probed, sign, raised):
    found = probed(PHYSICS.replace("SIGN", sign), objective.probe)
    assert (found.get("maximized_loss") == "squared error") is raised


def test_the_squared_errors_of_a_policy_that_is_punished_are_no_fault(probed):
    """They are in the log-probabilities of its actions."""
    change = PHYSICS.replace("SIGN", "-").replace("observed = times.sin()", "observed = rewards = times.sin()")
    assert "maximized_loss" not in probed(change, objective.probe)


BY_PARTS = (
    "tokens = torch.randint(1, 20, (80, 16))"
    + LANGUAGE
    + """
def step(model, batch):
    scores = model.head(model.memory(model.embed(batch[0]))[0])[:, :-1]
    return nn.functional.cross_entropy(scores.reshape(-1, 20), TARGETS.reshape(-1))
"""
)


@pytest.mark.parametrize("offset", [1, 2])
def test_the_targets_of_a_step_that_calls_the_parts_of_a_model(probed, offset):
    """The output is that of the last part."""
    shifted = "torch.cat([batch[0][:, 1:], torch.full_like(batch[0][:, :1], -100)], 1)"
    found = probed(BY_PARTS.replace("TARGETS", f"{shifted}[:, {offset - 1}:][:, :15]"), sequences.probe)
    assert found.get("target_offset") == offset


BY_HAND = """
c = torch.arange(80) % 3; x = torch.randn(3, 8)[c] + 0.3 * torch.randn(80, 8)
train_data = DataLoader(TensorDataset(x, c), batch_size=20)
model = nn.Linear(8, 3); optimizer = torch.optim.Adam(model.parameters(), 1e-2)
def step(model, batch):
    goal = nn.functional.one_hot(batch[1], 3).float()
    return (model(batch[0]).softmax(-1) - goal).ERROR.mean()
"""


@pytest.mark.parametrize(
    ("error", "function"), [("abs()", "l1_loss"), ("square()", "mse_loss"), ("pow(2)", "mse_loss")]
)
def test_errors_by_hand_on_one_hot_targets_are_those_of_torch(probed, error, function):
    facts = probed(BY_HAND.replace("ERROR", error), fit.probe)
    assert facts["loss_function"] == function
    assert facts["target_one_hot"] is True


TEACHER = """
import copy
x = torch.randn(80, 8); train_data = DataLoader(TensorDataset(x), batch_size=20)
model = nn.Linear(8, 3); teacher = copy.deepcopy(model); optimizer = torch.optim.Adam(model.parameters(), 1e-2)
def step(model, batch):
    with torch.no_grad(): goal = GOAL
    return (model(batch[0]) - goal).square().mean()
"""


@pytest.mark.parametrize(
    ("goal", "noted"),
    [("teacher(batch[0] + torch.randn_like(batch[0]))", False), ("torch.randn(len(batch[0]), 3)", True)],
    ids=["of a teacher", "drawn"],
)
def test_noise_in_the_inputs_of_a_teacher_is_no_noise_of_targets(probed, goal, noted):
    assert ("target_noise" in probed(TEACHER.replace("GOAL", goal), noise.probe)) is noted


@pytest.mark.parametrize(("second", "noted"), [("torch.zeros(80, 4)", True), ("torch.randn(80, 4)", False)])
@pytest.mark.parametrize("name", ["boxes", "mask"])
def test_an_argument_of_zeros_tells_nothing(probed, second, noted, name):
    """Masks may be zero everywhere."""
    found = probed(
        f"""
train_data = DataLoader(TensorDataset(torch.randn(80, 8), {second}, torch.arange(80) % 3), batch_size=20)
class Two(nn.Module):
    def __init__(self): super().__init__(); self.first, self.second = nn.Linear(8, 3), nn.Linear(4, 3)
    def forward(self, v, {name}): return self.first(v) + self.second({name})
model = Two(); optimizer = torch.optim.Adam(model.parameters(), 1e-2)
""",
        arguments.probe,
    )
    assert ("arguments_all_zero" in found) is (noted and name == "boxes")
