"""Scripts that make model, data and optimizer while they run."""

from __future__ import annotations

import pytest
import torch

from nndoctor.experiment.experiment import experiment
from nndoctor.experiment.model_file import ModelFileError

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
x, y = torch.randn(40, 5), torch.randint(3, (40,))
seen = []
def parts():
    net = nn.Linear(5, 3)
    return net, DataLoader(TensorDataset(x, y), batch_size=8), torch.optim.SGD(net.parameters(), lr=0.1)
def learn(net, batch, optimizer):
    seen.append(len(batch[0])); optimizer.zero_grad()
    nn.functional.cross_entropy(net(batch[0]), batch[1]).backward(); optimizer.step()
"""
MADE = "net, train_loader, optimizer = parts()"
SCRIPTS = {
    "in main": f"def main():\n    {MADE}\n    for batch in train_loader: learn(net, batch, optimizer)\nif __name__ == '__main__': main()",
    "in another function": f"def train(model, loader, opt):\n    for b in loader: learn(model, b, opt)\ndef main():\n    {MADE}\n    train(net, train_loader, opt=optimizer)",
    "in the script": f"if __name__ == '__main__':\n    {MADE}\n    for epoch in range(3):\n        for batch in train_loader: learn(net, batch, optimizer)",
    "without a guard": f"{MADE}\nfor epoch in range(3):\n    for batch in train_loader: learn(net, batch, optimizer)",
    "of an object": """
class Trainer:
    def __init__(self): self.net, self.loader, self.optimizer = parts()
    def fit(self):
        for epoch in range(3): [learn(self.net, batch, self.optimizer) for batch in self.loader]
if __name__ == '__main__': Trainer().fit()
""",
}


TRACKED = f"""
class wandb: init = seen.append
def started(): wandb.init('a run')
def main():
    started(); {MADE}
    for batch in train_loader: learn(net, batch, optimizer)
"""


@pytest.fixture
def loaded(tmp_path):
    """The experiment of a script."""

    def load(lines: str):
        path = tmp_path / "model.py"
        path.write_text(HEAD + lines + "\n")
        return experiment(str(path))

    return load


@pytest.mark.parametrize("kind", SCRIPTS)
def test_the_parts_and_the_loop_of_a_script(loaded, kind):
    found = loaded(SCRIPTS[kind])
    assert isinstance(found.model, torch.nn.Linear)
    assert len(list(found.train_data)) == 5
    assert isinstance(found.optimizer, torch.optim.SGD)
    before = found.model.weight.detach().clone()
    seen = found.train_step.variables["seen"]
    seen.clear()
    batch = torch.randn(6, 5), torch.randint(3, (6,))
    found.train_step(found.model, batch, torch.optim.SGD(found.model.parameters(), lr=0.0))
    assert seen == [6]
    assert torch.equal(found.model.weight, before)
    found.train_step(found.model, batch, found.optimizer)
    assert not torch.equal(found.model.weight, before)


def test_a_loop_without_a_loader_makes_its_own_batches(loaded):
    lines = f"""
def main():
    {MADE}
    for start in range(0, 40, 10): learn(net, (x[start:start + 10], y[start:start + 10]), optimizer)
""".replace("train_loader", "_").replace("parts()", "(*parts()[:1], None, parts()[2])")
    found = loaded(lines)
    assert next(iter(found.train_data)) == ()
    found.train_step.variables["seen"].clear()
    found.train_step(found.model, (), found.optimizer)
    assert found.train_step.variables["seen"][0] == 10


@pytest.mark.parametrize(
    "lines",
    [
        "def main(): raise ValueError",
        "def main():\n    import sys; sys.exit(2)",
        "def main(): print('nothing')",
        "",
        TRACKED,
    ],
    ids=["fails", "ends", "trains nothing", "no script", "a tracker"],
)
def test_a_script_that_does_not_train_is_refused_for_what_it_lacks(loaded, lines):
    with pytest.raises(ModelFileError, match="sets no model"):
        loaded(lines)


def test_a_loader_without_a_length(loaded):
    lines = f"""
class Endless(torch.utils.data.IterableDataset):
    def __iter__(self):
        while True: yield torch.randn(5), 1
def main():
    {MADE}
    stream = DataLoader(Endless(), batch_size=4)
    for batch in stream: learn(net, batch, optimizer)
