"""The gradients of a sampled step, before they are copied to the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Pieces:
    """Values of some weights end to end: the rows of the weights, and how many values there are of each."""

    rows: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    values: Tensor | None = None

    def of(self, rows: set[int]) -> Pieces:
        """Those of some of the weights."""
        chosen = [k for k, row in enumerate(self.rows) if row in rows]
        if self.values is None or not chosen:
            return Pieces()
        pieces = torch.split_with_sizes(self.values, self.lengths)
        values = torch.cat([pieces[k] for k in chosen])
        return Pieces([self.rows[k] for k in chosen], [self.lengths[k] for k in chosen], values)

    @classmethod
    def joined(cls, parts: Sequence[Pieces]) -> Pieces:
        """The pieces of different weights as one."""
        values = [part.values for part in parts if part.values is not None]
        rows, lengths = chain.from_iterable(p.rows for p in parts), chain.from_iterable(p.lengths for p in parts)
        return cls([*rows], [*lengths], torch.cat(on_one_device(values)) if values else None)


@dataclass(frozen=True, slots=True)
class Gradients:
    """Of one backward pass: all values of the small gradients, of the large ones the norms, and stretches of their matrices."""

    small: Pieces = field(default_factory=Pieces)
    norms: Pieces = field(default_factory=Pieces)
    stretches: Pieces = field(default_factory=Pieces)

    @property
    def rows(self) -> list[int]:
        """All weights with a gradient."""
        return self.small.rows + self.norms.rows

    def whole(self) -> Tensor | None:
        """Norms whose squares add up to that of the whole gradient."""
        parts = [] if self.small.values is None else [torch.linalg.vector_norm(self.small.values).view(1)]
        parts += [] if self.norms.values is None else [self.norms.values]
        return torch.cat(on_one_device(parts)) if parts else None

    def of(self, rows: set[int]) -> Gradients:
        """Those of some of the weights."""
        return Gradients(self.small.of(rows), self.norms.of(rows), self.stretches.of(rows))

    @classmethod
    def joined(cls, parts: Sequence[Gradients]) -> Gradients:
        """Gradients of different weights as one."""
        return cls(
            Pieces.joined([part.small for part in parts]),
            Pieces.joined([part.norms for part in parts]),
            Pieces.joined([part.stretches for part in parts]),
        )


def on_one_device(pieces: list[Tensor]) -> list[Tensor]:
    """Pieces of one type and device, so that they can be joined."""
    first = pieces[0]
    if all(p.dtype is first.dtype and p.device == first.device for p in pieces):
        return pieces if first.dtype is torch.float32 else [p.float() for p in pieces]
    return [p.to(first.device, torch.float32) for p in pieces]
