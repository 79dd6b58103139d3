"""The layer nearest to the loss: whether it keeps its initial weights while the layers before it are trained."""

from __future__ import annotations

from torch import nn

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.graph import walk
from nndoctor.sanity.probes.frozen import as_initialized, holders
from nndoctor.sanity.reach import fed

MOSTLY = 0.5  # of the weights: where fewer are trained, adapters or prompts are, on purpose


def probe(bench: Bench) -> None:
    """Note the path of an output layer that is not trained though what it takes is: it is frozen, or in no optimizer."""
    trained = _trained(bench)
    if all(id(p) in trained for p in bench.model.parameters()):
        return
    head = _missed_head(bench, trained)
    if head is not None:
        bench.fact("output_layer_untrained", head)
        return
    nearest = _nearest(bench)
    if len(nearest) < 2:
        return
    (path, own), (_, following) = nearest
    if id(own) in trained or id(following) not in trained or _is_embedding(bench.model, own):
        return
    others = [p for p in bench.model.parameters() if p is not own]
    share = sum(p.numel() for p in others if id(p) in trained) / max(sum(p.numel() for p in others), 1)
    if share > MOSTLY and fed(bench, trained, [bench.model.get_submodule(path)]):
        bench.fact("output_layer_untrained", path)


def _missed_head(bench: Bench, trained: set[int]) -> str | None:
    """A layer that no optimizer holds, as it was initialized, that takes what is trained while nothing trained takes what it makes."""
    missed = {id(p) for p in bench.model.parameters() if p.requires_grad} - trained
    heads = holders(bench.model, missed)
    few = len(missed) < MOSTLY * len(list(bench.model.parameters()))
    if not heads or not few or not as_initialized(heads.values()):
        return None
    others = holders(bench.model, trained).values()
    ends = fed(bench, trained, heads.values()) and not fed(bench, missed, others)
    return next(iter(heads)) if ends else None


def _trained(bench: Bench) -> set[int]:
    """The parameters with requires_grad that an optimizer holds; without a given optimizer all of them."""
    wanted = {id(p) for p in bench.model.parameters() if p.requires_grad}
    given = bench.subject.optimizer
    if given is None:
        return wanted
    every = [given, *(one for one, _ in bench.strangers.values())]
    return wanted & {id(p) for one in every for group in one.param_groups for p in group["params"]}


def _nearest(bench: Bench) -> list[tuple[str, nn.Parameter]]:
    """The two weight matrices nearest to the loss, each with its layer's path, as if nothing was frozen."""
    names = {id(p): n.rpartition(".")[0] for n, p in bench.model.named_parameters()}
    found: dict[str, nn.Parameter] = {}
    try:
        for parameter in bench.model.parameters():
            if parameter.is_floating_point():
                parameter.requires_grad_()
        for node in walk(bench.subject.run(bench.batch).loss, nearest_first=True):
            leaf = getattr(node, "variable", None)
            if isinstance(leaf, nn.Parameter) and id(leaf) in names and leaf.ndim > 1:
                found.setdefault(names[id(leaf)], leaf)
            if len(found) == 2:
                break
    finally:
        bench.fresh_start()
    return list(found.items())


def _is_embedding(model: nn.Module, parameter: nn.Parameter) -> bool:
    """Whether a weight is an embedding's, too: those are frozen on purpose where they were trained before."""
    embeddings = (m for m in model.modules() if isinstance(m, (nn.Embedding, nn.EmbeddingBag)))
    return any(m.weight is parameter for m in embeddings)
