"""Whether the loss fits the output: the loss alone, moved about by outputs that need no network."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nndoctor.sanity.batches import part, split
from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.graph import kind, walk
from nndoctor.sanity.probes.loss_parts import note_sum, one_hot, several_classes, silent_target
from nndoctor.sanity.probes.scale import Scale, before_activation
from nndoctor.sanity.subject import plain

EXAMPLES = 16
MAX_VALUES = 2_000_000  # values of an output that are moved freely
UNFINISHED = 0.1  # of the way from the first loss to the best: descent that leaves more is tried further
SHORTER = 0.01  # times the first steps
FURTHER = 0.05  # of the way that the first steps went, and of what was left
ENDS = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
}


def probe(bench: Bench) -> None:
    """Where the loss begins, what it could reach at best, and what the last activation lets it reach."""
    batch = part(bench.batch, slice(0, EXAMPLES)) if bench.alike(bench.batch) else bench.batch
    with torch.no_grad():
        outcome = bench.subject.run(batch)
    bench.fact("loss_is_finite", bool(torch.isfinite(outcome.loss)))
    if bench.subject.loss is None:
        _seen_in_step(bench, batch)
        return
    output = plain(outcome.output)
    target = split(batch)[2]
    if target is None and isinstance(batch, Tensor):
        target = batch
    if (
        not isinstance(output, Tensor)
        or target is None
        or not output.is_floating_point()
        or output.numel() > MAX_VALUES
    ):
        return
    with torch.enable_grad():
        graded = plain(bench.subject.output(batch))
    _judged(bench, Scale(bench, graded if isinstance(graded, Tensor) else output, target, bench.subject.loss_of))


def _seen_in_step(bench: Bench, batch: Any) -> None:  # noqa: ANN401
    """The same for a step or a model with its own loss, where one of torch's losses is the whole of it."""
    observer, call = bench.subject.observed(batch)
    if not observer.calls and len(observer.by_hand) == 1 and one_hot(observer.by_hand[0].target):
        bench.fact("loss_function", observer.by_hand[0].name)
        bench.fact("target_one_hot", value=True)
    if call is None or not call.output.is_floating_point() or call.output.numel() > MAX_VALUES:
        return
    target = (
        call.target.detach() if isinstance(call.target, Tensor) else call.target
    )  # that of a teacher may have a graph
    _judged(bench, Scale(bench, call.output, target, call.again))


def _judged(bench: Bench, scale: Scale) -> None:
    bench.fact("output_activation", scale.name)
    bench.fact("output_width", scale.output.shape[1] if scale.output.ndim > 1 else 1)
    _reach(bench, scale)
    _follows(bench, scale)
    bench.fact("target_without_loss", silent_target(scale))
    note_sum(bench, scale)
    bench.fact("target_one_hot", one_hot(_compared(bench)) or one_hot(scale.single))
    if scale.name == "softmax" or bench.facts.get("loss_function") == "cross_entropy":
        bench.fact("several_classes", several_classes(scale.single))


def _compared(bench: Bench) -> Tensor | None:
    """What the only loss of torch's in a pass is taken against, where the file's loss makes it of the targets."""
    observer, _ = bench.subject.observed(bench.batch)
    if len(observer.calls) != 1:
        return None
    found = observer.calls[0].target
    bench.fact("loss_function", observer.calls[0].function.__name__)
    return found if isinstance(found, Tensor) else None


