"""Counts a split by label, by workload and by status, as a Markdown table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any


def table(split: str, runs: Sequence[dict[str, Any]]) -> str:
    """What one file of the zoo holds."""
    good = [r for r in runs if r["status"] == "labelled"]
    healthy = sum("healthy" in r["strong"] for r in good)
    head = (
        f"{split}: {len(runs)} runs, {len(good)} labelled ({_share(healthy, len(good))} healthy), "
        f"{len(runs) - len(good)} ambiguous ({_share(len(runs) - len(good), len(runs))})"
    )
    strong = Counter(name for r in good for name in r["strong"])
    weak = Counter(name for r in good for name in r["weak"])
    rows = [
        f"| {name} | {strong[name]} | {weak[name]} |"
        for name in sorted({*strong, *weak}, key=lambda n: (-strong[n], n))
    ]
    places = Counter(f"{r['workload']} ({r['net']})" for r in good)
    listed = ", ".join(f"{name} {count}" for name, count in sorted(places.items()))
    return "\n".join([head, "", "| label | strong | weak |", "|---|---|---|", *rows, "", listed, ""])


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.0f} %"
