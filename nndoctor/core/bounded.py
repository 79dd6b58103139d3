"""A memo of bounded size."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(dict[K, V]):
    """A dict of at most so many entries; a new one empties a full one, which costs less than to drop the oldest each time.

    >>> memo: Bounded[str, int] = Bounded(2)
    >>> memo["a"], memo["b"], memo["b"] = 1, 2, 3
    >>> memo["c"] = 4
    >>> memo
    {'c': 4}
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        if len(self) >= self._most and key not in self:
            self.clear()
        super().__setitem__(key, value)
