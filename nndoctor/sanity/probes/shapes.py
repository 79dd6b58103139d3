"""What a pass shows of the loss's arguments: shapes that broadcast, as (N, 1) against (N,) does, and blanks as targets."""

from __future__ import annotations

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import broadcast


def probe(bench: Bench) -> None:
    """One pass in which torch's losses and the arithmetic before them are watched."""
    observer, _ = bench.subject.observed(bench.batch)
    bench.fact("shapes_watched", value=True)
    if observer.blanks:
        bench.fact("blank_targets", max(observer.blanks))
    if observer.broadcasts:
        first, second = observer.broadcasts[0]
        bench.fact("broadcast_shapes", (_words(first), _words(second)))
        bench.fact("broadcast_to", _words(broadcast(first, second)))


def _words(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
