"""A few training steps as the user would take them, with the recorder attached."""

from __future__ import annotations

import math
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_pre_hook

from nndoctor.core.recorded import layer_series, recorded_facts
from nndoctor.core.run_folder import LAYERS, blocks, facts
from nndoctor.core.series import Series
from nndoctor.recorder import Recorder
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.probes.ends import dead_ends, unused_in_library, without_effect
from nndoctor.sanity.user_step import any_gradient

STEPS = 40
LONG = 0.05  # of the budget: a step that takes so long is measured once
LONG_ON_ACCELERATOR = 0.5
EVERY = 8  # the recorder samples steps 0, 8, 16 …


def probe(bench: Bench) -> None:
    """Train at the configured rate; the layers' statistics, the loss and the facts of the recorder join the run."""
    count = min(STEPS, max(3, int(0.1 * bench.clock.left / max(bench.step_time, 1e-4))))
    with tempfile.TemporaryDirectory(prefix="nndoctor-") as folder:
        path = Path(folder) / "run"
        bench.fresh_start()
        optimizer = bench.optimizer()
        bench.model.train()
        touched: set[str] = set()
        losses: list[float] = []
        names = {id(p): n for n, p in bench.model.named_parameters()}

        def felt(given: torch.optim.Optimizer, *_: object) -> None:
            held = (p for group in given.param_groups for p in group["params"])
            touched.update(
                names[id(p)] for p in held if id(p) in names and names[id(p)] not in touched and _any(p.grad)
            )

        handle = register_optimizer_step_pre_hook(felt)
        try:
            with Recorder(bench.model, optimizer, path, every=EVERY, quiet=True) as recorder:
                for batch in islice(
                    cycle(bench.batches), 0 if bench.facts.get("loss_has_gradient") is False else count
                ):
                    losses.append(bench.train(batch, optimizer))
                    touched |= {n for n, p in bench.model.named_parameters() if n not in touched and _any(p.grad)}
                    recorder.step(losses[-1])
                    if not math.isfinite(losses[-1]):
                        break
        finally:
            handle.remove()
        _take(bench, path, losses)
    _gradients(bench, touched)


def measured(bench: Bench) -> None:
    """The time of one step: forward, backward, update; measured on the second of two where there is time.

    The first one on an accelerator loads its libraries, and says nothing about the time of a step.
    """
    optimizer = bench.optimizer()
    long = LONG if bench.subject.device.type == "cpu" else LONG_ON_ACCELERATOR
    for _ in range(2):
        began = time.perf_counter()
        bench.train(bench.batch, optimizer)
        bench.step_time = time.perf_counter() - began
        if bench.step_time > long * bench.clock.budget:
            break
    bench.fresh_start()
    if not bench.subject.blind:
        with torch.enable_grad():
            bench.fact("loss_has_gradient", bench.subject.run(bench.batch).loss.requires_grad)
    bench.fresh_start()


def _any(gradient: Tensor | None) -> bool:
    """Whether there is a gradient other than zero."""
    return gradient is not None and any_gradient(gradient)


def _gradients(bench: Bench, touched: set[str]) -> None:
    """Which parameters never had a gradient, and which only a zero one."""
    absent: list[str] = []
    zero: list[str] = []
    for name, p in bench.model.named_parameters():
        if p.requires_grad and name not in touched:
            (absent if p.grad is None else zero).append(name)
    idle, spare = dead_ends(bench, absent), unused_in_library(bench.model, absent)
    bench.fact("dead_ends", tuple(n for n in absent if n in idle))
    bench.fact("spare_parameters", tuple(n for n in absent if n in spare))
    bench.fact("no_gradient", tuple(n for n in absent if n not in idle | spare))
    bench.fact("zero_gradient", tuple(zero))
    bench.fact("layers_without_effect", tuple(without_effect(bench, zero)) if zero and not bench.subject.blind else ())


def _take(bench: Bench, folder: Path, losses: list[float]) -> None:
    """The losses, the layers and the facts that the recorder wrote."""
    # What a step with several optimizers returns is no loss that falls, but it has to be a number.
    if not bench.subject.blind or not all(map(math.isfinite, losses)):
        bench.series["train/loss"] = Series.of("train/loss", losses)
    layers = folder / LAYERS
    if layers.is_file():
        bench.series.update(layer_series(list(blocks(layers))))
    for name, fact in recorded_facts(facts(folder)).items():
        bench.facts.setdefault(name, fact.value)
