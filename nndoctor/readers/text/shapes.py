"""Lines of one shape are parsed once; in later lines only the numbers at known places are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nndoctor.core.bounded import Bounded
from nndoctor.readers.text.marks import STAMP
from nndoctor.readers.text.pairs import MAX_LINE, Line
from nndoctor.readers.text.pairs import parse as parsed

MAX_SHAPES = 4096  # line shapes that are remembered
MAX_KINDS = 8  # plans for lines that differ only in the digits of their names
# Digits of other scripts, each different: a number spelled with them occurs only once in a line.
DIGITS = "".join(filter(str.isdecimal, map(chr, range(0x0660, 0xABFA))))
ANY_DIGIT = str.maketrans("123456789", "0" * 9)
NAMED = re.compile(r"(?<=[A-Za-z_@])\d+|(?<=[A-Za-z]-)\d+")  # digits that belong to a name: acc5, top-1

Place = tuple[str, int, int, str]  # a name, the span of its number, and what follows it: nothing or a percent sign


@dataclass(frozen=True, slots=True)
class LinePlan:
    """The positions of a line's numbers; `fixed` are the digits that are part of names, and must be the same."""

    fixed: tuple[tuple[int, int, str], ...]
    marks: tuple[Place, ...] = ()
    pairs: tuple[Place, ...] = ()
    known: bool = False  # else each such line is parsed for itself

    def fits(self, text: str) -> bool:
        """Whether the names in a line of this shape are the plan's."""
        return all(text[a:b] == digits for a, b, digits in self.fixed)

    def read(self, text: str) -> Line:
        """What a line of this shape and these names says."""
        pairs: dict[str, object] = {name: text[a:b] + sign for name, a, b, sign in self.pairs}
        return Line({name: text[a:b] for name, a, b, _ in self.marks}, pairs)


_PLANS: Bounded[tuple[str, str], list[LinePlan]] = Bounded(MAX_SHAPES)


def parse(text: str, under: str = "") -> Line:
    """As `text_pairs.parse`; what a line says follows from its shape, but for progress bars, lists and shares."""
    if len(text) > MAX_LINE or "\r" in text or "\x08" in text:
        return parsed(text, under)
    shape = (text.translate(ANY_DIGIT), under)
    plans = _PLANS.get(shape)
    if plans is None:  # a shape that occurs once needs no plan
        _PLANS[shape] = []
        return parsed(text, under)
    plan = next((plan for plan in plans if plan.fits(text)), None)
    if plan is None:
        line = parsed(text, under)
        if len(plans) < MAX_KINDS:
            plans.append(_plan(text, under, line))
        return line
    return plan.read(text) if plan.known else parsed(text, under)


def _plan(text: str, under: str, line: Line) -> LinePlan:
    """The positions of a line's numbers: each digit is replaced by a unique one, which shows where a parsed value came from."""
    stamp = STAMP.match(text)
    named = [found.span() for found in NAMED.finditer(text, stamp.end() if stamp else 0)]
    fixed = LinePlan(tuple((a, b, text[a:b]) for a, b in named))
    kept = {k for a, b in named for k in range(a, b)}
    free = [k for k, character in enumerate(text) if "0" <= character <= "9" and k not in kept]
    if line.varies or len(free) > len(DIGITS):
        return fixed
    letters = list(text)
    for digit, k in zip(DIGITS, free, strict=False):
        letters[k] = digit
    plan = _by_probe("".join(letters), under, fixed)
    return plan if plan is not None and plan.read(text) == line else fixed


def _by_probe(probe: str, under: str, fixed: LinePlan) -> LinePlan | None:
    """The plan shown by a line with a unique digit in every place; None if it shows none."""
    line = parsed(probe, under)
    marks, pairs = _places(line.marks, probe), _places(line.pairs, probe)
    if marks is None or pairs is None or line.varies:
        return None
    return replace(fixed, marks=marks, pairs=pairs, known=True)


def _places(values: dict[str, str] | dict[str, object], probe: str) -> tuple[Place, ...] | None:
    """The places of some values; None where one is not as it is spelled."""
    places: list[Place] = []
    for name, value in values.items():
        if not isinstance(value, str):
            return None
        number = value.removesuffix("%")
        at = probe.find(number)
        if at < 0 or probe.count(number) != 1:
            return None
        places.append((name, at, at + len(number), value[len(number) :]))
    return tuple(places)
