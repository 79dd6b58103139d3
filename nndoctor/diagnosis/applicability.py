"""Rules that do not apply to a kind of training: what is normal there would be a fault in supervised learning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nndoctor.analysis.workload import Workload, counts_tokens, workload
from nndoctor.core.bounded import Bounded
from nndoctor.core.report import Skipped
from nndoctor.core.rule import Rule
from nndoctor.core.run import Run

MAX_DIVIDED = 64  # divisions remembered, one for each set of rules and kind of training
BIAS_RULES = frozenset({"high-bias"})
# Losses that do not fall to a floor, or are no measure of progress.
LEVEL_RULES = frozenset(
    {"not-converged", "lr-too-low", "initial-loss-off-chance", "validation-better-than-train", "high-variance"}
)
NOISE_RULES = frozenset(
    {"noisy-validation", "loss-spikes", "sawtooth-epochs", "lr-too-high", "lr-never-decayed", "lr-decayed-too-early"}
)
SUPERVISED_ONLY = BIAS_RULES | LEVEL_RULES | NOISE_RULES | {
    "overtraining", "warmup-unfinished", "no-validation", "plateau-at-start", "diverged", "impossible-loss",
    "loss-exactly-zero", "loss-and-metric-disagree", "gradient-norm-explodes", "metric-at-worst",
    "labels-without-signal", "memorization-staircase", "resume-jump", "adaptive-rate-starved", "no-weight-changes",
    "frozen-parameters", "impossible-metric", "class-imbalance",
}  # fmt: skip
# Trees have neither weights nor an optimizer.
WEIGHT_RULES = frozenset(
    {
        "gradient-norm-explodes", "gradients-not-finite", "adaptive-rate-starved", "loss-scale-collapse",
        "softmax-before-cross-entropy", "train-eval-mismatch", "warmup-unfinished",
    }
)  # fmt: skip
NOT_APPLICABLE: dict[Workload, frozenset[str]] = {
    Workload.REINFORCEMENT: SUPERVISED_ONLY - {"diverged", "no-weight-changes"},
    Workload.GAN: SUPERVISED_ONLY - {"no-weight-changes"},
    Workload.PREFERENCE: BIAS_RULES | LEVEL_RULES | {"noisy-validation", "sawtooth-epochs"},
    Workload.DIFFUSION: BIAS_RULES | NOISE_RULES | {"no-validation"} | LEVEL_RULES - {"not-converged"},
    Workload.VAE: BIAS_RULES | LEVEL_RULES - {"not-converged"},
    Workload.CONTRASTIVE: BIAS_RULES | {"impossible-loss"} | LEVEL_RULES - {"not-converged"},
    Workload.BOOSTING: WEIGHT_RULES,
}
# Rules for one kind of training only; they are not listed for any other.
ONLY_FOR: dict[str, Workload] = {
    **dict.fromkeys(
        (
            "entropy-collapse", "kl-blow-up", "reward-collapse", "no-reward-signal", "truncated-completions",
            "value-function-unfit", "policy-update-too-large",
        ),
        Workload.REINFORCEMENT,
    ),
    **dict.fromkeys(("likelihood-displacement", "preference-saturated"), Workload.PREFERENCE),
    "discriminator-wins": Workload.GAN,
    "posterior-collapse": Workload.VAE,
    "representation-collapse": Workload.CONTRASTIVE,
    "uninformative-loss": Workload.DIFFUSION,
}  # fmt: skip
# Their loss ends at the entropy of the text, which no log knows.
LANGUAGE_MODELS = (Workload.PRETRAINING, Workload.FINE_TUNING)
WORKLOAD_NAMES = {
    Workload.GAN: "a GAN",
    Workload.VAE: "a VAE",
    Workload.DIFFUSION: "a diffusion model",
    Workload.BOOSTING: "boosted trees",
}


def applicable(run: Run, rules: Sequence[Rule]) -> tuple[Sequence[Rule], Sequence[Skipped]]:
    """The rules that apply to the run's workload, and the others with the reason; the same lists for all runs of a kind."""
    kind = workload(run)
    text = counts_tokens(run) or (kind in LANGUAGE_MODELS and not run.judged_by_share)
    known = _DIVIDED.get((id(rules), kind, text))
    if known is None or known[0] is not rules:
        known = _DIVIDED[id(rules), kind, text] = (rules, *_divided(rules, kind, text=text))
    return known[1], known[2]


_DIVIDED: Bounded[tuple[int, Workload, bool], tuple[Sequence[Rule], list[Rule], list[Skipped]]] = Bounded(MAX_DIVIDED)


def _divided(rules: Iterable[Rule], kind: Workload, *, text: bool) -> tuple[list[Rule], list[Skipped]]:
    """The rules that apply to a kind of training, and the others with the reason; `text`: it is judged by its tokens."""
    foreign = NOT_APPLICABLE.get(kind, frozenset()) | (BIAS_RULES if text else frozenset())
    reason = f"does not apply to {WORKLOAD_NAMES.get(kind, str(kind).replace('-', ' '))}"
    rules = [rule for rule in rules if ONLY_FOR.get(rule.name, kind) is kind]
    kept = [rule for rule in rules if rule.name not in foreign]
    return kept, [Skipped(rule.code, rule.name, reason) for rule in rules if rule.name in foreign]


NETWORKS_ONLY = frozenset(
    {
        "dropout", "he-initialization", "xavier-initialization", "random-weights", "leaky-relu", "batch-normalization",
        "shortcuts", "check-the-step", "give-all-parameters", "reattach", "larger-batch", "warm-up", "clip-gradients",
        "adam", "rmsprop", "larger-network", "smaller-network", "weight-decay", "augmentation", "average-weights",
        "decay-learning-rate", "learning-rate-range-test", "label-smoothing", "overfit-tiny-subset", "full-precision",
        "shorten-warm-up", "evaluate-train-in-eval-mode", "group-normalization", "zero-gradients",
    }
)  # fmt: skip
"""Remedies that boosted trees have no use for."""


def applicable_remedies(run: Run, remedies: Sequence[str]) -> tuple[str, ...]:
    """The remedies that fit the run's workload; all of them where none would be left."""
    if workload(run) is not Workload.BOOSTING:
        return tuple(remedies)
    return tuple(name for name in remedies if name not in NETWORKS_ONLY) or tuple(remedies)
