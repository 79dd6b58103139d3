"""How numbers read in a message: losses, shares, steps."""

from __future__ import annotations

from nndoctor.core.series import Series


def number(value: float) -> str:
    """Four significant digits at most: `0.3127`, `2.3`, `1.2e-05`, `63000`.

    >>> number(0.312749), number(2.30), number(1234567.0)
    ('0.3127', '2.3', '1.235e+06')
    """
    if abs(value) >= 100 and abs(value) < 100_000:
        return f"{value:.0f}"
    return f"{value:.4g}"


def rough(value: float, digits: int = 2) -> str:
    """Two significant digits, where more would be noise: `0.031`, `24000`.

    >>> rough(0.03127), rough(23_871.0)
    ('0.031', '24000')
    """
    return number(float(f"{value:.{digits}g}"))


def percent(share: float) -> str:
    """A share of one: `11 %`, `0.5 %`."""
    value = 100 * share
    return f"{value:.0f} %" if abs(value) >= 9.95 or value == round(value) else f"{value:.1f} %"


def step(value: float) -> str:
    """A step or an epoch: `12`, `0.5`."""
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}".rstrip("0").rstrip(".")


def ending(series: Series) -> str:
    """`2.3 -> 0.41`."""
    return f"{number(series.first)} -> {number(series.last)}"
