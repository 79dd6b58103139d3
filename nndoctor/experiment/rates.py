"""The learning rates that a schedule gives in steps to come."""

from __future__ import annotations

import copy

from torch.optim.lr_scheduler import LRScheduler

MOST_STEPS = 5000  # of a schedule that are looked at


def rates_ahead(scheduler: LRScheduler, steps: int) -> list[float]:
    """The highest rate now, and after each of so many steps of the schedule, which is put back with the rates themselves."""
    before, found = copy.deepcopy(scheduler.state_dict()), [float(max(scheduler.get_last_lr()))]
    groups = [(group, group["lr"]) for group in scheduler.optimizer.param_groups]
    try:
        for _ in range(steps):
            scheduler.step()
            found.append(float(max(scheduler.get_last_lr())))
    finally:
        scheduler.load_state_dict(before)
        for group, rate in groups:
            group["lr"] = rate
    return found
