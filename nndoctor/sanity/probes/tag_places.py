"""Tags of tokens: whether they follow from the token at another place than their own, as after a special token was put in front."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.batches import all_inputs
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.probes.sequences import is_causal

OFFSETS = (-2, -1, 1, 2)
TAGS = 2  # times as many tokens as tags
MASKED = 0.5  # of the tokens: one that stands at so many places hides others
FEWEST = 400  # tags that count
CLEAR = 0.3  # of what is to be told about a tag, that the token at another place tells
LITTLE = 0.4  # times that, which its own token tells


def probe(bench: Bench) -> None:
    """Note the place whose tokens tell the tags, where their own tokens do not; a model that predicts what comes next is causal."""
    target = bench.target(bench.data)
    if target is None or target.is_floating_point() or target.ndim != 2:
        return
    for tokens in all_inputs(bench.data):
        if tokens.is_floating_point() or tokens.shape != target.shape or not _are_tags(target, tokens, bench.ignored):
            continue
        own = _told(tokens, target, 0, bench.ignored)
        found = {k: _told(tokens, target, k, bench.ignored) for k in OFFSETS}
        best = max(found, key=lambda k: found[k])
        if found[best] > CLEAR and own < LITTLE * found[best] and not is_causal(bench):
            bench.fact("tag_offset", best)
            bench.fact("tag_signal", found[best])
            bench.fact("tag_signal_of_own", max(own, 0.0))
            return


def _are_tags(target: Tensor, tokens: Tensor, ignored: int) -> bool:
    """Whether they are of few kinds, and the tokens at their places of many: not what a masked language model is asked for."""
    kept = target != ignored
    kinds, words = len(torch.unique(target[kept])), torch.unique(tokens[kept], return_counts=True)[1]
    return len(words) >= TAGS * kinds and float(words.max()) < MASKED * float(words.sum())


def _told(tokens: Tensor, tags: Tensor, offset: int, ignored: int) -> float:
    """The accuracy above chance, over what is left above it, of the most frequent tag of each token in other examples; 0 for too few."""
    length = tokens.shape[1]
    first, last = max(0, -offset), min(length, length - offset)
    given, wanted = tokens[:, first + offset : last + offset].cpu(), tags[:, first:last].cpu()
    half = len(given) // 2
    kept = wanted != ignored
    if int(kept.sum()) < FEWEST or not half:
        return 0.0
    guess = _most_frequent(given[:half][kept[:half]], wanted[:half][kept[:half]])
    there, right = given[half:][kept[half:]], wanted[half:][kept[half:]]
    chance = float(torch.unique(right, return_counts=True)[1].max()) / max(len(right), 1)
    accuracy = sum(
        guess.get(token, guess[None]) == tag for token, tag in zip(there.tolist(), right.tolist(), strict=True)
    )
    return 0.0 if chance >= 1 else (accuracy / len(right) - chance) / (1 - chance)


def _most_frequent(tokens: Tensor, tags: Tensor) -> dict[int | None, int]:
    """The most frequent tag of each token, and under None that of all."""
    names, rows = torch.unique(tokens, return_inverse=True)
    classes, columns = torch.unique(tags, return_inverse=True)
    counts = torch.zeros(len(names), len(classes))
    counts.index_put_((rows, columns), torch.ones(len(rows)), accumulate=True)
    best: dict[int | None, int] = dict(zip(names.tolist(), classes[counts.argmax(1)].tolist(), strict=True))
    return best | {None: int(classes[counts.sum(0).argmax()])}
