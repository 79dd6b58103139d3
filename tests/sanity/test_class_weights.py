"""Weights of classes in a loss, vectors that are normalized over the examples, and features that hold the label of a whole example."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.sanity.probes import class_weights, data, shapes  # noqa: E402

CLASSES = """
y = torch.tensor([0] * 150 + [1] * 40 + [2] * 10); x = torch.randn(200, 8)
train_data = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
share = torch.bincount(y) / len(y)
loss = nn.CrossEntropyLoss(weight=WEIGHT)
"""
LABELS = """
y = (torch.rand(200, 3) < torch.tensor([0.1, 0.2, 0.3])).float(); x = torch.randn(200, 8)
train_data = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
share = y.mean(0)
weigh = nn.BCEWithLogitsLoss(pos_weight=WEIGHT)
del loss
def step(model, batch): return weigh(model(batch[0]), batch[1])
"""


@pytest.mark.parametrize(
    ("change", "weight", "found"),
    [
        (CLASSES, "share", True),
        (CLASSES, "10 * share", True),
        (CLASSES, "1 / share", False),
        (CLASSES, "torch.ones(3)", False),
        (CLASSES, "torch.tensor([1.0, 2.0, 0.5])", False),
        (LABELS, "share / (1 - share)", True),
        (LABELS, "(1 - share) / share", False),
        (LABELS, "None", False),
    ],
)
def test_weights_that_follow_the_numbers_of_examples(probed, change, weight, found):
    facts = probed(change.replace("WEIGHT", weight), class_weights.probe)
    assert ("weights_follow_counts" in facts) is found


def test_weights_the_wrong_way_round_are_a_warning(examined):
    found = {f.name: f.message for f in examined(CLASSES.replace("WEIGHT", "share")).findings}
    assert "a class with 15× as many examples has 15× the weight" in found["class-imbalance"]


NORMALIZED = """
del loss; head = nn.Parameter(torch.randn(20, 3)); model.register_parameter('head', head)
def step(model, batch):
    out = model(batch[0])
    return nn.functional.cross_entropy(nn.functional.normalize(GIVEN, dim=DIM)USED, batch[1])
"""


@pytest.mark.parametrize(
    ("given", "dim", "used", "rows"),
    [
        ("out", 0, "", 20),
        ("torch.cat([out, out])", 0, "[:20]", 40),
        ("out", -1, "", None),
        ("model.head", 0, " + out", None),
    ],
    ids=["outputs", "two views", "each example", "a weight"],
)
def test_vectors_that_are_normalized_over_the_examples(probed, given, dim, used, rows):
    change = NORMALIZED.replace("GIVEN", given).replace("DIM", str(dim)).replace("USED", used)
    assert probed(change, shapes.probe).get("normalized_over_examples") == rows


GRAPHS = """
y = torch.arange(200) % 3; x = torch.randn(200, 6, 5); x[..., 4] = FEATURE; x[:, 4:] = 0.0
class Pooled(nn.Module):
    def __init__(self): super().__init__(); self.net = nn.Linear(5, 3)
    def forward(self, x): return self.net(x).mean(1)
model = Pooled(); optimizer = torch.optim.Adam(model.parameters())
train_data = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True); validation_data = None
"""


@pytest.mark.parametrize(("feature", "column"), [("y[:, None] / 3", 4), ("torch.randn(200, 1)", None)])
def test_a_feature_of_all_places_that_is_the_label(probed, feature, column):
    """As of the nodes of a graph, whose places behind its end are padding."""
    assert probed(GRAPHS.replace("FEATURE", feature), data.probe).get("label_column") == column


FORECAST = """
series = torch.randn(300).cumsum(0)
rows = [dict(past_values=series[i:i + 20], future_values=series[i + START:i + START + 4]) for i in range(200)]
class Model(nn.Module):
    def __init__(self): super().__init__(); self.net = nn.Linear(20, 4)
    def forward(self, past_values, future_values): return ((self.net(past_values) - future_values) ** 2).mean(),
model = Model(); optimizer = torch.optim.Adam(model.parameters()); del loss; validation_data = None
train_data = DataLoader(rows, batch_size=20, shuffle=True)
"""


@pytest.mark.parametrize(("start", "places"), [(16, (16, 19)), (20, None)])
def test_a_forecast_of_values_that_are_inputs(probed, start, places):
    assert probed(FORECAST.replace("START", str(start)), data.probe).get("target_slice") == places
