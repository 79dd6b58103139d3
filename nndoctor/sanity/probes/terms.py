"""Errors against targets of a large scale: whether training brings them below that of always answering the targets' mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.failures import is_machine
from nndoctor.sanity.observe import ErrorByHand, LossCall
from nndoctor.sanity.probes.shapes import watched
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import main_output

ERRORS = (functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss)
LARGE = 20.0  # root mean square of targets: the square of such an error is 400, and so is the first gradient
MIN_VALUES = 16  # in a batch
BY_NAME = {each.__name__: each for each in ERRORS}
STEPS, SHORTEST = 300, 60
TIME_SHARE = 0.15  # of the time left


@dataclass(frozen=True, slots=True)
class Term:
    """An error of a batch, the error of the targets' mean, and the spreads of targets and outputs."""

    name: str
    value: float
    of_mean: float
    target_rms: float
    target_std: float
    output_std: float


def probe(bench: Bench) -> None:
    """Train where an error has targets of a large scale, and compare it with that of the targets' mean."""
    large = [k for k, term in enumerate(terms(bench)) if term.target_rms > LARGE]
    if not large or bench.facts.get("loss_has_gradient") is False:
        return
    steps = int(min(STEPS, TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5)))
    if steps < SHORTEST:
        bench.unchecked.append("errors against the mean of the targets")
        return
    bench.fresh_start()
    if not bench.trained(steps):
        return
    after = terms(bench)
    found = [after[k] for k in large if k < len(after) and after[k].of_mean > 0 and math.isfinite(after[k].value)]
    if found:
        _note(bench, max(found, key=lambda term: term.value / term.of_mean), steps)


def _note(bench: Bench, worst: Term, steps: int) -> None:
    bench.fact("error_name", worst.name)
    bench.fact("error_steps", steps)
    bench.fact("error_after", worst.value)
    bench.fact("error_of_mean", worst.of_mean)
    bench.fact("error_target_rms", worst.target_rms)
    bench.fact("error_target_std", worst.target_std)
    bench.fact("error_output_std", worst.output_std)


def terms(bench: Bench) -> list[Term]:
    """The errors in the loss of the first batch, with the weights as they are now."""
    seed(11)
    observer = watched(bench)
    seen = [*map(_of_call, observer.calls), *map(_written, observer.by_hand)]
    found = [term for term in seen if term is not None]
    if found or bench.subject.loss is None or bench.subject.blind:
        return found
    own = _of_loss(bench)
    return [] if own is None else [own]


def _of_call(call: LossCall) -> Term | None:
    target = call.target
    known = call.function in ERRORS and isinstance(target, Tensor) and not target.requires_grad
    if not known or target.shape != call.output.shape or not call.output.requires_grad:
        return None
    mean = _mean(target)
    return (
        None
        if mean is None
        else _term(call.function.__name__, call.value, call.again(mean, target), call.output, target)
    )


def _written(error: ErrorByHand) -> Term | None:
    """An error that the file writes itself, as the mean of all its values."""
    mean, function = _mean(error.target), BY_NAME[error.name]
    if mean is None:
        return None
    value, of_mean = (function(each.detach(), error.target) for each in (error.output, mean))
    return _term(error.name, value, of_mean, error.output, error.target)


def _of_loss(bench: Bench) -> Term | None:
    """The file's own loss where it is none of torch's, as that of a Keras model."""
    target, output = bench.target(bench.batch), main_output(bench.subject.output(bench.batch))
    if target is None or output is None or target.shape != output.shape or not target.is_floating_point():
        return None
    mean = _mean(target)
    if mean is None:
        return None
    try:
        with torch.no_grad():
            value, of_mean = (bench.subject.loss_of(each, target) for each in (output, mean))
    except Exception as error:
        if is_machine(error):
            raise
        return None  # a loss that takes no constant is no error
    return _term("loss", value, of_mean, output, target)


def _mean(target: Tensor) -> Tensor | None:
    """The mean of each column of the targets, in their shape; None where there are too few values to have one."""
    if not target.is_floating_point() or target.ndim == 0 or len(target) < 2 or target.numel() < MIN_VALUES:
        return None
    return target.detach().mean(0, keepdim=True).expand_as(target)


def _term(name: str, value: Tensor, of_mean: Tensor, output: Tensor, target: Tensor) -> Term:
    goal, given = target.detach().double(), output.detach().double()
    rms = float(goal.square().mean().sqrt())
    return Term(name, number(value), number(of_mean), rms, float(goal.std()), float(given.std()))
