"""Whether output and target have shapes that broadcast: (N, 1) against (N,) makes N × N differences of N."""

from __future__ import annotations

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import broadcast


def probe(bench: Bench) -> None:
    """One pass in which torch's losses and the arithmetic before them are watched."""
    observer, _ = bench.subject.observed(bench.batch)
    bench.fact("shapes_watched", value=True)
    if observer.broadcasts:
        first, second = observer.broadcasts[0]
        bench.fact("broadcast_shapes", (_words(first), _words(second)))
        bench.fact("broadcast_to", _words(broadcast(first, second)))


def _words(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
