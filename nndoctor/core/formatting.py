"""How numbers read in a message: losses, shares, steps."""

from __future__ import annotations

from collections.abc import Sequence

MAX_DIGITS = 8  # significant digits that may be needed to print two different numbers differently
MAX_FACTOR = 1000.0  # a larger ratio says only that one of the two numbers is next to nothing


def number(value: float, digits: int = 4) -> str:
    """Four significant digits at most: `0.3127`, `2.3`, `1.2e-05`, `63000`.

    >>> number(0.312749), number(541.26), number(63_214.7), number(1234567.0)
    ('0.3127', '541.3', '63215', '1.235e+06')
    """
    if 10.0 ** (digits - 1) <= abs(value) < 100_000:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def distinct(*values: float) -> tuple[str, ...]:
    """The numbers with as many digits as it takes to see that they differ, where they do.

    >>> distinct(2.21501, 2.21513), distinct(0.5, 0.5)
    (('2.215', '2.2151'), ('0.5', '0.5'))
    """
    different = len(set(values))
    for digits in range(4, MAX_DIGITS + 1):
        texts = tuple(number(value, digits) for value in values)
        if len(set(texts)) == different:
            break
    return texts


def factor(larger: float, smaller: float) -> str:
    """How many times as large one positive number is as another, empty where that says nothing: `2.4×`, `31×`.

    >>> factor(0.2031, 0.0852), factor(31.0, 1.0), factor(1.0, 1e-9)
    ('2.4×', '31×', '')
    """
    if smaller <= 0 or not 1.0 <= larger / smaller <= MAX_FACTOR:
        return ""
    return f"{larger / smaller:.2g}×" if larger / smaller < 10 else f"{larger / smaller:.0f}×"


def rough(value: float, digits: int = 2) -> str:
    """Two significant digits, where more would be noise: `0.031`, `24000`.

    >>> rough(0.03127), rough(23_871.0)
    ('0.031', '24000')
    """
    return number(float(f"{value:.{digits}g}"))


def in_words(value: float | str | bool | None) -> str:
    """A value of a finding's evidence.

    >>> in_words(0.312749), in_words(123_456), in_words(True), in_words("fc1"), in_words(None)
    ('0.3127', '123456', 'yes', 'fc1', '–')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "–"
    return number(value) if isinstance(value, float) else str(value)


def percent(share: float) -> str:
    """A share of one: `11%`, `0.5%`."""
    value = round(100 * share, MAX_DIGITS)  # 0.4 * 0.2 is not quite 0.08
    return f"{value:.0f}%" if abs(value) >= 9.95 or not value % 1 else f"{value:.1f}%"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "run"), plural(3, "other layer")
    ('1 run', '3 other layers')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def type_of(value: object) -> str:
    """The type of a value with its article, for a message: `an int`, `a list`."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def step(value: float) -> str:
    """A step or an epoch: `12`, `0.5`."""
    return f"{value:.0f}" if not value % 1 else f"{value:.2f}".rstrip("0").rstrip(".")


def in_all(count: int) -> str:
    """Where something is that is in all values.

    >>> in_all(1), in_all(12)
    ('in its only value', 'in all 12 values')
    """
    return "in its only value" if count == 1 else f"in all {count} values"


def place(axis: str, value: float) -> str:
    """A step with what it counts: `epoch 12`, `step 410`."""
    return f"{axis} {step(value)}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
