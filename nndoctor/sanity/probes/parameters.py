"""Which parameters the optimizer holds, which are frozen, and what the optimizer is set to."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from nndoctor.experiment.keras_model import weight_layers
from nndoctor.recorder.kinds import WEIGHTS, Role, role_of
from nndoctor.sanity.batches import size
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import calls_of
from nndoctor.sanity.optimizers import configured, decay_of, is_decoupled, rate

TABLE = 2  # dimensions
MANY = 64  # weights of a layer that have a spread
FEWEST = 8  # examples whose features have a spread
ADAPTER = "lora_"  # in the names of low-rank adapters' weights


def probe(bench: Bench) -> None:
    """Compare the optimizer's parameters with the model's; then what is known without a pass of the model."""
    named = list(bench.model.named_parameters())
    bench.fact("parameters", sum(p.numel() for _, p in named))
    bench.fact("trainable_parameters", sum(p.numel() for _, p in named if p.requires_grad))
    bench.fact("trainable_tensors", sum(p.requires_grad for _, p in named))
    frozen = [n for n, p in named if not p.requires_grad]
    bench.fact("frozen_parameters", tuple(frozen))
    bench.fact("weights_over_default", _over_default(bench.model))
    adapters = [n for n, _ in named if ADAPTER in n.lower()]
    if adapters and set(adapters) <= set(frozen):
        bench.fact("frozen_adapters", tuple(adapters))
    bench.fact("frozen_at_zero", tuple(_frozen_at_zero(bench.model)) or None)
    if bench.subject.plan.wrong_mode is not None:
        which, line = bench.subject.plan.wrong_mode
        bench.fact("wrong_mode", which)
        bench.fact("wrong_mode_line", line)
    bench.fact("wrong_best", bench.subject.plan.wrong_best)
    optimizer = bench.subject.optimizer
    if optimizer is not None:
        _missed(bench, optimizer)
        _settings(bench, optimizer)


def _frozen_at_zero(model: nn.Module) -> Iterator[str]:
    """The layers and embeddings whose weights are all zero and not trained, as the second half of a low-rank adapter may be."""
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None) if isinstance(module, (*WEIGHTS, nn.Embedding)) else None
        if isinstance(weight, Tensor) and not weight.requires_grad and not bool(weight.any()):
            yield name


@torch.no_grad()
def _over_default(model: nn.Module) -> float | None:
    """How many times the weights' standard deviation is that of torch's default, 1 / sqrt(3 fan_in); the median layer counts."""
    weights = [m.weight for m in model.modules() if isinstance(m, WEIGHTS) and m.weight.numel() >= MANY]
    found = [float(w.std()) * math.sqrt(3 * w[0].numel()) for w in weights if w.is_floating_point()]
    return float(torch.tensor(found).median()) if found else None


def _missed(bench: Bench, optimizer: torch.optim.Optimizer) -> None:
    """The trainable parameters that no optimizer holds; a GAN's step has an optimizer for each part."""
    own = [optimizer, *(given for given, _ in bench.strangers.values())]
    held = {id(p) for each in own for group in each.param_groups for p in group["params"]}
    missed = [n for n, p in bench.model.named_parameters() if p.requires_grad and id(p) not in held]
    bench.fact("missed_parameters", tuple(missed))
    bench.fact("not_in_optimizer", tuple(dict.fromkeys(n.rpartition(".")[0] or n for n in missed)))


def _settings(bench: Bench, optimizer: torch.optim.Optimizer) -> None:
    """The optimizer's kind, learning rate, weight decay and momentum."""
    bench.fact("optimizer", type(optimizer).__name__)
    bench.fact("lr_configured", rate(optimizer))
    bench.fact("weight_decay", max(map(decay_of, optimizer.param_groups)))
    if bench.subject.plan.clip is not None:
        bench.fact("clipped_to", float(bench.subject.plan.clip))
    if is_decoupled(optimizer):
        bench.fact("shrinking", max(configured(group) * decay_of(group) for group in optimizer.param_groups))
    first = optimizer.param_groups[0]
    if "momentum" in first:
        bench.fact("momentum", float(first["momentum"]))


def first_layer(bench: Bench) -> None:
    """The values that the first layer with weights takes: what a model that scales its inputs itself makes of them."""
    taken = _FirstInput()
    bench.observe([m.register_forward_pre_hook(taken.note) for m in layers_with_a_role(bench.model)])
    table = _raw_table(bench, taken) if taken.normalized else None
    bench.fact("first_layer_normalizes", taken.normalized and table is None)
    bench.fact("table_apart", table is not None)
    bench.fact("first_layer_normalized_after", taken.before_norm)
    given = taken.values if table is None else table
    if given is None:
        return
    values = given.float()
    bench.fact("first_layer_rms", float(values.square().mean().sqrt()))
    bench.fact("first_layer_largest", float(values.abs().max()))
    bench.fact("first_layer_spread", float(values.std()) if values.numel() > 1 else None)
    if values.ndim == 2 and len(values) >= FEWEST:
        _scales(bench, values.std(0))


def _raw_table(bench: Bench, taken: _FirstInput) -> Tensor | None:
    """A table of numbers that the model takes beside tokens or categories, and that no layer normalizes as it is."""
    calls = calls_of(bench.subject, bench.batch)
    for table in calls[0].tensors.values() if calls else ():
        is_table = table.ndim == TABLE and table.is_floating_point() and table.shape[1] > 1
        of_examples = is_table and len(table) == size(bench.batch) and bool(torch.isfinite(table).all())
        if of_examples and not any(torch.equal(t, table) for t in taken.by_others if t.shape == table.shape):
            return table.detach()
    return None


def layers_with_a_role(model: nn.Module) -> list[nn.Module]:
    """The layers without parts of their own that have weights or an activation; of a Keras model those with weights."""
    return weight_layers(model) or [
        m for m in model.modules() if role_of(m) is not None and next(m.children(), None) is None
    ]


def _scales(bench: Bench, spread: Tensor) -> None:
    """The smallest and the largest spread of the features of a table."""
    spread = spread[spread > 0]
    if len(spread) > 1:
        bench.fact("feature_scale_low", float(spread.min()))
        bench.fact("feature_scale_high", float(spread.max()))


class _FirstInput:
    """What the first layer with weights takes; nothing where a layer before it normalizes, or looks up embeddings.

    `by_others` is what layers take that normalize or look up embeddings; `before_norm` says that the layer right behind
    the first one normalizes.
    """

    def __init__(self) -> None:
        self.values: Tensor | None = None
        self.normalized = False
        self.before_norm = False
        self._first_behind = True
        self.by_others: list[Tensor] = []

    def note(self, module: nn.Module, args: tuple[object, ...]) -> None:
        """A hook that keeps the first tensor that it sees."""
        first = args[0].data if args and isinstance(args[0], PackedSequence) else next(iter(args), None)
        if not isinstance(first, Tensor):
            return
        kind = type(module).__name__
        keeps = role_of(module) in (Role.NORM, Role.EMBEDDING) or kind.endswith("Normalization") or kind == "Embedding"
        if keeps:
            self.by_others.append(first.detach())
        if self.values is not None and self._first_behind:
            self.before_norm, self._first_behind = role_of(module) is Role.NORM, False
        if self.values is not None or self.normalized:
            return
        if keeps or not first.is_floating_point():
            self.normalized = True
        else:
            self.values = first.detach()
