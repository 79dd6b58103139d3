"""The rules on a model's structure and loss, and on what short trainings of a check-up show."""

from __future__ import annotations

from nndoctor.core.rule import Rule
from nndoctor.rules.model import (
    deep_without_shortcuts_or_normalization,
    loss_scales_with_batch,
    loss_wrongly_scaled,
    missing_nonlinearity,
    normalization_misplaced,
    optimizer_misses_parameters,
    output_target_broadcast,
    output_unfit_for_loss,
    regularization_excessive,
    sigmoid_in_hidden_layers,
    softmax_before_cross_entropy,
)
from nndoctor.rules.sanity import (
    cannot_overfit_tiny_subset,
    examples_leak_across_batch,
    future_leaks,
    gradient_wrong,
    gradients_not_reset,
    input_ignored,
    loss_part_trains_nothing,
    lr_outside_usable_range,
    not_reproducible,
    objective_reversed,
    parameter_without_gradient,
    random_in_evaluation,
    regularization_lowers_loss,
    reshape_mixes_dimensions,
    step_raises_loss,
    train_eval_mismatch,
    views_not_matched,
)

MODEL: tuple[Rule, ...] = (
    missing_nonlinearity.RULE,
    softmax_before_cross_entropy.RULE,
    output_unfit_for_loss.RULE,
    normalization_misplaced.RULE,
    sigmoid_in_hidden_layers.RULE,
    deep_without_shortcuts_or_normalization.RULE,
    optimizer_misses_parameters.RULE,
    regularization_excessive.RULE,
    loss_scales_with_batch.RULE,
    loss_wrongly_scaled.RULE,
    output_target_broadcast.RULE,
)

SANITY: tuple[Rule, ...] = (
    cannot_overfit_tiny_subset.RULE,
    regularization_lowers_loss.RULE,
    input_ignored.RULE,
    examples_leak_across_batch.RULE,
    parameter_without_gradient.RULE,
    train_eval_mismatch.RULE,
    not_reproducible.RULE,
    lr_outside_usable_range.RULE,
    gradients_not_reset.RULE,
    step_raises_loss.RULE,
    gradient_wrong.RULE,
    future_leaks.RULE,
    random_in_evaluation.RULE,
    objective_reversed.RULE,
    loss_part_trains_nothing.RULE,
    views_not_matched.RULE,
    reshape_mixes_dimensions.RULE,
)
