"""Common terms for findings: `explain overfitting`, `--select nan`."""

from __future__ import annotations

from collections.abc import Mapping

ALIASES: Mapping[str, tuple[str, ...]] = {
    "overfitting": ("overtraining", "high-variance"),
    "overfit": ("overtraining", "high-variance"),
    "generalization-gap": ("high-variance", "overtraining"),
    "variance": ("high-variance",),
    "early-stopping": ("overtraining",),
    "underfitting": ("high-bias", "not-converged"),
    "underfit": ("high-bias", "not-converged"),
    "bias": ("high-bias",),
    "nan": ("nan-loss", "gradients-not-finite", "nan-in-layer", "inputs-not-finite"),
    "inf": ("nan-loss", "gradients-not-finite", "nan-in-layer", "inputs-not-finite"),
    "divergence": ("diverged",),
    "vanishing": ("vanishing-gradient", "signal-shrinks"),
    "exploding": ("exploding-gradient", "gradient-norm-explodes", "signal-grows"),
    "gradient": ("vanishing-gradient", "exploding-gradient", "gradient-norm-explodes", "gradients-not-finite"),
    "lr": ("lr-too-high", "lr-too-low", "lr-decayed-too-early", "lr-never-decayed", "warmup-unfinished"),
    "learning-rate": ("lr-too-high", "lr-too-low", "lr-decayed-too-early", "lr-never-decayed", "warmup-unfinished"),
    "learning-rate-too-high": ("lr-too-high",),
    "learning-rate-too-low": ("lr-too-low",),
    "warmup": ("warmup-unfinished",),
    "warm-up": ("warmup-unfinished",),
    "decay": ("lr-decayed-too-early", "lr-never-decayed"),
    "leakage": ("train-validation-overlap", "validation-better-than-train", "examples-leak-across-batch"),
    "leak": ("train-validation-overlap", "validation-better-than-train", "examples-leak-across-batch"),
    "label-noise": ("labels-contradict-inputs", "labels-without-signal"),
    "mislabeled": ("labels-contradict-inputs", "labels-without-signal"),
    "dead-neuron": ("dead-relu",),
    "dead-unit": ("dead-relu",),
    "dying-relu": ("dead-relu",),
    "saturation": ("saturated-activation",),
    "plateau": ("plateau-at-start", "stuck-at-chance"),
    "not-learning": ("stuck-at-chance", "plateau-at-start", "no-weight-changes"),
    "spike": ("loss-spikes",),
    "oscillation": ("lr-too-high", "noisy-validation"),
    "initialization": ("initialization-unfit-for-activation", "symmetric-initialization"),
    "imbalance": ("class-imbalance",),
    "shuffling": ("unshuffled-batches", "sawtooth-epochs"),
    "normalization": ("inputs-not-normalized", "targets-not-normalized", "normalization-misplaced"),
    "softmax": ("softmax-before-cross-entropy",),
    "zero-grad": ("gradients-not-reset",),
    "reproducibility": ("not-reproducible",),
    "oom": ("out-of-memory",),
    "crash": ("process-died", "out-of-memory"),
    "collapse": ("entropy-collapse", "reward-collapse"),
    "kl": ("kl-blow-up",),
    "reward-hacking": ("reward-collapse", "kl-blow-up"),
}
"""Common terms, and the rules that they mean, the closest first."""


def names_meant_by(word: str) -> tuple[str, ...]:
    """The names of the rules that a common term means; none where it is not known.

    >>> names_meant_by("Vanishing gradients"), names_meant_by("dead neurons"), names_meant_by("warm-up")
    (('vanishing-gradient',), ('dead-relu',), ('warmup-unfinished',))
    """
    spelled = "-".join(word.lower().replace("_", " ").replace("-", " ").split())
    forms = (spelled, spelled.removesuffix("s"), spelled.removesuffix("ed"))
    found = next((ALIASES[form] for form in forms if form in ALIASES), ())
    if found or not spelled.endswith(("gradients", "gradient")):
        return found
    return ALIASES.get(spelled.removesuffix("s").removesuffix("-gradient"), ())[:1]