"""
    assert len(next(iter(loaded(lines).train_data))[0]) == 4


def test_a_copy_of_a_model_is_no_second_model(loaded):
    """As a target network is at first."""
    found = loaded(
        "import copy\npolicy, loader, opt = parts()\ntarget = copy.deepcopy(policy)\ndef step(batch): learn(policy, batch, opt)\ntrain_data = loader"
    )
    assert isinstance(found.model, torch.nn.Linear)


GAN = """
critic, maker = nn.Linear(5, 1), nn.Linear(2, 5)
first, second = torch.optim.SGD(critic.parameters(), lr=0.1), torch.optim.SGD(maker.parameters(), lr=0.1)
loader = DataLoader(x, batch_size=8)
for epoch in range(3):
    for real in loader:
        seen.append(len(real))
        loss = critic(maker(torch.randn(4, 2))).mean() - critic(real).mean(); loss.backward(); first.step()
        loss = -critic(maker(torch.randn(4, 2))).mean(); loss.backward(); second.step()
"""


def test_a_script_that_trains_models_of_other_names_is_not_run_to_its_end(loaded):
    found = loaded(GAN)
    assert len(found.loop.variables["seen"]) == 1
    assert found.loop.loader is found.loop.variables["loader"]


CALLED = """
net = parts()[0]; optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
pool, answers = x, y
del x, y
def update(inputs, labels):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(inputs), labels); loss.backward(); optimizer.step()
    return loss.item(), 0
for epoch in range(3):
    order = torch.randperm(40)
    losses = [update(*(pool[k], answers[k]))[0] for k in order.split(10)]
    print(sum(losses))
"""


def test_the_batches_with_which_a_script_calls_its_step(loaded):
    """Those of all its epochs; the step is not taken while they are noted."""
    found = loaded(CALLED)
    before = found.model.weight.detach().clone()
    batches = list(found.train_data)
    assert [len(inputs) for inputs, _ in batches] == [10] * 12
    assert torch.equal(found.model.weight, before)
    found.loop(found.model, batches[0], found.optimizer)
    assert not torch.equal(found.model.weight, before)


CUT = """
net = parts()[0]; optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
pool, answers = x, y
del x, y
for epoch in range(3):
    order = torch.randperm(40)
    for k in range(0, 40, 10):
        rows = order[k:k + 10]
        BATCH
        optimizer.zero_grad(); out = net(INPUTS)
        loss = nn.functional.cross_entropy(out, TARGETS); loss.backward(); optimizer.step()
        seen.append((out.argmax(1) == TARGETS).sum() / len(TARGETS))
"""


@pytest.mark.parametrize(
    ("batch", "inputs", "targets"),
    [
        ("inputs = pool[rows]; targets = answers[rows]", "inputs", "targets"),
        ("pass", "pool[rows]", "answers[rows]"),
        ("targets = answers[rows]", "pool[rows].float()", "targets"),
    ],
    ids=["variables", "where they are used", "both"],
)
def test_batches_that_a_loop_cuts(loaded, batch, inputs, targets):
    """They are noted without a step, and replaced by the batch that the loop is given."""
    found = loaded(CUT.replace("BATCH", batch).replace("INPUTS", inputs).replace("TARGETS", targets))
    before = found.model.weight.detach().clone()
    batches = list(found.train_data)
    assert [len(inputs) for inputs, _ in batches] == [10] * 4
    assert torch.equal(found.model.weight, before)
    pair = torch.full((3, 5), 2.0), torch.zeros(3, dtype=torch.long)
    expected = torch.nn.functional.cross_entropy(found.model(pair[0]), pair[1])
    assert torch.allclose(found.loop(found.model, pair, found.optimizer), expected)
    assert not torch.equal(found.model.weight, before)


@pytest.mark.parametrize(
    ("iterated", "inputs", "targets"),
    [("range(9)", "pool", "answers"), ("zip(pool.split(8), answers.split(8))", "k[0]", "k[1]")],
    ids=["the whole set", "pairs"],
)
def test_batches_of_a_loop_over_something_else(loaded, iterated, inputs, targets):
    """One where all are the same."""
    lines = CUT.replace("for k in range(0, 40, 10)", f"for k in {iterated}").replace("rows = order[k:k + 10]", "pass")
    found = loaded(lines.replace("BATCH", "pass").replace("INPUTS", inputs).replace("TARGETS", targets))
    sizes = [len(inputs) for inputs, _ in found.train_data]
    assert sizes == ([40] if "range" in iterated else [8] * 5)


@pytest.mark.parametrize(
    "lines",
    [
        "loss = (net(pool[:8]) * weights[:8, None] + bonus[:8, None]).mean()",
        "loss = sum(net(pool[k]).sum() for k in range(3))",
        "loss = net(pool[0]).sum()",
    ],
    ids=["two that may be targets", "a loop within", "one example"],
)
def test_loops_of_which_it_is_not_known_what_the_batch_is(loaded, lines):
    script = f"""
