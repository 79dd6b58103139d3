"""The colours and sizes of pictures, for light and for dark paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TITLE, TEXT, SMALL = 11.5, 9.5, 8.5  # points


class Theme(StrEnum):
    """What --theme takes."""

    light = "light"
    dark = "dark"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that the colour-blind tell apart, and that differ in grey print, too (Okabe and Ito, 2008)."""

    paper: str
    ink: str
    faint: str
    grid: str
    train: str
    validation: str
    test: str
    rate: str
    error: str
    warning: str
    info: str
    several: tuple[str, ...] = ()

    def of(self, split: str) -> str:
        """The colour of a split; what has none is drawn in the rate's."""
        return {"train": self.train, "validation": self.validation, "test": self.test}.get(split, self.rate)

    def severity(self, name: str) -> str:
        """The colour of a severity."""
        return {"error": self.error, "warning": self.warning}.get(name, self.info)


LIGHT = Palette(
    paper="#ffffff",
    ink="#1b1f24",
    faint="#5b6470",
    grid="#e4e7eb",
    train="#0072b2",
    validation="#d55e00",
    test="#007a5a",
    rate="#5b6470",
    error="#b3261e",
    warning="#9a6700",
    info="#0b63a5",
    several=("#0072b2", "#d55e00", "#007a5a", "#b0418e", "#9a6700", "#2f9fd8", "#6a4fb3", "#5f6b00"),
)
DARK = Palette(
    paper="#14171a",
    ink="#eceff2",
    faint="#a3adb8",
    grid="#2c3238",
    train="#56b4e9",
    validation="#e69f00",
    test="#2fc79a",
    rate="#a3adb8",
    error="#ff8a80",
    warning="#f2c744",
    info="#82c4ff",
    several=("#56b4e9", "#e69f00", "#2fc79a", "#f08ccf", "#f2e36b", "#8fb0ff", "#c9a6ff", "#b5c95a"),
)
PALETTES = {Theme.light: LIGHT, Theme.dark: DARK}
