"""What a pass shows of a loss's arguments: shapes that broadcast, as (N, 1) against (N,) does, blanks, what is no logarithm."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.experiment.steps import IGNORED
from nndoctor.sanity import graph
from nndoctor.sanity.batches import size
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.observe import LossCall, Observer, broadcast
from nndoctor.sanity.subject import main_output

MAPS = 4  # dimensions of scores for every pixel
ROUNDING = 1e-4  # above 0
SUM = 0.02  # the sum of probabilities differs from 1 by less


def probe(bench: Bench) -> None:
    """One pass in which torch's losses and the arithmetic before them are watched."""
    observer = watched(bench)
    bench.fact("shapes_watched", value=True)
    bench.fact("not_log_probabilities", next(filter(None, map(_not_logarithms, observer.calls)), None))
    bench.fact("log_probabilities", _logarithms(observer.calls))
    bench.fact("improper_class_probabilities", max(map(_improper, observer.calls), default=0.0))
    if any(map(_over_examples, observer.calls)):
        bench.fact("log_softmax_over_examples", value=True)
    bench.fact("labels_of_one_distribution", max(map(_several_labels, observer.calls), default=0) or None)
    left_out = next(filter(None, map(_class_left_out, observer.calls)), None)
    bench.fact("class_left_out", left_out and left_out[0])
    bench.fact("class_left_out_share", left_out and left_out[1])
    _other_functions(bench, observer)
    if observer.broadcasts:
        first, second = observer.broadcasts[0]
        bench.fact("broadcast_shapes", (_words(first), _words(second)))
        bench.fact("broadcast_to", _words(broadcast(first, second)))
    elif not bench.subject.blind and bench.subject.loss is not None:
        _exchangeable(bench)


def _other_functions(bench: Bench, observer: Observer) -> None:
    """What was seen of alignments, bags of words and vectors of length 1."""
    if observer.alignments:
        bench.fact("symbols_sum_to_one", all(_sum_to_one(one.symbols.detach().exp()) for one in observer.alignments))
        bench.fact("blank_targets", max(one.blank_share for one in observer.alignments))
        bench.fact("targets_too_long", max(one.too_long for one in observer.alignments))
    examples = size(bench.batch)
    normalized = [rows for rows in observer.normalized if rows >= examples > 1 and rows % examples == 0]
    bench.fact("normalized_over_examples", max(normalized, default=None))
    if any(bool((starts[1:] < starts[:-1]).any()) for starts in observer.starts):
        bench.fact("bags_overlap", value=True)


@torch.no_grad()
def _exchangeable(bench: Bench) -> None:
    """Note several outputs of an example that the loss does not distinguish, and compares with one number."""
    output, target = main_output(bench.subject.output(bench.batch)), bench.target(bench.batch)
    if output is None or target is None or not target.is_floating_point() or len(target) != target.numel():
        return
    if output.ndim != 2 or len(output) != len(target) or output.shape[1] < 2:
        return
    exchanged, others = output.roll(1, 1), target + 1
    if torch.equal(exchanged, output):
        return
    same, rolled, moved = (
        number(bench.subject.loss_of(o, t)) for o, t in ((output, target), (exchanged, target), (output, others))
    )
    if abs(rolled - same) <= ROUNDING * abs(same) < abs(moved - same):
        bench.fact("outputs_alike", output.shape[1])


def watched(bench: Bench) -> Observer:
    """One pass under an observer; a step that has no single loss is taken whole."""
    if not bench.subject.blind:
        return bench.subject.observed(bench.batch)[0]
    observer = Observer()
    with torch.enable_grad(), observer:
        bench.train(bench.batch, bench.optimizer())
    return observer


def _not_logarithms(call: LossCall) -> str | None:
    """The loss that wants log-probabilities and is given values above 0, which no logarithm of a probability is."""
    wants = call.function in (functional.kl_div, functional.nll_loss)
    above = wants and call.output.is_floating_point() and call.output.numel() and float(call.output.max()) > ROUNDING
    return call.function.__name__ if above else None


def _logarithms(calls: list[LossCall]) -> bool | None:
    """Whether what nll_loss is given adds up to 1 as probabilities, in every row; None where there is no such loss."""
    given = [c.output.detach() for c in calls if c.function is functional.nll_loss and c.output.ndim > 1]
    return all(bool((t.logsumexp(1).abs() < SUM).all()) for t in given) if given else None


def _over_examples(call: LossCall) -> bool:
    """Whether log-probabilities of classes add up to 1 over the examples, or the places of a sequence or map, and not over the classes."""
    scores = call.output
    if call.function is not functional.nll_loss or scores.ndim < 2 or min(scores.shape) < 2:
        return False
    probabilities = scores.detach().exp()
    if _sum_to_one(probabilities, 1):
        return False
    others = any(_sum_to_one(probabilities, dim) for dim in range(scores.ndim) if dim != 1)
    return others or (scores.ndim == 2 and graph.softmax_over_last(scores.grad_fn) is False)


def _class_left_out(call: LossCall) -> tuple[str, float] | None:
    """The class of a map that the loss ignores although outputs have a score for it, and its share; the padding of texts is no class."""
    target, ignored = call.target, int(call.more.get("ignore_index", IGNORED))
    if call.output.ndim != MAPS or not isinstance(target, Tensor) or not 0 <= ignored < call.output.shape[1]:
        return None
    return str(ignored), float((target == ignored).double().mean())


def _several_labels(call: LossCall) -> int:
    """The most labels that an example has where a binary cross-entropy is given probabilities that sum to 1; 0 elsewhere."""
    target = call.target
    if call.function is not functional.binary_cross_entropy or not isinstance(target, Tensor):
        return 0
    several = call.output.ndim == 2 and target.shape == call.output.shape and call.output.shape[1] > 1
    return (
        int(target.sum(1).max())
        if several and _sum_to_one(call.output.detach()) and bool((target.sum(1) > 1).any())
        else 0
    )


def _sum_to_one(probabilities: Tensor, dim: int = -1) -> bool:
    return bool(((probabilities.sum(dim) - 1).abs() < SUM).all())


def _improper(call: LossCall) -> float:
    """The share of the rows of a cross-entropy's targets that are no probabilities of classes; rows of zeros are left out."""
    target = call.target
    of_classes = call.function is functional.cross_entropy and isinstance(target, Tensor) and target.is_floating_point()
    if not of_classes or target.shape != call.output.shape or target.ndim < 2:
        return 0.0
    sums = target.detach().double().sum(1)
    kept = sums[sums != 0]
    return float(((kept - 1).abs() > SUM).double().mean()) if kept.numel() else 0.0


def _words(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