net = parts()[0]; optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
pool, weights, bonus = x, torch.ones(40), torch.ones(40)
del x, y
for step in range(20):
    {lines}; loss.backward(); optimizer.step()
"""
    assert next(iter(loaded(script).train_data)) == ()


COUNTED = """
net = parts()[0]; optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
pool, answers = x, y
del x, y
total = 0
def work():
    global total
    for k in range(10):
        seen.append((k, total)); total += 1
        if k % 5 == 0: seen.append("evaluated")
        learn(net, (pool[:4], answers[:4]), optimizer)
        optimizer.step()
"""


@pytest.mark.parametrize("last", ["work()", "train"])
def test_a_loop_goes_on_from_call_to_call(loaded, last):
    """From its second iteration on, for scripts evaluate in their first."""
    loop = loaded(COUNTED.replace("work()", "train()") if "train" in last else COUNTED + last).loop
    seen, model, optimizer = loop.variables["seen"], loop.variables["net"], loop.variables["optimizer"]
    for calls in (5, 1):
        loop.begin()
        seen.clear()
        begun = loop.variables["total"]
        for _ in range(calls):
            loop(model, (), optimizer)
        counted = [one for one in seen if type(one) is tuple]
        assert counted == [(k + 1, begun + k) for k in range(calls)]
        assert ("evaluated" in seen) is (calls == 5)


PARTLY = """
net = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3))
def work(model):
    optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
    for k in range(0, 40, 4): learn(model, (pool[k:k + 4], answers[k:k + 4]), optimizer)
pool, answers = x, y
del x, y
work(net)
"""


def test_a_script_that_trained_a_part_of_its_model_is_run_again_up_to_there(loaded):
    """Its parts are variables of a function that has ended."""
    found = loaded(PARTLY)
    assert isinstance(found.loop.variables["optimizer"], torch.optim.SGD)
    assert len(found.loop.variables["seen"]) == 1


def test_a_script_with_a_tracker_is_not_run_again(loaded):
    with pytest.raises(ModelFileError, match="has no loss and no train_data"):
        loaded("class wandb: run = None\n" + PARTLY)


DRAWN = """
net, _, optimizer = parts()
pool, answers = x, y
del x, y, _
def get_batch(split):
    k = torch.randint(40, (8,)); return pool[k], answers[k]
def update(): learn(net, get_batch("train"), optimizer)
for k in range(100): update()
"""


def test_the_batch_at_hand_is_what_a_function_of_the_loop_draws(loaded):
    found = loaded(DRAWN)
    seen = found.train_step.variables["seen"]
    seen.clear()
    found.train_step(found.model, (torch.randn(3, 5), torch.randint(3, (3,))), found.optimizer)
    assert set(seen) == {3}


NESTED = """
def main():
    net = parts()[0]; pool, answers = x, y
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    def update(inputs, labels):
        learn(net, (inputs, labels), optimizer)
    LOOP
"""


@pytest.mark.parametrize(
    "loop",
    [
        "stream = DataLoader(TensorDataset(pool, answers), batch_size=8)\n    for batch in stream: update(*batch)",
        "for k in range(4): update(pool[k:k + 8], answers[k:k + 8])",
    ],
    ids=["a loader", "without a loader"],
)
def test_a_step_within_a_function_takes_the_optimizer_at_hand(loaded, loop):
    found = loaded(NESTED.replace("LOOP", loop))
    before = found.model.weight.detach().clone()
    batch = next(iter(found.train_data))
    assert len(batch[0]) == 8
    found.train_step(found.model, batch, torch.optim.SGD(found.model.parameters(), lr=0.0))
    assert torch.equal(found.model.weight, before)
    found.train_step(found.model, batch, found.optimizer)
    assert not torch.equal(found.model.weight, before)


def test_a_step_that_another_package_calls(loaded, tmp_path, monkeypatch):
    """As the engine of a framework, which the file gives its step."""
    (tmp_path / "engines.py").write_text("def run(step, loader):\n    for batch in loader: step(None, batch)\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = loaded(f"""
