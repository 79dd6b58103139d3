"""Runs that print into one log at the same time: their epochs take turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.statistics import Array
from nndoctor.readers.tables.table import Rows

MAX_RUNS, MIN_EPOCHS = 4, 4  # runs at a time, and epochs of each
MIN_TURNS = 6  # times that a row is of another run than the one before it


def taking_turns(rows: Rows, axis: Array, told: Sequence[NDArray[np.bool_]]) -> list[Rows]:
    """The rows of each of several runs whose epochs take turns and follow each other without a gap; all rows where they do not.

    `told` says which rows hold each loss or metric. Where none is in all of them, they are lists of one run, as of its training
    and its validation, and its rows are put in order.
    """
    chains = _chains(axis[rows])
    if not 1 < len(chains) <= MAX_RUNS or min(map(len, chains)) < MIN_EPOCHS or _turns(chains) < MIN_TURNS:
        return [rows]
    found = [rows[np.asarray(chain)] for chain in chains]
    alike = any(all(held[part].any() for part in found) for held in told)
    return found if alike else [rows[np.argsort(axis[rows], kind="stable")]]


def _chains(epochs: Array) -> list[list[int]]:
    """The places of each count from 0 or 1 on; none where an epoch neither begins a count nor goes on with one."""
    chains: list[list[int]] = []
    for at, epoch in enumerate(epochs.tolist()):
        waiting = [chain for chain in chains if epochs[chain[-1]] == epoch - 1]
        if waiting:
            min(waiting, key=lambda chain: chain[-1]).append(at)
        elif epoch in (0, 1) and len(chains) < MAX_RUNS:
            chains.append([at])
        else:
            return []
    return chains


def _turns(chains: list[list[int]]) -> int:
    """How often a row is of another run than the one before it."""
    run_of = {at: k for k, chain in enumerate(chains) for at in chain}
    return sum(run_of[at] != run_of[at - 1] for at in range(1, len(run_of)))
