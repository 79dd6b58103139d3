"""Examples that a generator makes: whether it can reach the values of the real ones, whatever its weights are."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from nndoctor.experiment.data import as_bytes
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import mapped, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.last_layer import ends
from nndoctor.sanity.probes.adversaries import Scores, watched_step
from nndoctor.sanity.probes.bounds import note_outside
from nndoctor.sanity.state import seed


def probe(bench: Bench) -> None:
    """In a step with several optimizers, compare the ends of one network's outputs with the real examples that another takes beside them."""
    step = bench.subject.train_step
    if step is None or not bench.subject.blind:
        return
    watch = watched_step(bench, partial(step, bench.model, bench.batch, bench.optimizer()))
    bench.fresh_start()
    pair = _pair(bench, watch.calls)
    if pair is None:
        return
    made, real = pair
    with unchanged(bench.model):
        found = ends(partial(_again, bench.model.get_submodule(made.path), made), float(real.max() - real.min()))
    if found is not None:
        note_outside(bench, real, found)
        bench.fact("bound_of", made.path)


def _pair(bench: Bench, calls: list[Scores]) -> tuple[Scores, Tensor] | None:
    """The call that made examples, and the real ones of the same form that the network takes which judges them."""
    given = {row for t in tensors(bench.batch) if t.ndim for row in as_bytes(t)}
    for made in calls:
        rows = set(as_bytes(made.given))
        judges = {c.path for c in calls if c.path != made.path and not rows.isdisjoint(as_bytes(c.taken))}
        for call in calls:
            same = call.path in judges and call.taken.shape[1:] == made.given.shape[1:]
            if same and call.taken.is_floating_point() and given.issuperset(as_bytes(call.taken)):
                return made, call.taken.detach().double()
    return None


def _again(network: nn.Module, made: Scores) -> Tensor | None:
    """What the network makes of the same arguments."""
    seed(37)
    network.train()
    places, names = mapped([made.places, made.names], Tensor.detach)
    outputs = tensors(network(*places, **names))
    return outputs[0] if len(outputs) == 1 else None