import engines
def main():
    {MADE}
    def update(engine, batch):
        learn(net, batch, optimizer)
    engines.run(update, train_loader)
""")
    assert len(list(found.train_data)) == 5
    before = found.model.weight.detach().clone()
    batch = next(iter(found.train_data))
    found.train_step(found.model, batch, torch.optim.SGD(found.model.parameters(), lr=0.0))
    assert torch.equal(found.model.weight, before)
    found.train_step(found.model, batch, found.optimizer)
    assert not torch.equal(found.model.weight, before)


STAGES = """
def pretrain():
    body, loader, opt = parts()
    for batch in loader: learn(body, batch, opt); seen.append("first")
    return body
def fit(net, loader, opt):
    for batch in loader: learn(net, batch, opt)
def main():
    body = pretrain()
    head, loader, opt = parts()
    with torch.no_grad(): head.weight.copy_(body.weight + 1)
    LAST
"""


@pytest.mark.parametrize("last", ["fit(head, loader, opt)", "for batch in loader: learn(head, batch, opt)"])
def test_the_last_stage_of_a_training_is_taken(loaded, last):
    """With what the first one has trained."""
    found = loaded(STAGES.replace("LAST", last))
    assert found.train_step.variables["seen"].count("first") == 5
    assert float((found.model.weight.detach()).mean()) > 0.5


@pytest.mark.parametrize("last", ["linear_probe(head, loader, opt)", "attack(body)"])
def test_what_evaluates_is_no_later_stage(loaded, last):
    """A linear probe trains a layer of its own, an attack the inputs."""
    functions = """
def linear_probe(net, loader, opt):
    for batch in loader: learn(net, batch, opt)
def attack(net): net(x).sum().backward()
"""
    found = loaded(functions + STAGES.replace("LAST", last))
    assert "first" not in found.train_step.variables["seen"]


def test_a_range_test_by_the_method_that_trains_is_no_training(loaded):
    """Its rate is that of the search, and not the one that the training takes."""
    found = loaded("""
class Learner:
    def __init__(self): self.net, self.loader, _ = parts()
    def fit(self, rate, finder=None):
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=rate)
        for batch in self.loader: learn(self.net, batch, self.optimizer)
def main():
    learner = Learner()
    learner.fit(1e-7, finder=list())
    learner.fit(0.03)
""")
    assert found.optimizer.param_groups[0]["lr"] == 0.03


def test_the_first_of_two_trainings_by_one_function_is_taken(loaded):
    """As of two models that are compared."""
    lines = STAGES.replace("body = pretrain()", "body, loader, opt = parts(); fit(body, loader, opt)")
    found = loaded(lines.replace("LAST", "fit(head, loader, opt)"))
    assert "head" not in found.train_step.variables


LOSS = """
def between(out, goal): return (out - goal).abs().mean()
net = nn.Linear(5, 3); optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
pool, answers = torch.randn(40, 5), torch.randn(40, 3)
for k in range(9):
    rows = torch.randint(40, (8,))
    out = net(pool[rows])
    if k > 100: total = between(out, answers[rows + 1])
    else: total = STEP
    total.backward(); optimizer.step()
"""


@pytest.mark.parametrize(
    ("step", "taken"),
    [
        ("between(out, answers[rows])", True),
        ("2 * between(out, answers[rows])", False),
        ("between(2 * out, answers[rows])", False),
    ],
    ids=["all of it", "a part", "another output"],
)
def test_the_function_that_gives_the_whole_loss_is_the_loss(loaded, step, taken):
    found = loaded(LOSS.replace("STEP", step))
    assert getattr(found.loss, "__name__", None) == ("between" if taken else None)
    assert len(next(iter(found.train_data))) == 2


def test_a_step_that_is_given_models_and_optimizers_beside_its_batch(loaded):
    """They stay as they are; the optimizer at hand stands for the file's."""
    found = loaded("""
def advance(inputs, labels, network, stepper):
    learn(network, (inputs, labels), stepper)
def repeat(network, stepper):
    for k in range(0, 40, 8): advance(x[k:k + 8], y[k:k + 8], network, stepper)
if __name__ == "__main__":
    torch.manual_seed(0); net = parts()[0]; stepper = torch.optim.SGD(net.parameters(), lr=0.1)
    repeat(net, stepper)
""")
    batches = list(found.train_data)
    assert [len(inputs) for inputs, _ in batches] == [8] * 5
    before = found.model.weight.detach().clone()
    found.train_step(found.model, batches[0], torch.optim.SGD(found.model.parameters(), lr=0.0))
    assert torch.equal(found.model.weight, before)
    found.train_step(found.model, batches[0], found.optimizer)
    assert not torch.equal(found.model.weight, before)


