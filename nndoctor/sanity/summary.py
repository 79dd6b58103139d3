"""What the probes measured apart from faults, in a line each: the usable learning rates, and what a step costs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sized

import torch

from nndoctor.core.formatting import rough
from nndoctor.sanity.batches import size
from nndoctor.sanity.bench import Bench

BOTTLENECK = 1.0  # times a step's own time that reading its batch may take


def lines(bench: Bench) -> Iterator[str]:
    """The notes at the end of a report."""
    yield from _rates(bench)
    yield from _cost(bench)


def _rates(bench: Bench) -> Iterator[str]:
    names = ("lr_low", "lr_high", "lr_suggested", "lr_suggested_low", "lr_suggested_high")
    found = [float(v) for n in names if isinstance(v := bench.facts.get(n), (int, float))]
    if len(found) < len(names):
        return
    low, high, best, least, most = (rough(v) for v in found)
    seeds = bench.facts.get("lr_seeds")
    spread = f"; {least}–{most} over {seeds} seeds" if least != most else ""
    who = "" if bench.subject.optimizer is not None else " (Adam)"
    if low == high:
        yield f"Usable learning rate{who}: about {best}{spread}"
    else:
        yield f"Usable learning rates{who}: {low}–{high} (fastest: {best}{spread})"


def _cost(bench: Bench) -> Iterator[str]:
    if not bench.step_time:
        return
    examples = size(bench.batch)
    step, load = bench.step_time, bench.load_time
    bench.fact("step_seconds", step)
    bench.fact("load_seconds", load)
    bench.fact("peak_memory", _memory(bench))
    text = f"{_time(step)}/step"
    if examples:
        bench.fact("examples_per_second", examples / max(step, load))
        text += f" · {examples / max(step, load):,.0f} examples/s"
    batches = len(bench.subject.train) if isinstance(bench.subject.train, Sized) else _batches(bench)
    if batches:
        bench.fact("epoch_seconds", batches * (step + load))
        text += f" · {_time(batches * (step + load))}/epoch"
    memory = bench.facts["peak_memory"]
    if isinstance(memory, int) and memory:
        text += f" · peak memory {memory / 2**20:,.0f} MiB"
    bound = "the data loader is the bottleneck" if load > BOTTLENECK * step else "compute-bound"
    yield f"{text} · {_time(load)} to load a batch ({bound})"


def _batches(bench: Bench) -> int | None:
    found = getattr(bench.subject.train, "number", None)
    return found if isinstance(found, int) else None


def _memory(bench: Bench) -> int:
    """Bytes at the peak: of the device, else of the process; 0 where the system does not tell."""
    if bench.subject.device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(bench.subject.device))
    if importlib.util.find_spec("resource") is None:  # Windows
        return 0
    resource = importlib.import_module("resource")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def _time(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
