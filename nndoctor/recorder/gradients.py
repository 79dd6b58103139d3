"""The gradients of a sampled step, before they are copied to the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(slots=True)
class Gradients:
    """Of one backward pass: which weights have a gradient; of the small ones its values, of the large ones norm and stretch.

    `small` and `large` are their rows, `lengths` those of the small ones; `matrices` are the rows of the stretches, of the
    lengths `stretched`.
    """

    small: list[int]
    lengths: list[int]
    values: Tensor | None
    large: list[int]
    norms: Tensor | None
    matrices: list[int]
    stretched: list[int]
    stretches: Tensor | None

    @property
    def rows(self) -> list[int]:
        """All weights with a gradient."""
        return self.small + self.large

    def whole(self) -> Tensor | None:
        """Norms whose squares add up to that of the whole gradient."""
        parts = [] if self.values is None else [torch.linalg.vector_norm(self.values).view(1)]
        parts += [] if self.norms is None else [self.norms]
        return torch.cat(on_one_device(parts)) if parts else None

    def of(self, rows: set[int]) -> Gradients:
        """Those of some of the weights."""
        small = [k for k, row in enumerate(self.small) if row in rows]
        large = [k for k, row in enumerate(self.large) if row in rows]
        matrices = [k for k, row in enumerate(self.matrices) if row in rows]
        return Gradients(
            [self.small[k] for k in small],
            [self.lengths[k] for k in small],
            _chosen(self.values, self.lengths, small),
            [self.large[k] for k in large],
            _chosen(self.norms, [1] * len(self.large), large),
            [self.matrices[k] for k in matrices],
            [self.stretched[k] for k in matrices],
            _chosen(self.stretches, self.stretched, matrices),
        )


NO_GRADIENTS = Gradients([], [], None, [], None, [], [], None)


def joined(parts: Sequence[Gradients]) -> Gradients:
    """Gradients of different weights as one."""
    return Gradients(
        [row for part in parts for row in part.small],
        [length for part in parts for length in part.lengths],
        _end_to_end([part.values for part in parts]),
        [row for part in parts for row in part.large],
        _end_to_end([part.norms for part in parts]),
        [row for part in parts for row in part.matrices],
        [length for part in parts for length in part.stretched],
        _end_to_end([part.stretches for part in parts]),
    )


def _chosen(values: Tensor | None, lengths: Sequence[int], which: Sequence[int]) -> Tensor | None:
    if values is None or not which:
        return None
    pieces = torch.split_with_sizes(values, list(lengths))
    return torch.cat([pieces[k] for k in which])


def _end_to_end(tensors: Sequence[Tensor | None]) -> Tensor | None:
    found = [tensor for tensor in tensors if tensor is not None]
    return torch.cat(on_one_device(found)) if found else None


def on_one_device(pieces: list[Tensor]) -> list[Tensor]:
    """Pieces of one type and device, so that they can be joined."""
    first = pieces[0]
    if all(p.dtype is first.dtype and p.device == first.device for p in pieces):
        return pieces if first.dtype is torch.float32 else [p.float() for p in pieces]
    return [p.to(first.device, torch.float32) for p in pieces]
