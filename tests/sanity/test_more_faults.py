"""Faults that only a probe of their own can see, each with its healthy twin."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import slopes  # noqa: E402

REGRESSION = """
y = x[:, :1] * 2 + x[:, 1:2]
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1)); loss = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
train_data = DataLoader(TensorDataset(x, TARGET), batch_size=20, shuffle=True); validation_data = None
"""
WORDS = """
g = torch.Generator().manual_seed(3)
s = torch.randint(1, 12, (200, 13), generator=g)
class Lm(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(12, 24); self.o = nn.Linear(24, 12)
        self.b = nn.TransformerEncoderLayer(24, 2, 48, dropout=0.0, batch_first=True)
    def forward(self, t):
        mask = nn.Transformer.generate_square_subsequent_mask(t.shape[1]) if CAUSAL else None
        return self.o(self.b(self.e(t), src_mask=mask))
model = Lm(); optimizer = torch.optim.Adam(model.parameters(), 3e-3); validation_data = None
train_data = DataLoader(TensorDataset(s[:, :-1], s[:, 1:]), batch_size=20, shuffle=True)
def loss(o, t): return nn.functional.cross_entropy(o.flatten(0, 1), t.flatten(), ignore_index=IGNORED)
"""
FLIPPED = """
class Flip(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v): return v * 2
    @staticmethod
    def backward(ctx, g): return SIGN * g
class F2(nn.Module):
    def forward(self, v): return Flip.apply(v)
model = nn.Sequential(nn.Linear(8, 32), F2(), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
"""
STOPPED = """
class Pair(nn.Module):
    def __init__(self): super().__init__(); self.a = nn.Linear(8, 16); self.p = nn.Linear(16, 16)
    def forward(self, v): z = self.a(v); return self.p(z), z
model = Pair(); optimizer = torch.optim.Adam(model.parameters(), 1e-3); validation_data = None
def loss(o, t): return -nn.functional.cosine_similarity(o[0], o[1].detach() + 0.1).mean()
"""


def bad(report):
    """The names of the errors and warnings."""
    return {f.name for f in report.findings if str(f.severity) != "info"}


def words(causal: bool, padded: bool, ignored: int) -> str:
    """A small language model's file."""
    change = WORDS.replace("CAUSAL", str(causal)).replace("IGNORED", str(ignored))
    return change.replace("class Lm", "s[:, 4:] = 0\nclass Lm") if padded else change


def test_a_column_against_a_row_is_named(examined):
    """(20, 1) against (20,) broadcasts."""
    assert "output-target-broadcast" in bad(examined(REGRESSION.replace("TARGET", "y[:, 0]"), budget=5.0))


def test_a_column_against_a_column_is_not(examined):
    """The healthy twin."""
    assert not bad(examined(REGRESSION.replace("TARGET", "y"), budget=5.0))


def test_a_model_that_sees_the_next_token_is_named(examined):
    """Without a causal mask."""
    assert "future-leaks" in bad(examined(words(causal=False, padded=False, ignored=-100), budget=5.0))


def test_a_causal_model_is_not_said_to_see_the_next_token(examined):
    """The healthy twin."""
    assert "future-leaks" not in bad(examined(words(causal=True, padded=False, ignored=-100), budget=5.0))


def test_padding_that_counts_in_the_loss_is_named(examined):
    """Two thirds of the targets."""
    assert "class-imbalance" in bad(examined(words(causal=True, padded=True, ignored=-100), budget=5.0))


def test_padding_that_the_loss_ignores_is_not(examined):
    """The healthy twin."""
    assert "class-imbalance" not in bad(examined(words(causal=True, padded=True, ignored=0), budget=5.0))


def test_a_backward_pass_of_the_wrong_sign_is_named(examined):
    """A custom autograd function."""
    assert "gradient-wrong" in bad(examined(FLIPPED.replace("SIGN", "-2"), budget=8.0))


def test_a_right_backward_pass_is_not(examined):
    """The healthy twin."""
    assert "gradient-wrong" not in bad(examined(FLIPPED.replace("SIGN", "2"), budget=8.0))


def test_a_detach_that_is_meant_is_no_wrong_gradient(examined):
    """As in self-distillation."""
    assert "gradient-wrong" not in bad(examined(STOPPED, budget=8.0))


def test_a_feature_that_is_the_label_is_named(examined):
    """One value for each class."""
    change = "x[:, 7] = y.float() * 3\ntrain_data = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)"
    assert "label-among-inputs" in bad(examined(change, budget=5.0))


@pytest.mark.parametrize(
    ("targets", "told"), [("s[:, :-1]", True), ("s[:, 1:]", False), ("s.roll(-2, 1)[:, :-1]", True)]
)
def test_targets_at_the_wrong_place_of_a_causal_model_are_named(examined, targets, told):
    """At the same place they are copied; two places later they were shifted twice."""
    change = words(causal=True, padded=False, ignored=-100).replace("s[:, 1:])", f"{targets})")
    assert ("label-among-inputs" in bad(examined(change, budget=2.0))) == told


def test_a_rate_that_is_far_too_low_is_told(examined):
    """However far the usable ones are."""
    report = examined("optimizer = torch.optim.Adam(model.parameters(), lr=1e-9)", budget=8.0)
    assert bad(report) & {"lr-outside-usable-range", "update-ratio-off"}


@pytest.mark.parametrize(("given", "judged"), [("v.view_as(v)", False), ("v.clone()", False), ("v * 2", True)])
def test_a_function_that_gives_its_input_as_it_is_changes_gradients_on_purpose(probed, given, judged):
    """A gradient reversal, as adversaries have it, is no wrong derivative."""
    change = FLIPPED.replace("v * 2", given).replace("SIGN", "-0.5")
    assert ("gradient_error" in probed(change, slopes.probe)) is judged
