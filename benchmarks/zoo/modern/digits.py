"""Scikit-learn's digits as pictures to generate and to encode."""

from __future__ import annotations

from functools import cache

import torch
from sklearn.datasets import load_digits


@cache
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures of 64 pixels from 0 to 1, and their labels."""
    found = load_digits()
    return torch.tensor(found.data / 16, dtype=torch.float32), torch.tensor(found.target)
