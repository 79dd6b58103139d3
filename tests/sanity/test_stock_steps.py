"""Steps and batches of stock models that are no (input, target): none is refused, and none is blamed for it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.experiment.experiment import experiment  # noqa: E402
from nndoctor.experiment.transformers_trainer import trainer_in, trainer_parts  # noqa: E402

AUTOENCODER = """
model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 8))
bright = (x > 0).float(); digit = torch.arange(240) % 10
train_data = DataLoader(TensorDataset(bright, digit), batch_size=20, shuffle=True); validation_data = None
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
def step(model, batch): return nn.functional.binary_cross_entropy_with_logits(model(batch[0]), batch[0])
"""
RATINGS = """
class Mf(nn.Module):
    def __init__(self):
        super().__init__(); self.u = nn.Embedding(6, 4); self.i = nn.Embedding(6, 4)
    def forward(self, u, i): return (self.u(u) * self.i(i)).sum(1)
model = Mf(); u, i = torch.randint(6, (200,)), torch.randint(6, (200,))
r = (torch.randn(6, 3)[u] * torch.randn(6, 3)[i]).sum(1) + 0.1 * torch.randn(200)
train_data = DataLoader(TensorDataset(u, i, r), batch_size=20, shuffle=True); validation_data = None
loss = nn.MSELoss(); optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
"""
GRAPH = """
class Gcn(nn.Module):
    def __init__(self): super().__init__(); self.a = nn.Linear(8, 16); self.b = nn.Linear(16, 3)
    def forward(self, x, adj): return adj @ self.b(torch.relu(adj @ self.a(x)))
model = Gcn(); train_data = [{"x": x[:60], "adj": torch.eye(60), "y": y[:60]}]; validation_data = None
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
def step(model, batch): return nn.functional.cross_entropy(model(batch["x"], batch["adj"]), batch["y"])
"""
CLOSURE = """
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4, line_search_fn="strong_wolfe")
train_data = [(x, y)]; validation_data = None
def train_step(model, batch, optimizer):
    def closure():
        optimizer.zero_grad(); l = loss(model(batch[0]), batch[1]); l.backward(); return l
    return optimizer.step(closure)
"""
STRICT = """
class Wide(nn.Module):
    def __init__(self): super().__init__(); self.m = nn.Linear(8, 1); self.s = nn.Linear(8, 1)
    def forward(self, v): return self.m(v), self.s(v).exp()
model = Wide(); t = x[:, :1] + 0.1 * torch.randn(240, 1); validation_data = None
train_data = DataLoader(TensorDataset(x, t), batch_size=20, shuffle=True)
def loss(o, t): return -torch.distributions.Normal(*o, validate_args=True).log_prob(t).mean()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
"""
IN_PLACE = """
rows = [{"x": a, "labels": b} for a, b in zip(x[:200], y[:200])]
train_data = DataLoader(rows, batch_size=20, shuffle=True); validation_data = None
def step(model, batch):
    labels = batch.pop("labels"); batch["x"][:, 5] = 0.0
    return nn.functional.cross_entropy(model(batch["x"]), labels)
"""
PACKED = """
lengths = torch.randint(2, 9, (200,)); train_data = []; validation_data = None
for k in range(0, 200, 20):
    order = lengths[k : k + 20].argsort(descending=True) + k
    train_data.append({"x": x[order][:, :, None], "lengths": lengths[order], "labels": (x[order, 0] > 0).long()})
