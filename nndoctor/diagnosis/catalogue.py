"""The catalogue: every rule, in the order of its code."""

from __future__ import annotations

from collections.abc import Iterable

from nndoctor.core.errors import UsageError, nearest
from nndoctor.core.rule import Rule
from nndoctor.diagnosis.aliases import meant
from nndoctor.diagnosis.checkup_rules import MODEL, SANITY
from nndoctor.rules.data import (
    class_imbalance,
    constant_features,
    inputs_not_finite,
    inputs_not_normalized,
    label_among_inputs,
    labels_contradict_inputs,
    labels_out_of_range,
    targets_not_normalized,
    train_validation_overlap,
    train_validation_shift,
    unshuffled_batches,
)
from nndoctor.rules.generalization import (
    bias_unknown,
    high_bias,
    high_variance,
    labels_without_signal,
    memorization_staircase,
    noisy_validation,
    not_converged,
    overtraining,
    validation_better_than_train,
    validation_equals_train,
)
from nndoctor.rules.generative import (
    discriminator_wins,
    expert_collapse,
    mode_collapse,
    posterior_collapse,
    representation_collapse,
    uninformative_loss,
)
from nndoctor.rules.initialization import (
    initial_loss_off_chance,
    initialization_unfit_for_activation,
    signal_grows,
    signal_shrinks,
    symmetric_initialization,
)
from nndoctor.rules.layers import (
    activations_not_zero_centred,
    constant_output,
    dead_relu,
    exploding_gradient,
    frozen_parameters,
    nan_in_layer,
    ranks_drift_apart,
    saturated_activation,
    update_ratio_off,
    vanishing_gradient,
)
from nndoctor.rules.learning_rate import (
    adaptive_rate_starved,
    lr_decayed_too_early,
    lr_never_decayed,
    lr_too_high,
    lr_too_low,
    warmup_unfinished,
)
from nndoctor.rules.log import (
    loss_and_metric_disagree,
    no_validation,
    resumed_run,
    several_runs_in_one_log,
    too_little_data,
    unreadable_values,
)
from nndoctor.rules.process import (
    data_loader_bottleneck,
    loss_scale_collapse,
    memory_grows,
    out_of_memory,
    process_died,
    slow_rank,
    throughput_falls,
)
from nndoctor.rules.reinforcement import (
    entropy_collapse,
    kl_blow_up,
    likelihood_displacement,
    no_reward_signal,
    policy_update_too_large,
    preference_saturated,
    reward_collapse,
    truncated_completions,
    value_function_unfit,
)
from nndoctor.rules.stability import (
    diverged,
    gradient_norm_explodes,
    gradients_not_finite,
    impossible_loss,
    impossible_metric,
    loss_exactly_zero,
    loss_spikes,
    metric_at_worst,
    nan_loss,
    no_weight_changes,
    plateau_at_start,
    resume_jump,
    sawtooth_epochs,
    stuck_at_chance,
)
from nndoctor.rules.standard import outside_baseline, requirement_not_met
from nndoctor.rules.sweep import best_at_edge_of_search, dominant_setting, linear_scale_search, search_too_narrow

