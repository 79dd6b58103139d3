"""Likelihoods of numbers, as a flow gives them: whether those of all inputs still add up to the same after some training."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import ModelCall, calls_of, outputs_and_loss
from nndoctor.sanity.rewards import source_of
from nndoctor.sanity.state import seed

MAX_DIMENSIONS = 8  # more cannot be added up by chance
POINTS = 20_000  # drawn inputs
WIDE = 2.0  # standard deviations of the data: how widely they are drawn
FREEDOM = 4.0  # degrees of freedom of their distribution
STEPS, SHORTEST = 200, 40
TIME_SHARE = 0.1  # of the time left
GROWN = 2.0  # times the sum at the start
CLEAR = 0.3  # relative standard error of a sum, for each unit by which its logarithm grows
FLOW = re.compile(r"log_?(abs_?)?det|logdet|ldj|jacobian|flow", re.IGNORECASE)
EVEN = 1e-3  # of the mean gradient, as of a likelihood


def probe(bench: Bench) -> None:
    """Only where a model takes one batch of a few numbers and gives one number for each example, or several, whose mean training raises.

    A sum of likelihoods that grows is one of no probabilities; a constant that is missing does not grow.
    """
    steps = int(min(STEPS, TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5)))
    weights = _weights(bench) if steps >= SHORTEST else []
    if not weights:
        return
    masses = []
    for number in (0, steps):
        bench.fresh_start()
        mass = _mass(bench, weights) if bench.trained(number) else None
        if mass is None:
            return
        masses.append(mass)
    (before, _), (after, error) = masses
    if after - before > math.log(GROWN) and error < CLEAR * max(1.0, after - before):
        bench.fact("mass_grown", math.exp(min(after - before, 300.0)))
        bench.fact("mass_steps", steps)


def _weights(bench: Bench) -> list[float]:
    """By what the loss multiplies the mean of each of the model's outputs, without its sign, as those of a log-likelihood; empty where it does something else with them.

    Several outputs may be a base density and a log-determinant, of which one enters with a wrong sign.
    """
    outputs, loss = _outputs(bench)
    if not outputs or (len(outputs) > 1 and not _is_flow(bench)):
        return []
    pulls = [pull for pull in torch.autograd.grad(loss, outputs, allow_unused=True) if pull is not None and _even(pull)]
    weights = [-pull.numel() * float(pull.mean()) for pull in pulls]
    return weights if len(pulls) == len(outputs) and weights[0] > 0 else []


def _outputs(bench: Bench) -> tuple[list[Tensor], Tensor]:
    """The outputs of the only call of the model, where each is one number an example, and the loss."""
    bench.model.train()
    call = _call(bench)
    calls, loss = outputs_and_loss(bench.subject, bench.batch)
    if call is None or len(calls) != 1 or not loss.requires_grad:
        return [], loss
    count = len(_taken(call))
    return calls[0] if all(one.numel() == count and one.requires_grad for one in calls[0]) else [], loss


def _even(pull: Tensor) -> bool:
    """Whether a gradient weighs every example alike."""
    return float(pull.std()) <= EVEN * abs(float(pull.mean()))


def _is_flow(bench: Bench) -> bool:
    return FLOW.search(source_of(bench)) is not None


def _call(bench: Bench) -> ModelCall | None:
    """The only call of the model, where it takes a few numbers an example and nothing else."""
    calls = calls_of(bench.subject, bench.batch)
    given = list(calls[0].tensors.values()) if len(calls) == 1 else []
    if len(given) != 1 or not given[0].is_floating_point() or given[0].ndim != 2 or len(given[0]) < 2:
        return None
    return calls[0] if given[0].shape[1] <= MAX_DIMENSIONS else None


def _taken(call: ModelCall) -> Tensor:
    return next(iter(call.tensors.values())).detach()


@torch.no_grad()
def _mass(bench: Bench, weights: list[float]) -> tuple[float, float] | None:
    """The logarithm of the sum of all likelihoods, by inputs drawn widely around the data, and its standard error; None where they are not finite."""
    call = _call(bench)
    if call is None:
        return None
    data = torch.cat([_taken(calls_of(bench.subject, batch)[0]) for batch in bench.batches])
    mean, spread = data.mean(0), WIDE * data.std(0).clamp_min(1e-6)
    seed(7)
    drawn = torch.distributions.StudentT(FREEDOM, mean, spread)
    points = drawn.sample((POINTS,))
    bench.model.eval()
    places, names = call.changed(next(iter(call.tensors)), lambda _: points)
    try:
        outputs = tensors(bench.model(*places, **names))
    except (RuntimeError, ValueError, IndexError) as error:
        raise ModelFileError(f"the model does not take {POINTS} drawn inputs") from error
    told = torch.stack([w * one.reshape(-1).double() for w, one in zip(weights, outputs, strict=True)]).sum(0)
    logs = told - drawn.log_prob(points).sum(1).double()  # type: ignore[no-untyped-call]
    total = logs.logsumexp(0) - math.log(POINTS)
    ratio = (logs - total).exp()
    return (float(total), float(ratio.std()) / POINTS**0.5) if bool(torch.isfinite(ratio).all()) else None