def test_a_step_in_a_comprehension_of_a_function_that_is_called_without_a_guard(loaded):
    found = loaded("""
def main():
    net = parts()[0]; opt = torch.optim.SGD(net.parameters(), lr=0.1)
    def advance(inputs, labels):
        learn(net, (inputs, labels), opt); return 0.0
    for epoch in range(3):
        losses = [advance(x[k:k + 8], y[k:k + 8]) for k in range(0, 40, 8)]
main()
""")
    assert [len(inputs) for inputs, _ in found.train_data] == [8] * 15


BESIDE = """
def main():
    net, dl_tr, opt = parts()
    dl_va = DataLoader(TensorDataset(torch.ones(12, 5), torch.zeros(12).long()), batch_size=6)
    for epoch in range(3):
        for batch in dl_tr: LEARN
        with torch.no_grad(): [net(batch[0]) for batch in dl_va]
"""


def test_the_only_loader_beside_that_of_the_loop_is_held_out(loaded):
    """Whatever it is called."""
    found = loaded(BESIDE.replace("LEARN", "learn(net, batch, opt)"))
    assert [len(batch[0]) for batch in found.validation_data] == [6, 6]


def test_a_loader_that_the_loop_goes_through_as_well_is_not_held_out(loaded):
    """As one of examples without labels."""
    both = "(learn(net, batch, opt), learn(net, next(iter(dl_va)), opt))"
    assert loaded(BESIDE.replace("LEARN", both)).validation_data is None


@pytest.mark.parametrize(
    "held", ["print(net(known).argmax(1) == told)", "with torch.no_grad(): right = net(known).argmax(1).eq(told)"]
)
def test_what_one_line_after_the_loop_evaluates_is_held_out(loaded, held):
    """Also at the top level of a script, where it is in no function."""
    found = loaded(f"""
net, _, optimizer = parts()
known, told = torch.zeros(12, 5), torch.ones(12).long()
for epoch in range(3):
    for rows in torch.randperm(40).split(8):
        xb, yb = x[rows], y[rows]
        loss = nn.functional.cross_entropy(net(xb), yb)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
{held}
""")
    [(inputs, targets)] = found.validation_data
    assert torch.equal(inputs, torch.zeros(12, 5))
    assert torch.equal(targets, torch.ones(12).long())


BY_HAND = """
first, second = torch.randn(5, 8).requires_grad_(), torch.randn(8, 3).requires_grad_()
def network(given): return torch.tanh(given @ first) @ second
optimizer = torch.optim.SGD([first, second], lr=0.1)
for epoch in range(3):
    for batch in DataLoader(TensorDataset(x, y), batch_size=8):
        loss = nn.functional.cross_entropy(network(batch[0]), batch[1])
        optimizer.zero_grad(); loss.backward(); optimizer.step()
"""


def test_weights_that_belong_to_no_module(loaded):
    """They are a model, whose forward pass is the function that uses them."""
    found = loaded(BY_HAND)
    assert [tuple(p.shape) for p in found.model.parameters()] == [(5, 8), (8, 3)]
    outputs = []
    found.model.register_forward_hook(lambda _m, _a, output: outputs.append(tuple(output.shape)))
    before = [p.detach().clone() for p in found.model.parameters()]
    found.train_step(found.model, next(iter(found.train_data)), found.optimizer)
    assert outputs == [(8, 3)]
    assert not any(map(torch.equal, before, found.model.parameters()))


def test_a_loss_without_a_graph_has_no_weights(loaded):
    """The model of the script stays what it is."""
    found = loaded("""
net = nn.Linear(5, 3); optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    for batch in DataLoader(TensorDataset(x, y), batch_size=8):
        value = nn.functional.cross_entropy(net(batch[0]), batch[1])
        loss = torch.tensor(value.item(), requires_grad=True)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
""")
    assert isinstance(found.model, torch.nn.Linear)


