"""A canvas of braille characters: each cell holds two by four dots."""

from __future__ import annotations

from collections.abc import Iterable

# The bit of each dot in a braille cell, by its row and column (Unicode standard, block 2800).
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Canvas:
    """Dots on `width` by `height` characters; the origin is the lower left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._cells = [[0] * width for _ in range(height)]

    @property
    def across(self) -> int:
        """Dots in a row."""
        return 2 * self.width

    @property
    def up(self) -> int:
        """Dots in a column."""
        return 4 * self.height

    def dot(self, x: int, y: int) -> None:
        """Set one dot; dots outside the canvas are ignored."""
        if 0 <= x < self.across and 0 <= y < self.up:
            row = self.height - 1 - y // 4
            self._cells[row][x // 2] |= BITS[3 - y % 4][x % 2]

    def column(self, x: int, low: int, high: int, every: int = 1) -> None:
        """Set the dots from low to high in one column, every second one for a dotted line."""
        for y in range(low, high + 1):
            if every == 1 or (x + y) % every == 0:
                self.dot(x, y)

    def rows(self) -> Iterable[str]:
        """The characters, top row first; an empty cell is a blank."""
        for row in self._cells:
            yield "".join(chr(0x2800 + cell) if cell else " " for cell in row)

    def plain_rows(self, mark: str) -> Iterable[str]:
        """The same with one plain character for every cell that holds a dot, where braille cannot be shown."""
        for row in self._cells:
            yield "".join(mark if cell else " " for cell in row)


def merged(below: str, above: str) -> str:
    """Two characters in one cell: their dots together, or the upper one."""
    if above == " ":
        return below
    if _is_braille(below) and _is_braille(above):
        return chr(ord(below) | ord(above))
    return above


def _is_braille(character: str) -> bool:
    return "\u2800" <= character <= "\u28ff"
