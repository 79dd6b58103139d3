"""Reads and writes the zoo's files: one JSON object a line, packed with xz."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SPLITS = ("tuning", "testing")
FOLDER = Path(__file__).resolve().parent


def read(path: Path) -> list[dict[str, Any]]:
    """All runs of a packed file."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load(folder: Path, split: str) -> list[dict[str, Any]]:
    """The runs of a split: packed, or as far as they have been made."""
    packed = folder / f"{split}.jsonl.xz"
    return read(packed) if packed.exists() else list(lines(folder / f"{split}.jsonl"))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file that is being written; a torn last one is left out."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    yield from (json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n"))


def pack(path: Path, order: Sequence[str]) -> None:
    """Packs the runs in the given order, and removes the loose file."""
    found = {line["id"]: line for line in lines(path)}
    with lzma.open(path.with_name(path.name + ".xz"), "wt", encoding="utf-8", preset=9) as file:
        file.writelines(json.dumps(found[name], separators=(",", ":")) + "\n" for name in order)
    path.unlink()


def csv_text(columns: dict[str, list[Any]], share: float = 1.0) -> str:
    """A log as CSV, or its first rows only, as it stood after a share of the run; an empty cell where nothing was logged."""
    rows = list(zip(*columns.values(), strict=True))
    kept = rows[: max(1, round(share * len(rows)))]
    return "\n".join(",".join("" if v is None else str(v) for v in row) for row in [tuple(columns), *kept]) + "\n"