class Packed(nn.Module):
    def __init__(self): super().__init__(); self.r = nn.GRU(1, 16, batch_first=True); self.o = nn.Linear(16, 2)
    def forward(self, x, lengths):
        return self.o(self.r(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[1][0])
model = Packed(); optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
def step(model, batch): return nn.functional.cross_entropy(model(batch["x"], batch["lengths"]), batch["labels"])
"""
SCALAR = """
class Own(nn.Module):
    def __init__(self): super().__init__(); self.n = nn.Linear(8, 3)
    def forward(self, x, y): return nn.functional.cross_entropy(self.n(x), y)
model = Own(); optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
y = torch.arange(240) % 3; x = x + nn.functional.one_hot(y, 3).float() @ torch.randn(3, 8); validation_data = None
train_data = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
def step(model, batch): return model(*batch)
"""


def bad(report):
    """The names of the errors and warnings."""
    return {f.name for f in report.findings if str(f.severity) != "info"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(AUTOENCODER, id="labels that the loss does not use"),
        pytest.param(RATINGS, id="one pair of inputs with noisy targets"),
        pytest.param(GRAPH, id="a batch that is one graph"),
        pytest.param(CLOSURE, id="an optimizer that takes a closure"),
        pytest.param(STRICT, id="a loss that raises for NaN at high rates"),
        pytest.param(IN_PLACE, id="a step that takes the labels out of its batch and masks its input"),
        pytest.param(PACKED, id="sequences that must come by falling length"),
        pytest.param(SCALAR, id="a model whose only output is its loss"),
    ],
)
def test_a_stock_step_is_examined_without_a_finding(examined, change):
    """And no probe fails on it."""
    report = examined(change, budget=5.0)
    assert not bad(report)
    assert not any(note.startswith("not checked: ") and "budget" not in note for note in report.run.notes)


def test_labels_that_the_loss_of_a_step_cannot_take_are_still_named(examined):
    """The targets are those of the binary cross-entropy, whichever part of the batch they are."""
    change = AUTOENCODER.replace("model(batch[0]), batch[0])", "model(batch[0]), batch[0] * 3)")
    assert "labels-out-of-range" in bad(examined(change, budget=3.0))


def made_trainer():
    """What a Trainer of transformers looks like from outside."""

    def compute_loss(_self, model, inputs):
        return {"loss": model(inputs["x"]).square().mean()}

    body = {
        "__module__": "transformers.trainer",
        "train_dataset": [1],
        "eval_dataset": None,
        "get_train_dataloader": lambda _self: [{"x": torch.ones(2, 3)}],
        "create_optimizer": lambda self: torch.optim.SGD(self.model.parameters(), lr=0.25),
        "compute_loss": compute_loss,
    }
    trainer = type("Trainer", (), body)()
    trainer.model = torch.nn.Linear(3, 1)
    return trainer


def test_a_trainer_of_transformers_is_an_experiment():
    """Its model, data, loss and optimizer need no other names in the file."""
    trainer = made_trainer()
    assert trainer_in({"seven": 7, "mine": trainer}) is trainer
    assert trainer_in({"seven": 7}) is None
    parts = trainer_parts(trainer)
    assert parts["optimizer"](()).param_groups[0]["lr"] == 0.25
    batch = next(iter(parts["train_data"]))
    assert parts["step"](trainer.model, batch).ndim == 0
    assert "validation_data" not in parts


TRAINER = """
train_dataset = train_data = [{"x": [0.0] * 8, "y": 1}] * 40; del loss, optimizer, validation_data
def collate(rows): return {"x": torch.randn(len(rows), 8), "labels": torch.ones(len(rows), dtype=torch.long)}
class Trainer:
    __module__ = "transformers.trainer"
    def __init__(self, model, train_dataset): self.model, self.train_dataset, self.eval_dataset = model, train_dataset, None
    def get_train_dataloader(self): return DataLoader(self.train_dataset, batch_size=4, collate_fn=collate)
    def create_optimizer(self): return torch.optim.SGD(self.model.parameters(), lr=0.25)
    def compute_loss(self, model, inputs): return nn.functional.cross_entropy(model(inputs["x"]), inputs["labels"])
trainer = Trainer(model, train_dataset)
"""


def test_a_trainers_own_batches_are_taken_whatever_its_data_set_is_called(written):
    """The names of a script's data sets are those of rows that the Trainer's collator makes batches of."""
    found = experiment(written(TRAINER))
    assert next(iter(found.train_data))["x"].shape == (4, 8)
    assert not any("usual names" in note for note in found.notes)


PLANNED = """
class Arguments: max_steps, num_train_epochs, gradient_accumulation_steps, learning_rate = LENGTH, 3, 2, 0.25
class Planned(Trainer):
    args, lr_scheduler = Arguments, None
    def create_scheduler(self, total, optimizer):
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / total)
        return self.lr_scheduler
Planned.__module__ = Trainer.__module__
trainer = Planned(model, train_dataset)
"""


@pytest.mark.parametrize(("length", "steps"), [("-1", 15), ("5", 5)])
def test_the_rates_that_a_trainer_is_set_up_for(written, length, steps):
    """Of the steps of all its epochs; the Trainer itself has no schedule afterwards."""
    found = experiment(written(TRAINER + PLANNED.replace("LENGTH", length)))
    assert found.plan.rates == pytest.approx([0.25 * k / steps for k in range(steps)])
