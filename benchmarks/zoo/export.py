"""Writes the runs of a split as the files that a tool would be given: a CSV each, and the labels beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.zoo.expected import FINDINGS, Expected
from benchmarks.zoo.store import csv_text


def export(lines: Iterable[dict[str, Any]], folder: Path) -> None:
    """`<id>.csv` for every labelled run, and labels.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for line in lines:
        if line["status"] != "labelled":
            continue
        name = f"{line['id']}.csv"
        (folder / name).write_text(csv_text(line["log"]), encoding="utf-8")
        rows.append(json.dumps({"file": name, **_labels(line)}))
    (folder / "labels.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _labels(line: dict[str, Any]) -> dict[str, Any]:
    expected = Expected.of(line)
    return {
        "planted": line["planted"],
        "healthy": expected.healthy,
        "primary": expected.primary,
        "labels": {name: expected.truth(name) for name in FINDINGS},
        "strong": line["strong"],
        "weak": line["weak"],
        "accept": sorted(expected.accepted - {"healthy"}),
        "undecidable": line["undecidable"],
        "gains": line["gains"],
        "facts": line["facts"],
        "workload": f"{line['workload']} ({line['net']})",
        "optimizer": line["optimizer"],
        "settings": line["settings"],
    }