def test_weights_that_each_step_makes_anew_are_no_model(loaded):
    """What was taken before would never change."""
    line = "optimizer.step(); first = (first - 0.1 * first.grad).detach().requires_grad_()"
    with pytest.raises(ModelFileError, match="sets no model"):
        loaded(BY_HAND.replace("optimizer.step()", line))


@pytest.mark.parametrize(
    ("loop", "number"), [("epoch in range(7)", 35), ("epoch in range(1, length + 1)", 60), ("n in range(7)", 5)]
)
def test_the_steps_of_a_training_are_those_of_its_loops(loaded, loop, number):
    """Of five batches an epoch; a loop that counts something else, as folds, is no longer training."""
    script = f"{MADE}\nlength = 12\nfor {loop}:\n    for batch in train_loader: learn(net, batch, optimizer)"
    assert loaded(script).plan.steps == number


@pytest.mark.parametrize(("loop", "number"), [("for step in range(900)", 900), ("while True", None)])
def test_the_steps_of_a_loop_without_a_loader_are_counted_by_itself(loaded, loop, number):
    """Each on all data."""
    script = f"{MADE}\n{loop}: learn(net, (x, y), optimizer)"
    assert loaded(script).plan.steps == number


def test_batches_of_one_tensor_each_are_no_parts_of_examples(loaded):
    """As a script cuts them that has no targets."""
    found = loaded("""
def noisy(v): return v + torch.randn_like(v)
def between(one, other): return (one - other).square().mean()
coder = nn.Sequential(nn.Linear(5, 2), nn.Linear(2, 5)); optimizer = torch.optim.SGD(coder.parameters(), lr=0.1)
for epoch in range(3):
    for rows in torch.randperm(40).split(8):
        part = x[rows]
        loss = between(coder(noisy(part)), coder(noisy(part)))
        optimizer.zero_grad(); loss.backward(); optimizer.step()
""")
    assert [tuple(batch.shape) for batch in found.train_data][:2] == [(8, 5), (8, 5)]


EVALUATED = """
def evaluate(net, loader):
    MODE
    with torch.no_grad(): return sum(int((net(a).argmax(1) == b).sum()) for a, b in loader)
draw = evaluate
def main():
    held_out = [(x, y)]
    _, train_loader, _ = parts()
    net = nn.Sequential(nn.Linear(5, 3), LAYER); optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.train()
    for epoch in range(3):
        BEGIN
        for batch in train_loader: learn(net, batch, optimizer)
        total = 0.0
        print(epoch, f"{total:.3f}", NAME(net, held_out))
"""
IN_TRAINING, IN_EVALUATION = "evaluated in training mode", "trained in evaluation mode"


@pytest.mark.parametrize(
    ("mode", "begin", "layer", "name", "found"),
    [
        ("net.eval()", "net.train()", "nn.Dropout(0.5)", "evaluate", None),
        ("pass", "net.train()", "nn.Dropout(0.5)", "evaluate", IN_TRAINING),
        ("pass", "net.train()", "nn.BatchNorm1d(3)", "evaluate", IN_TRAINING),
        ("pass", "net.train()", "nn.ReLU()", "evaluate", None),
        ("pass", "net.train()", "nn.Dropout(0.5)", "draw", None),
        ("net.eval()", "pass", "nn.BatchNorm1d(3)", "evaluate", IN_EVALUATION),
        ("net.eval()", "pass", "nn.ReLU()", "evaluate", None),
    ],
)
def test_the_modes_in_which_a_script_evaluates_and_trains(loaded, mode, begin, layer, name, found):
    """Seen as it runs; what only draws from a model may be in any mode, and so may layers that do not differ."""
    script = EVALUATED.replace("MODE", mode).replace("BEGIN", begin).replace("LAYER", layer).replace("NAME", name)
    wrong = loaded(script).plan.wrong_mode
    assert (wrong and wrong[0]) == found


def test_a_function_that_puts_the_mode_back_after_it_evaluates(loaded):
    script = EVALUATED.replace("BEGIN", "pass").replace("LAYER", "nn.Dropout(0.5)").replace("NAME", "evaluate")
    back = "net.eval(); found = [net(a) for a, b in loader]; net.train(); return len(found)"
    assert loaded(script.replace("MODE", back)).plan.wrong_mode is None


