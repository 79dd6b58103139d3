"""Findings by family: the tools to be compared have other names for them."""

from __future__ import annotations

UNSTABLE, STUCK, VARIANCE, BIAS, VALIDATION, ORDER = (
    "unstable",
    "learns slowly or not",
    "variance",
    "bias",
    "validation",
    "order",
)
FAMILY = {
    "nan-loss": UNSTABLE,
    "diverged": UNSTABLE,
    "lr-too-high": UNSTABLE,
    "loss-spikes": UNSTABLE,
    "gradient-norm-explodes": UNSTABLE,
    "plateau-at-start": STUCK,
    "lr-too-low": STUCK,
    "lr-decayed-too-early": STUCK,
    "warmup-unfinished": STUCK,
    "adaptive-rate-starved": STUCK,
    "not-converged": STUCK,
    "impossible-loss": STUCK,
    "high-variance": VARIANCE,
    "overtraining": VARIANCE,
    "high-bias": BIAS,
    "noisy-validation": VALIDATION,
    "validation-equals-train": VALIDATION,
    "validation-better-than-train": VALIDATION,
    "sawtooth-epochs": ORDER,
}
