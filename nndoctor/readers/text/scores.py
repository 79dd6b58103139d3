"""Single numbers that a program prints by name at its end: `val_bpb: 0.9979`."""

from __future__ import annotations

import re

from nndoctor.readers.io.source import Source

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)"
MAX_BYTES = 4 << 20  # bytes at the end of a log that are read


def printed(source: Source, name: str) -> float | None:
    """The last number after a name on a line; None if there is none."""
    if source.is_dir or not source.is_text:
        return None
    with source.open() as file:
        file.seek(max(source.size - MAX_BYTES, 0))
        text = file.read().decode(source.encoding, errors="replace")
    found = re.findall(
        rf"(?:^|[\s|,{{\"'])({re.escape(name)})[\"']?\s*[:=]\s*({NUMBER})\b", text, re.IGNORECASE | re.MULTILINE
    )
    return float(found[-1][1]) if found else None