def test_a_part_of_a_batch_within_an_expression_is_that_part(loaded):
    """What is computed of it in the loop is computed of each part that is handed in."""
    found = loaded("""
net = nn.Linear(5, 1); optimizer = torch.optim.SGD(net.parameters(), lr=0.1); goals = (y > 0).float()
for rows in torch.randperm(40).split(8):
    loss = nn.functional.binary_cross_entropy_with_logits(net(x[rows]).squeeze(1), 1 - goals[rows])
    optimizer.zero_grad(); loss.backward(); optimizer.step()
""")
    inputs, targets = next(iter(found.train_data))
    assert set(targets.tolist()) <= {0.0, 1.0}
    found.train_step(found.model, (inputs[:3], targets[:3]), found.optimizer)


@pytest.mark.parametrize("after", ["", "net.train()"])
def test_lines_of_their_own_that_change_the_mode(loaded, after):
    """Beside an evaluation that is written out, and after one that a function makes."""
    script = EVALUATED.replace("LAYER", "nn.Dropout(0.5)")
    if after:
        script = (
            script.replace("BEGIN", "pass").replace("MODE", "net.eval()").replace("held_out))", f"held_out)); {after}")
        )
    else:
        script = script.replace("BEGIN", "net.train()").replace("MODE", "pass").replace("total = 0.0", "net.eval()")
    assert loaded(script.replace("NAME", "evaluate").replace('f"{total:.3f}"', "epoch")).plan.wrong_mode is None


@pytest.mark.parametrize(
    ("begin", "mode", "found"),
    [
        ("net.train()", "net.eval()", None),
        ("net.train()", "pass", IN_TRAINING),
        ("pass", "net.eval()", IN_EVALUATION),
        ("pass", "net.eval(); net.train()", None),
    ],
)
def test_the_mode_of_an_evaluation_that_is_written_out(loaded, begin, mode, found):
    """In lines after the loop, of which one may set the mode."""
    written = "correct = 0\n        for a, b in held_out: correct += int((net(a).argmax(1) == b).sum())\n        MODE"
    before, after = mode.split("; ") if ";" in mode else (mode, "pass")
    script = EVALUATED.replace("BEGIN", begin).replace("LAYER", "nn.Dropout(0.5)").replace("total = 0.0", before)
    script = script.replace('print(epoch, f"{total:.3f}", NAME(net, held_out))', written.replace("MODE", after))
    wrong = loaded(script).plan.wrong_mode
    assert (wrong and wrong[0]) == found


def test_a_model_that_has_a_method_of_its_own_for_its_mode(loaded):
    """As those of a framework, which another file defines."""
    script = EVALUATED.replace("BEGIN", "net.train()").replace("MODE", "net.eval()").replace("NAME", "evaluate")
    own = "class Own(nn.Sequential):\n    exec('def train(self, mode=True): return super(Own, self).train(mode)')\n"
    script = script.replace("nn.Sequential(nn.Linear(5, 3), LAYER)", "Own(nn.Linear(5, 3), nn.Dropout(0.5))")
    assert loaded(own + script).plan.wrong_mode is None


def test_the_loader_that_a_function_makes_for_the_model_of_its_file(loaded):
    """What the function goes through is the data, and its loops are counted."""
    found = loaded("""
net = nn.Linear(5, 3); optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
def main():
    loader = DataLoader(TensorDataset(x, y), batch_size=8)
    for epoch in range(3):
        for batch in loader: learn(net, batch, optimizer)
if __name__ == '__main__': main()
""")
    assert next(iter(found.train_data))[0].shape == (8, 5)
    assert found.plan.steps == 15


def test_the_loss_of_a_loop_with_a_scaler_is_that_before_it_is_scaled(loaded):
    """Of gradients in half precision, which it multiplies by thousands."""
    found = loaded("""
def main():
    net = nn.Linear(5, 3); optimizer = torch.optim.SGD(net.parameters(), lr=0.1); scaler = torch.amp.GradScaler("cpu")
    for epoch in range(3):
        for a, b in DataLoader(TensorDataset(x, y), batch_size=8):
            loss = nn.functional.cross_entropy(net(a), b)
            optimizer.zero_grad(); scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update()
if __name__ == '__main__': main()
""")
    assert found.train_step(found.model, next(iter(found.train_data)), found.optimizer) < 10
