"""The training split on disk: one packed file of lines a batch, written from its curves, and all of them as one."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.zoo import raw, records
from benchmarks.zoo.store import FOLDER, read

__all__ = ["FOLDER", "load", "pack", "views", "write"]

PLANNED = 320  # batches
PACKED = 40  # batches a committed file
EMPTY = 32  # bytes of a packed file without lines


def write(curves: Path, folder: Path) -> int:
    """Writes the lines of every batch that was trained and not yet written; how many there were."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for path in sorted(curves.glob("batch-*.pkl.xz")):
        target = folder / f"{path.name.split('.')[0]}.jsonl.xz"
        if not target.exists():
            _dump(target, records.lines(raw.kept(path)))
            count += 1
    return count


def _dump(target: Path, lines: Iterator[dict[str, Any]]) -> None:
    """A reader sees the whole file or none."""
    part = target.with_suffix(".part")
    with lzma.open(part, "wt", encoding="utf-8", preset=6) as file:
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    part.replace(target)


def pack(folder: Path, target: Path) -> None:
    """The shards of all batches as a few files, so that a repository can hold them: xz streams may stand one after another."""
    shards = [path for path in sorted(folder.glob("batch-*.jsonl.xz")) if path.stat().st_size > EMPTY]
    for n, start in enumerate(range(0, len(shards), PACKED)):
        some = shards[start : start + PACKED]
        (target / f"training-{n:02d}.jsonl.xz").write_bytes(b"".join(path.read_bytes() for path in some))


def load(folder: Path) -> Iterator[dict[str, Any]]:
    """All lines of the training split, packed or not."""
    for path in sorted([*folder.glob("training-*.jsonl.xz"), *folder.glob("batch-*.jsonl.xz")]):
        yield from read(path)


def views(line: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The run under each of its logs, as lines of their own: what belongs to the log is replaced, the rest shared."""
    common = {k: v for k, v in line.items() if k != "views"}
    yield common
    for view in line.get("views", ()):
        yield {k: v for k, v in common.items() if k != "part"} | view
