"""The one place through which every training of treat, search and learning-curve runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")


def carried_out(do: Callable[[Work], Result], jobs: Iterable[Work]) -> Iterator[Result]:
    """The result of each job, in the order of the jobs, one after the other in this process.

    Jobs and results are plain values, and `do` is a function of a module, so that another engine can take this place.
    """
    for job in jobs:
        yield do(job)
