"""A schedule that Lightning advances with each batch: whether it leaves a learning rate for half an epoch."""

from __future__ import annotations

from typing import Any

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.user_step import VANISHED

MAX_STEPS = 5000  # that are tried; what lasts longer is no mistake of this kind


def probe(bench: Bench) -> None:
    """Advance the module's schedules through half an epoch, and put them back."""
    trainer = getattr(bench.model, "_trainer", None)  # `trainer` raises an error where there is none
    epoch = int(getattr(bench.subject.train, "number", None) or 0)
    for config in getattr(trainer, "lr_scheduler_configs", ()):
        if config.interval != "step" or config.reduce_on_plateau:
            continue
        calls = min(epoch // 2, MAX_STEPS)
        highest, after = _advanced(config.scheduler, calls, max(int(config.frequency), 1))
        bench.fresh_start()
        if after:
            bench.fact("rate_vanishes_after", after)
            bench.fact("rate_of_epoch", epoch)
            bench.fact("rate_highest", highest)
            return


def _advanced(scheduler: Any, calls: int, every: int) -> tuple[float, int]:  # noqa: ANN401 - one that needs a metric has another signature
    """The highest rate in so many calls, and after how many it has vanished for the rest of them; 0 where it has not."""
    highest, vanished = max(scheduler.get_last_lr()), 0
    for call in range(1, calls + 1):
        if call % every == 0:
            scheduler.step()
        rate = max(scheduler.get_last_lr())
        highest = max(highest, rate)
        vanished = (vanished or call) if rate < VANISHED * highest else 0
    return highest, vanished
