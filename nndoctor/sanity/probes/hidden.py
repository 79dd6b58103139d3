"""Parameters that the loss depends on and that neither the model nor any optimizer knows: layers in a plain Python list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from torch import nn

from nndoctor.sanity import graph
from nndoctor.sanity.bench import Bench


def probe(bench: Bench) -> None:
    """Note how many such parameters the loss leads back to, how many numbers they have, and where the model keeps them."""
    loss = bench.subject.run(bench.batch).loss
    held = _held(bench)
    if not loss.requires_grad or not held:
        return
    known = held | {id(p) for p in bench.model.parameters()}
    hidden = [t for t in graph.leaves(loss.grad_fn) if isinstance(t, nn.Parameter) and id(t) not in known]
    if not hidden:
        return
    wanted = {id(p) for p in hidden}
    bench.fact("hidden_parameters", len(hidden))
    bench.fact("hidden_numbers", sum(p.numel() for p in hidden))
    parts = [each for each in (bench.subject.loss, bench.subject.file_loss) if isinstance(each, nn.Module)]
    bench.fact("hidden_of_loss", any(_holds(each, wanted) for each in parts))
    bench.fact("hidden_in", next((path for path, held in _containers(bench.model) if _holds(held, wanted)), ""))


def _held(bench: Bench) -> set[int]:
    """The parameters, by id, of every optimizer that is known."""
    given = (bench.subject.optimizer, *(stranger for stranger, _ in bench.strangers.values()))
    return {id(p) for each in given if each is not None for group in each.param_groups for p in group["params"]}


def _containers(model: nn.Module) -> Iterator[tuple[str, object]]:
    """The lists, tuples and dicts among the attributes of a model and its layers, by their path."""
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, (list, tuple)) or (isinstance(value, dict) and not name.startswith("_")):
                yield f"{path}.{name}".lstrip("."), value


def _holds(value: object, wanted: set[int]) -> bool:
    """Whether one of the parameters is among the values, or belongs to a layer among them."""
    if isinstance(value, nn.Module):
        return any(id(p) in wanted for p in value.parameters())
    if isinstance(value, nn.Parameter):
        return id(value) in wanted
    inner: Iterable[object] = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    )
    return any(_holds(each, wanted) for each in inner)
