"""How an image, or a map that belongs to it, is turned without a change of its pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn does to an image, in words (`flips left and right of`), what the image then is, and the turn of the last two dimensions."""

    verb: str
    state: str
    act: Callable[[Tensor], Tensor]


TURNS = (
    Turn("flips left and right of", "flipped left and right", lambda t: t.flip(-1)),
    Turn("flips top and bottom of", "flipped top and bottom", lambda t: t.flip(-2)),
    Turn("turns (by 180°)", "turned by 180°", lambda t: t.flip(-1, -2)),
    Turn("turns (by 90°)", "turned by 90°", lambda t: t.rot90(1, (-2, -1))),
    Turn("turns (by -90°)", "turned by -90°", lambda t: t.rot90(-1, (-2, -1))),
)
TRANSPOSITIONS = (
    Turn("transposes", "transposed", lambda t: t.transpose(-1, -2)),
    Turn("transposes and turns", "transposed and turned", lambda t: t.transpose(-1, -2).flip(-1, -2)),
)
"""No augmentation, but how maps are read in another order."""
