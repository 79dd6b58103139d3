"""Which remedies treat which cause, so that the first remedy of a finding treats its first cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndoctor.core.finding import Cause

TREATMENTS: Mapping[str, tuple[str, ...]] = {
    "learning rate too high": (
        "cap-the-rate",
        "lower-learning-rate",
        "lower-learning-rate-for-policies",
        "warm-up",
        "clip-gradients",
    ),
    "learning rate too low": ("raise-learning-rate", "learning-rate-range-test"),
    "learning rate zero": ("check-the-schedule",),
    "decayed too early": ("decay-later",),
    "warm-up": ("shorten-warm-up",),
    "warmup": ("shorten-warm-up",),
    "adagrad": ("adam", "rmsprop"),
    "batch too small": ("larger-batch",),
    "training too short": ("train-longer",),
    "network too small": ("larger-network", "other-architecture"),
    "too small a network": ("larger-network", "other-architecture"),
    "regularization too strong": ("less-regularization",),
    "noise that no network": ("set-target-error",),
    "label noise": ("set-target-error", "check-labels"),
    "labels": ("check-labels",),
    "wrong loss": ("fit-loss-to-output",),
    "nan in the data": ("check-finite-data",),
    "outside": ("guard-the-loss",),
    "half precision": ("full-precision", "rescale-loss"),
    "no labels": ("check-labels", "check-loaded-labels", "fix-label-masks"),
    "not reset": ("zero-gradients",),
    "bad batch": ("find-the-bad-batch",),
    "weights not trained": ("check-the-step", "give-all-parameters"),
    "without gradient": ("check-the-step", "reattach"),
    "output's weights": ("smaller-head",),
    "output's bias": ("bias-at-the-mean",),
    "weights too": ("he-initialization", "xavier-initialization", "batch-normalization"),
    "initialization": ("he-initialization", "xavier-initialization"),
    "dead units": ("leaky-relu", "he-initialization"),
    "sigmoids": ("relu", "relu-in-hidden-layers"),
    "saturated": ("batch-normalization", "xavier-initialization"),
    "depth": ("shortcuts", "batch-normalization", "fewer-layers"),
    "the inputs": ("normalize-inputs", "check-inputs"),
    "inputs not normalized": ("normalize-inputs",),
    "targets not": ("normalize-targets",),
    "validation set too small": ("larger-validation-set",),
    "normalization statistics": ("average-weights",),
    "not averaged": ("wrap-the-model",),
    "training only": ("evaluate-train-in-eval-mode",),
    "averaged over the epoch": ("evaluate-train-in-eval-mode",),
    "leaked": ("check-overlap",),
    "the learning rate": ("lower-learning-rate", "lower-learning-rate-for-policies", "warm-up"),
    "the bias": ("zero-biases",),
}
"""Words in a cause's name, and the remedies that treat it, the best first. What a cause names first counts."""


def treatments(cause: Cause) -> tuple[str, ...]:
    """The remedies that treat a cause; none where no word of its name is known."""
    name = cause.name.lower()
    places = {words: name.find(words) for words in TREATMENTS if words in name}
    return TREATMENTS[min(places, key=lambda words: places[words])] if places else ()


def prescribed(causes: Sequence[Cause], remedies: Sequence[str]) -> tuple[str, ...]:
    """The names of the remedies, those that treat the likeliest cause first.

    If none of them treats it, its best treatment is put first.
    """
    if not causes:
        return tuple(remedies)
    best = treatments(causes[0])
    fitting = [name for name in remedies if name in best] or list(best[:1])
    return tuple(dict.fromkeys((*fitting, *remedies)))
