"""Targets that the loss trains as well: those of a teacher that was to stay as it is."""

from __future__ import annotations

from torch import Tensor

from nndoctor.sanity import graph
from nndoctor.sanity.bench import Bench


def probe(bench: Bench) -> None:
    """Note the trained parameters that the target of the only loss is made of, where the outputs are made of others."""
    _, call = bench.subject.observed(bench.batch)
    if call is None or not isinstance(call.target, Tensor) or call.target.grad_fn is None:
        return
    of_output, of_target = (_parameters(bench, one) for one in (call.output, call.target))
    if of_output and of_target and of_output.isdisjoint(of_target):
        bench.fact("trained_with_target", tuple(sorted(of_target)))


def _parameters(bench: Bench, value: Tensor) -> set[str]:
    """The names of the model's parameters that the value depends on, and that the optimizer holds."""
    ends = {id(leaf) for leaf in graph.leaves(value.grad_fn)}
    missed = bench.facts.get("missed_parameters")
    kept = set(missed) if isinstance(missed, tuple) else set()
    return {name for name, p in bench.model.named_parameters() if id(p) in ends and name not in kept}