RULES: tuple[Rule, ...] = (
    too_little_data.RULE,
    no_validation.RULE,
    resumed_run.RULE,
    several_runs_in_one_log.RULE,
    unreadable_values.RULE,
    loss_and_metric_disagree.RULE,
    requirement_not_met.RULE,
    outside_baseline.RULE,
    high_bias.RULE,
    high_variance.RULE,
    overtraining.RULE,
    not_converged.RULE,
    validation_better_than_train.RULE,
    noisy_validation.RULE,
    validation_equals_train.RULE,
    bias_unknown.RULE,
    labels_without_signal.RULE,
    memorization_staircase.RULE,
    lr_too_low.RULE,
    lr_too_high.RULE,
    lr_decayed_too_early.RULE,
    lr_never_decayed.RULE,
    warmup_unfinished.RULE,
    adaptive_rate_starved.RULE,
    nan_loss.RULE,
    diverged.RULE,
    loss_spikes.RULE,
    plateau_at_start.RULE,
    sawtooth_epochs.RULE,
    gradient_norm_explodes.RULE,
    impossible_loss.RULE,
    gradients_not_finite.RULE,
    loss_exactly_zero.RULE,
    stuck_at_chance.RULE,
    no_weight_changes.RULE,
    metric_at_worst.RULE,
    impossible_metric.RULE,
    resume_jump.RULE,
    dead_relu.RULE,
    saturated_activation.RULE,
    vanishing_gradient.RULE,
    exploding_gradient.RULE,
    frozen_parameters.RULE,
    update_ratio_off.RULE,
    activations_not_zero_centred.RULE,
    nan_in_layer.RULE,
    constant_output.RULE,
    ranks_drift_apart.RULE,
    symmetric_initialization.RULE,
    signal_shrinks.RULE,
    signal_grows.RULE,
    initialization_unfit_for_activation.RULE,
    initial_loss_off_chance.RULE,
    inputs_not_normalized.RULE,
    inputs_not_finite.RULE,
    constant_features.RULE,
    class_imbalance.RULE,
    labels_out_of_range.RULE,
    train_validation_overlap.RULE,
    unshuffled_batches.RULE,
    targets_not_normalized.RULE,
    train_validation_shift.RULE,
    labels_contradict_inputs.RULE,
    label_among_inputs.RULE,
    *MODEL,
    *SANITY,
    best_at_edge_of_search.RULE,
    search_too_narrow.RULE,
    linear_scale_search.RULE,
    dominant_setting.RULE,
    discriminator_wins.RULE,
    mode_collapse.RULE,
    posterior_collapse.RULE,
    representation_collapse.RULE,
    expert_collapse.RULE,
    uninformative_loss.RULE,
    out_of_memory.RULE,
    process_died.RULE,
    throughput_falls.RULE,
    memory_grows.RULE,
    loss_scale_collapse.RULE,
    data_loader_bottleneck.RULE,
    slow_rank.RULE,
    entropy_collapse.RULE,
    kl_blow_up.RULE,
    reward_collapse.RULE,
    no_reward_signal.RULE,
    truncated_completions.RULE,
    value_function_unfit.RULE,
    policy_update_too_large.RULE,
    likelihood_displacement.RULE,
    preference_saturated.RULE,
)


def find(word: str) -> Rule:
    """The rule with this code or name, or that a common term means. Raises UsageError with the nearest that exists."""
    return matching(word)[0]


def matching(word: str) -> tuple[Rule, ...]:
    """The rule with this code or name, else those that a common term means, the closest first.

    Raises UsageError with the nearest one that exists.
    """
    spelled = "-".join(word.lower().split())
    own = tuple(rule for rule in RULES if spelled in (rule.code.lower(), rule.name))
    by_name = {rule.name: rule for rule in RULES}
    found = own or tuple(by_name[name] for name in meant(word) if name in by_name)
    if not found:
        raise UsageError(f"no rule '{word}'{_nearest(word)}; see 'nndoctor rules'")
    return found


def select(chosen: Iterable[str], ignored: Iterable[str]) -> tuple[Rule, ...]:
    """The chosen rules (all when none is named) less the ignored ones: codes, names, beginnings of codes, ALL, with commas.

    Raises UsageError for a word that means no rule, and where no rule is left.
    """
    wanted = [code for word in _words(chosen) for code in _codes(word)]
    unwanted = {code for word in _words(ignored) for code in _codes(word)}
    left = tuple(r for r in RULES if (not wanted or r.code in wanted) and r.code not in unwanted)
    if not left:
        raise UsageError("no rule is left to check: every rule that is selected is also ignored")
    return left


def named(words: Iterable[str]) -> list[str]:
    """The codes that words mean: codes, names, beginnings of codes, ALL. Raises UsageError for a word that means none."""
    return [code for word in _words(words) for code in _codes(word)]


def _words(lists: Iterable[str]) -> list[str]:
    return [word.strip() for text in lists for word in text.split(",") if word.strip()]


def _codes(word: str) -> list[str]:
    if word.upper() == "ALL":
        return [rule.code for rule in RULES]
    codes = [
        rule.code
        for rule in RULES
        if rule.name == word.lower() or (word.upper().startswith("NN") and rule.code.startswith(word.upper()))
    ]
    return codes or [rule.code for rule in matching(word)]


def _nearest(word: str) -> str:
    return nearest(word, [n for rule in RULES for n in (rule.code, rule.name)])
