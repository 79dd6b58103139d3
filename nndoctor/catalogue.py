"""The catalogue: every rule, in the order of its code."""

from __future__ import annotations

from nndoctor.rule import Rule
from nndoctor.rules.generalization import (
    high_bias,
    high_variance,
    noisy_validation,
    not_converged,
    overtraining,
    validation_better_than_train,
    validation_equals_train,
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
from nndoctor.rules.stability import (
    diverged,
    gradient_norm_explodes,
    impossible_loss,
    loss_spikes,
    nan_loss,
    plateau_at_start,
    sawtooth_epochs,
)

RULES: tuple[Rule, ...] = (
    too_little_data.RULE,
    no_validation.RULE,
    resumed_run.RULE,
    several_runs_in_one_log.RULE,
    unreadable_values.RULE,
    loss_and_metric_disagree.RULE,
    high_bias.RULE,
    high_variance.RULE,
    overtraining.RULE,
    not_converged.RULE,
    validation_better_than_train.RULE,
    noisy_validation.RULE,
    validation_equals_train.RULE,
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
)
