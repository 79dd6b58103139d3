"""The shape of one example, as `--input` takes it."""

from __future__ import annotations

import re

from nndoctor.core.errors import UsageError


def shape_of(text: str | None) -> tuple[int, ...] | None:
    """The sizes in `3x32x32`, `3,32,32`, `3×32×32` or `(3, 32, 32)`. Raises UsageError for anything else.

    >>> shape_of("3x32x32"), shape_of("(3, 32, 32)"), shape_of("20")
    ((3, 32, 32), (3, 32, 32), (20,))
    """
    if text is None:
        return None
    inner = text.strip().removeprefix("(").removesuffix(")").strip().rstrip(",")
    parts = re.split(r"\s*[x×,]\s*|\s+", inner.strip(), flags=re.IGNORECASE)
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"--input expects the shape of one example, such as 3x32x32 or 20; got '{text}'")
    return tuple(map(int, parts))
