"""The names under which scripts have their parts; the first one is that of the contract."""

from __future__ import annotations

MODELS = ("model", "net", "network")
LOSSES = ("loss", "criterion", "loss_fn", "loss_func", "loss_function")
OPTIMIZERS = ("optimizer", "optim", "opt")
