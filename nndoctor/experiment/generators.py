"""Generators of random numbers that a script keeps for itself, as `rng = np.random.default_rng(0)`: they follow the seed of all."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import torch

LARGEST = 2**31 - 1
KINDS = (np.random.Generator, np.random.RandomState, torch.Generator, random.Random)


def follow_seed(variables: Iterable[object]) -> None:
    """Seed the generators among variables with a number that torch draws: where torch draws the same, so do they."""
    own = [value for value in variables if isinstance(value, KINDS)]
    if not own:
        return
    number = int(torch.randint(LARGEST, ()))
    for generator in own:
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = type(generator.bit_generator)(number).state
        elif isinstance(generator, torch.Generator):
            generator.manual_seed(number)
        else:
            generator.seed(number)