def _reach(bench: Bench, scale: Scale) -> None:
    """The first loss, the best one of any output, the best one of what the activation can give, and where descent ends."""
    name = str(bench.facts.get("output_activation", ""))
    if not math.isfinite(scale.initial):
        return
    within = [scale.loss(scale.act(c)) for c in scale.candidates()]
    with torch.enable_grad():
        ended, at = scale.descended(scale.act, before_activation(name, scale.output))
    reachable = min([scale.initial, ended, *within])
    if ended - reachable > UNFINISHED * (scale.initial - reachable):
        _goes_on(bench, scale, (ended, ended - reachable), at)
    free = [scale.loss(c) for c in scale.candidates()]
    if scale.classes and within:
        _ranks(bench, scale, min(within))
    best = min([reachable, *free]) if name != "log-softmax" and _unbounded_is_fair(scale, name) else reachable
    bench.fact("loss_initial", scale.initial)
    bench.fact("loss_reachable", max(reachable, -1e30))
    bench.fact("loss_best", max(best, -1e30))
    if bool(
        torch.isfinite(scale.output).all()
    ):  # nothing descends from scores of minus infinity, by which pairs are left out
        bench.fact("loss_descended", min(max(ended, -1e30), 1e30))
    bench.fact("loss_of_classes", scale.classes)
    if name in ENDS:
        bench.fact("output_low", ENDS[name][0])
        bench.fact("output_high", ENDS[name][1])
        if scale.alike and scale.single is not None:
            goal = scale.single.detach()
            beyond = float(goal.min()) < ENDS[name][0] or float(goal.max()) > ENDS[name][1]
            bench.fact("target_beyond_output", beyond)
    scale.best_output = at


def _goes_on(bench: Bench, scale: Scale, end: tuple[float, float], at: Tensor) -> None:
    """Whether shorter steps from where descent ended, and so much was left, lower the loss further: then it was not stuck, only too short."""
    ended, left = end
    with torch.enable_grad():
        further, _ = scale.descended(scale.act, at, SHORTER)
    bench.fact("loss_still_falls", ended - further > FURTHER * max(scale.initial - ended, left))


def _ranks(bench: Bench, scale: Scale, right: float) -> None:
    """What sure answers cost where all are right, and where all are wrong."""
    wrong = min(scale.loss(scale.act(c.roll(1, 1))) for c in scale.candidates())
    if math.isfinite(right) and math.isfinite(wrong):
        bench.fact("loss_of_right_answers", right)
        bench.fact("loss_of_wrong_answers", wrong)


def _unbounded_is_fair(scale: Scale, name: str) -> bool:
    """Whether the loss may be asked about outputs that the activation cannot give: not where it is made for it."""
    probabilities = name in ("sigmoid", "softmax") and str(scale.bench.facts.get("loss_before", "")) in (
        "",
        "nll",
        "binary cross-entropy",
    )
    return not probabilities or not _logarithm(scale)


def _logarithm(scale: Scale) -> bool:
    """Whether the loss takes the logarithm of the output: a wrong sure answer then costs far more than a wrong half one."""
    with torch.enable_grad():
        probe_at = scale.output.clone().requires_grad_()
        value = unless_it_fails(lambda: scale.loss_of(probe_at, scale.target), None)
        return value is None or any(
            kind(n).startswith(("Log", "BinaryCrossEntropy", "NllLoss", "Xlogy")) for n in walk(value)
        )


def _follows(bench: Bench, scale: Scale) -> None:
    """How well the output that the loss likes best follows the targets (rank correlation), where both are numbers."""
    at, target = scale.best_output, scale.single
    if not scale.alike or at is None or target is None or target.numel() < 6:
        return
    goal, got = target.detach().double().reshape(-1), scale.act(at).double().reshape(-1)
    if float(goal.std()) > 0:
        bench.fact("loss_follows_target", _ranked(goal, got))
        bench.fact("loss_least_at_target", _least_at_target(scale, target.to(scale.output), scale.act(at)))


def _least_at_target(scale: Scale, goal: Tensor, found: Tensor) -> bool:
    """Whether the targets themselves have a lower loss than what descent found and than their mean: other outputs may do as well."""
    of_goal, mean = scale.loss(goal), goal.mean(0, keepdim=True).expand_as(goal)
    return of_goal < min(scale.loss(found), scale.loss(mean))


def _ranked(a: Tensor, b: Tensor) -> float:
    """Spearman's correlation; ties share no rank, which matters little here."""
    if float(b.std()) == 0:
        return 0.0
    x, y = (t.argsort().argsort().double() for t in (a, b))
    binary = bool(((a == a.min()) | (a == a.max())).all())
    pair = torch.stack([a, b]) if binary else torch.stack([x, y])
    return float(torch.corrcoef(pair)[0, 1])
