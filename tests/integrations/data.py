"""Small data, a small network and readers of run folders for the tests of the callbacks."""

from __future__ import annotations

import csv

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CLASSES = 3


def examples(n=640):
    """Inputs, and labels that a small network learns."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 12, generator=generator)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def batches(size=64, shuffle=True):
    """A loader of them."""
    return DataLoader(TensorDataset(*examples()), size, shuffle=shuffle)


def network(fault=""):
    """Two hidden layers with ReLU, dead from the start if the fault is so."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, CLASSES))
    if fault == "dead":
        with torch.no_grad():
            net[0].bias.fill_(-20)
            net[2].bias.fill_(-20)
    return net


def rows(folder):
    """The rows of a run folder's table, with numbers where there are any; those of one step joined."""
    found = {}
    with (folder / "run.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            numbers = {name: float(text) for name, text in row.items() if text}
            found.setdefault(int(numbers["step"]), {}).update(numbers)
    return found


def column(folder, name):
    """One column by step."""
    return {step: row[name] for step, row in rows(folder).items() if name in row}
