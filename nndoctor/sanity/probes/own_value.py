"""Sequences that a model predicts place by place: whether the output at a place sees the value that it must predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import ModelCall, calls_of
from nndoctor.sanity.lens import Lens
from nndoctor.sanity.origins import Origins
from nndoctor.sanity.state import nudge, seed
from nndoctor.sanity.subject import main_output

MIN_PLACES = 5
TOKENS = 2  # dimensions
SEQUENCES, MAX_FEATURES = 3, 64  # dimensions of sequences with several features, and features of which each is compared
VARIED = 0.5  # of the places at which a value differs from the one before
ROUNDING = 1e-5  # of an output's size
LEAST = 1e-4  # of it: an output depends on a value before it


def probe(bench: Bench) -> None:
    """Change single values of an argument that is also the target, and see which outputs change.

    A causal model whose output at a place changes with the target of that place can copy it. A model that sees both
    ways, or whose outputs depend on nothing but their own place, is an autoencoder.
    """
    targets = _targets(bench)
    for call in calls_of(bench.subject, bench.batch) if targets else ():
        for name, given in call.tensors.items():
            if not any(_holds(given, t) for t in targets) and not _is_next(bench, given, targets):
                continue
            asked = [_Argument(bench, call, name, time_first) for time_first in (False, True) if given.ndim > 1]
            seen = next((found for one in asked if (found := _seen(one)) is not None), None)
            if seen is not None:
                bench.fact("target_argument", name)
                bench.fact("own_value_seen", seen)
                return


def _targets(bench: Bench) -> list[Tensor]:
    """A target of numbers, what outputs are compared with in a pass, and what log-probabilities are taken of."""
    bench.model.train()
    lens = Lens(Origins(bench.model), lambda: None)
    seed(29)
    with torch.enable_grad(), lens:
        bench.subject.run(bench.batch)
    own = bench.target(bench.batch)
    numbers = [own] if own is not None and own.is_floating_point() else []  # a model shifts its tokens by itself
    return [*(pair.target for pair in lens.pairs), *lens.picked, *numbers]


def _is_next(bench: Bench, given: Tensor, targets: list[Tensor]) -> bool:
    """Whether the targets are all tokens but the first, and are compared with all outputs but the first, not but the last."""
    if given.ndim != TOKENS or not any(_same(given[:, 1:], target) for target in targets):
        return False
    seen: list[Any] = []
    hook = bench.model.register_forward_hook(lambda _m, _a, output: seen.append(main_output(output)))
    try:
        loss = bench.subject.run(bench.batch).loss
    finally:
        hook.remove()
    output = seen[0] if len(seen) == 1 else None
    if output is None or output.ndim != SEQUENCES or output.shape[:2] != given.shape or not output.requires_grad:
        return False
    gradient = torch.autograd.grad(loss, output, allow_unused=True)[0]
    return gradient is not None and bool(gradient.any()) and not bool(gradient[:, 0].any())


def _is_sequence(given: Tensor) -> bool:
    """Whether numbers or tokens come by example and place, and change from place to place before the padding at their end."""
    dimensions = (2, 3) if given.is_floating_point() else (2,)
    if given.ndim not in dimensions or len(given) < 2 or given.shape[1] < MIN_PLACES:
        return False
    padding = given == given[:, -1].mode(0).values
    padded = (padding[:, 1:] & padding[:, :-1]).double().mean()
    return float((given[:, 1:] != given[:, :-1]).double().mean() / (1 - padded).clamp_min(1e-12)) > VARIED


def _holds(given: Tensor, target: Tensor) -> bool:
    """Whether an argument, or one of its features, is the target."""
    features = given.unbind(-1) if given.ndim == SEQUENCES and given.shape[-1] <= MAX_FEATURES else ()
    return any(_same(each, target) for each in (given, *features))


def _same(given: Tensor, target: Tensor) -> bool:
    """Whether both hold the same values; of classes without those that a loss leaves out, in whose place an argument has padding."""
    if given.numel() != target.numel() or given.is_floating_point() != target.is_floating_point():
        return False
    own, wanted = given.flatten(), target.to(given).flatten()
    kept = torch.ones_like(wanted, dtype=torch.bool) if wanted.is_floating_point() else wanted >= 0
    return bool(kept.any()) and torch.equal(own[kept], wanted[kept])


@dataclass(frozen=True, slots=True)
class _Argument:
    """An argument of a call by example and place, whichever of both comes first in it."""

    bench: Bench
    call: ModelCall
    name: str
    time_first: bool

    @property
    def value(self) -> Tensor:
        """As it is given."""
        return self._ordered(self.call.tensors[self.name])

    def outputs(self, value: Tensor) -> list[Tensor]:
        """The outputs by example and place, also where both are one dimension, with another value given."""
        given = self._ordered(value)
        places, names = self.call.changed(self.name, lambda _: given)
        seed(3)
        found = [t for t in tensors(self.bench.model(*places, **names)) if t.is_floating_point() and t.ndim > 1]
        rows = given.shape[0] * given.shape[1]
        apart = [t.reshape(*given.shape[:2], -1) if t.ndim == 2 and len(t) == rows else t for t in found]
        shaped = [self._ordered(t) for t in apart if t.shape[:2] == given.shape[:2]]
        return [t[..., None] if t.ndim == 2 else t for t in shaped]

    def _ordered(self, tensor: Tensor) -> Tensor:
        return tensor.transpose(0, 1) if self.time_first else tensor


@torch.no_grad()
def _seen(asked: _Argument) -> float | None:
    """How much the output at a place changes with the value there; None where the model is not causal, or has no memory."""
    given = asked.value
    places = _places(given) if _is_sequence(given) else None
    if places is None:
        return None
    place, earlier = places
    nudge(asked.bench.model)
    asked.bench.model.eval()
    before = asked.outputs(given)
    at, past = (asked.outputs(_exchanged(given, where)) for where in (place, earlier))
    seen = memory = 0.0
    for own, here, later in zip(before, at, past, strict=False):
        size = float(own.norm()) / own.shape[1] ** 0.5 + 1e-12
        moved = (here - own).flatten(2).norm(dim=(0, 2)) / size
        if float(moved[:place].max()) > ROUNDING:
            return None
        seen = max(seen, float(moved[place]))
        memory = max(memory, float((later - own)[:, place].norm()) / size)
    return seen if memory > LEAST else None


def _places(given: Tensor) -> tuple[int, int] | None:
    """A place near two thirds at which examples differ, and one before it, not next to it; odd ones first, as blocks of a model that shortens sequences begin before them."""
    differ = (given != given.roll(1, 0)).reshape(*given.shape[:2], -1).any(2).double().mean(0)
    varied = [k for k in range(1, given.shape[1]) if float(differ[k]) > VARIED]
    pairs = [(k, max(p for p in varied if p < k - 1)) for k in varied if varied[0] < k - 1]
    middle = given.shape[1] * 2 // 3
    return min(pairs, key=lambda pair: (pair[0] % 2 == 0, abs(pair[0] - middle)), default=None)


def _exchanged(given: Tensor, place: int) -> Tensor:
    """The values at one place taken from other examples."""
    changed = given.clone()
    changed[:, place] = given.roll(1, 0)[:, place]
    return changed
