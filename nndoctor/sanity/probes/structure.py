"""How the layers stand to each other, read from the graph of one forward pass."""

from __future__ import annotations

from torch import Tensor, nn

from nndoctor.experiment.keras_model import dropout_rates
from nndoctor.recorder.kinds import BATCH_NORMS, WEIGHTS
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.dropout import CALLED, Shares
from nndoctor.sanity.graph import LINEAR, NORMS, Call, Calls, Node, activation, before, before_loss, kind, passed, walk

NORM_LAYERS = (*BATCH_NORMS, nn.LayerNorm)
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
SQUASHING = ("sigmoid", "softmax")


def probe(bench: Bench) -> None:
    """Pairs of layers that should not meet, and the depth of a plain stack."""
    calls, shares = Calls(bench.model), Shares()
    bench.model.train()
    try:
        with shares:
            outcome = bench.subject.run(bench.batch)
    finally:
        calls.close()
    if outcome.loss.grad_fn is None:
        return
    seen = calls.calls
    _adjacent(bench, seen)
    _hidden(bench, seen)
    _norms(bench, seen)
    _dropouts(bench, seen, shares.found)
    _depth(bench, outcome.loss)
    name, last = before_loss(outcome.loss)
    bench.fact("loss_before", name)
    bench.fact("activation_before_loss", last)


def _adjacent(bench: Bench, calls: list[Call]) -> None:
    """Linear maps that follow each other without a nonlinearity; a narrow one between two wide ones is meant."""
    mapped = [c for c in calls if isinstance(c.module, WEIGHTS)]
    gave = {id(c.gives): c for c in mapped if c.gives is not None}
    dropped = {
        id(c.gives): c.takes for c in calls if isinstance(c.module, DROPOUTS)
    }  # a product like any other, on a CPU
    pairs = []
    for call in (c for c in mapped if c.takes is not None):
        first = _giving(dropped.get(id(call.takes)) or call.takes, gave)
        if first is not None and not _narrow(first.module, call.module):
            pairs.append(f"{first.path} -> {call.path}")
    bench.fact("linear_pairs", tuple(dict.fromkeys(pairs)))
    bench.fact("weight_layers", len({c.path for c in mapped}))


def _giving(taken: Node, gave: dict[int, Call]) -> Call | None:
    """The linear layer whose output a layer takes."""
    return gave.get(id(taken)) or gave.get(id(passed(taken))) or _reached(taken, gave)


def _reached(node: Node, gave: dict[int, Call]) -> Call | None:
    """The linear layer whose output comes here through nothing but changes of shape and dropout."""
    for _ in range(16):
        if id(node) in gave:
            return gave[id(node)]
        step = passed(node)
        inner = before(node)
        if step is node and len(inner) != 1:
            return None
        if step is node:
            return None
        node = inner[0]
    return None


def _narrow(first: nn.Module, second: nn.Module) -> bool:
    """Whether the width between two maps is smaller than at both ends (a factorization), or the maps are depthwise."""
    if isinstance(first, nn.Linear) and isinstance(second, nn.Linear):
        return first.out_features < min(first.in_features, second.out_features)
    groups = getattr(first, "groups", 1) > 1 or getattr(second, "groups", 1) > 1
    kernel = getattr(first, "kernel_size", (1,)), getattr(second, "kernel_size", (1,))
    return groups or (isinstance(first, nn.Linear) != isinstance(second, nn.Linear) and max(kernel[1]) == 1)


def _hidden(bench: Bench, calls: list[Call]) -> None:
    """Sigmoids and softmaxes whose output goes straight into a further weight layer."""
    found: dict[str, list[str]] = {name: [] for name in SQUASHING}
    for call in calls:
        if isinstance(call.module, WEIGHTS) and call.takes is not None:
            name = activation(call.takes)
            if name in found:
                found[name].append(call.path)
    bench.fact("sigmoid_before", tuple(found["sigmoid"]))
    bench.fact("softmax_before", tuple(found["softmax"]))


def _norms(bench: Bench, calls: list[Call]) -> None:
    """Normalization after an activation, or after dropout."""
    after_activation, after_dropout = [], []
    dropped = {id(c.gives) for c in calls if isinstance(c.module, DROPOUTS) and c.module.p > 0}
    for call in calls:
        if not isinstance(call.module, BATCH_NORMS) or call.takes is None:
            continue
        if id(call.takes) in dropped:
            after_dropout.append(call.path)
        elif kind(passed(call.takes)) in ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Gelu", "Hardtanh"):
            after_activation.append(call.path)
    bench.fact("norm_after_activation", tuple(after_activation))
    bench.fact("norm_after_dropout", tuple(after_dropout))
    if bench.facts.get("norms") is None:
        bench.fact("norms", sum(isinstance(c.module, NORM_LAYERS) for c in calls))


def _dropouts(bench: Bench, calls: list[Call], shares: list[float]) -> None:
    """The rates of dropout layers, and those of calls without a layer."""
    rates = [(c.path, float(c.module.p)) for c in calls if isinstance(c.module, DROPOUTS) and c.module.p > 0]
    rates += [(str(layer.name), rate) for layer, rate in dropout_rates(bench.model) if rate > 0]
    rates += [(CALLED, share) for share in sorted(set(shares) - {rate for _, rate in rates}) if share > 0]
    bench.fact("dropout_layers", tuple(path for path, _ in rates))
    bench.fact("dropout_rates", tuple(p for _, p in rates))


def _depth(bench: Bench, loss: Tensor) -> None:
    """Linear maps on the longest way to the loss, and whether anything shortens or normalizes that way."""
    nodes = list(walk(loss))
    kinds = [kind(n) for n in nodes]
    shortcut = any(k in ("Add", "Cat", "Stack") and _joins(n) for k, n in zip(kinds, nodes, strict=True))
    bench.fact("depth", sum(k in LINEAR for k in kinds))
    bench.fact(
        "plain_stack", not shortcut and not any(k in NORMS for k in kinds) and not any("Rnn" in k for k in kinds)
    )


def _joins(node: Node) -> bool:
    """Whether two computed values meet here (a bias that is added is a leaf)."""
    return sum(kind(n) not in ("torch::autograd::AccumulateGrad", "") and bool(before(n)) for n in before(node)) > 1
