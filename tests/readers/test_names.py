"""The vocabulary: spellings of columns seen in logs, and what must not be taken for something else."""

from __future__ import annotations

import pytest

from nndoctor.readers.semantics.columns import interpret
from nndoctor.readers.vocabulary.names import Kind, meaning_of

UNDERSTOOD = {
    "train/loss": "train_loss TRAIN_LOSS trainLoss trainloss Train-Loss tr_loss trn_loss training_loss loss/train "
    "Loss_mean_Train train/CrossEntropyLoss main/train/loss train_nll train-mlogloss train_loss_epoch train_loss_step",
    "validation/loss": "val_loss valid_loss validation_loss dev_loss DEV_LOSS eval_loss eval/loss valLoss holdout_nll "
    "vali_loss Loss/val Loss_mean_Dev validation/main/loss val_loss/dataloader_idx_0 val_cross_entropy",
    "test/loss": "test_loss te_loss Test-Loss",
    "train/accuracy": "train_acc trainAcc train_accuracy training_acc1 train/sparse_categorical_accuracy train_top1",
    "validation/accuracy": "val_acc val_accuracy val_sparse_categorical_accuracy val_binary_accuracy valid_acc@1 "
    "eval_accuracy eval_top1 val_accuracy_1 val_get_categorical_accuracy_keras",
    "test/top5_accuracy": "test_acc5 test_top5",
    "validation/f1": "DEV_F1 val_f1_score eval_macro_f1",
    "validation/iou": "val_mean_io_u_5 val_mIoU",
    "validation/perplexity": "val_ppl eval_perplexity",
    "validation/recall": "recall@5 val_recall R@1",
    "validation/mse": "Valid-MSE val_mean_squared_error",
    "lr": "lr LR learning_rate LearningRate train_lr lr-Adam x/lr1 lr/pg0 train/learning_rate",
    "grad_norm": "grad_norm train/grad_norm optim/total_grad_norm gradient_norm",
    "epoch_time": "epoch_time time_per_epoch",
    "reward": "rollout/ep_rew_mean episode_reward",
    "generator_loss": "g_loss gen_loss loss_G",
    "discriminator_loss": "d_loss disc_loss loss_D",
}
NOT_SERIES = "best_val_acc min_lr class_3_acc Loss_Percentile_2.5_Dev D_real eval_runtime timestamp _runtime num_tokens lr_multiplier learning_rate_scale lr_decay_factor exits_with_return_code"
PHRASES = {
    "train/policy_gradient_loss": "policy_loss",
    "policy/approxkl_avg": "approx_kl",
    "actor/ppo_kl": "approx_kl",
    "actor/kl_loss": "kl",
    "losses/explained_variance": "explained_variance",
    "rollout/ep_rew_mean": "reward",
    "critic/rewards/mean": "reward",
    "objective/scores": "reward",
    "completions/clipped_ratio": "clipped_completions",
    "response_length/clip_ratio": "clipped_completions",
    "frac_reward_zero_std": "zero_spread_groups",
    "info/learner/default_policy/learner_stats/entropy": "entropy",
    "rewards/chosen": "rewards_chosen",
    "eval_rewards/margins": "validation/rewards_margins",
    "D(G(z))": "fake_score",
    "moe/expert_3_load": "expert_load_3",
    "Train Loss": "train/loss",
    "Training loss": "train/loss",
    "val acc (%)": "validation/accuracy",
    "Validation Accuracy": "validation/accuracy",
    "Epoch Time (s)": "epoch_time",
    "metrics/mAP50-95(B)": "map",
    "metrics/mAP_0.5": "map50",
    "coco/bbox_mAP": "map",
}
PAIRS = [(name, ours) for ours, names in UNDERSTOOD.items() for name in names.split()]


def named(column):
    """The series that a column means."""
    message = meaning_of(column)
    assert message.kind is Kind.SERIES
    return f"{message.split}/{message.metric}" if message.split else message.metric


@pytest.mark.parametrize(("column", "ours"), [*PAIRS, *PHRASES.items()])
def test_spellings_are_understood(column, ours):
    """Each spelling means the one series."""
    assert named(column) == ours


@pytest.mark.parametrize("column", NOT_SERIES.split())
def test_look_alikes_are_left_out(column):
    """What sounds like a series and is none is not taken for one."""
    assert meaning_of(column).kind in (Kind.UNKNOWN, Kind.KNOWN)


@pytest.mark.parametrize(
    ("column", "ours"),
    [
        ("tokens_per_sec", "throughput"),
        ("perf/time_per_step", "step_time"),
        ("gpu_mem_gb", "memory"),
        ("data_time", "data_time"),
    ],
)
def test_columns_of_the_machine(column, ours):
    """Speed, time and memory of a step are series, and no measure of learning."""
    assert (meaning_of(column).kind, meaning_of(column).metric) == (Kind.MACHINE, ours)


@pytest.mark.parametrize("column", ["epoch", "Epoch", "epochs", "EPOCH", "epoch_num"])
def test_epochs(column):
    """An epoch column is known by many names."""
    assert meaning_of(column).kind is Kind.EPOCH


@pytest.mark.parametrize(
    "column", ["step", "global_step", "_step", "iteration", "iter", "Step", "trainer/global_step", "num_updates"]
)
def test_steps(column):
    """So is a step column."""
    assert meaning_of(column).kind is Kind.STEP


@pytest.mark.parametrize(
    ("header", "column", "split"),
    [
        ("loss accuracy val_loss val_accuracy", "accuracy", "train"),
        ("train_loss valid_loss accuracy", "accuracy", "validation"),
        ("train_loss accuracy", "accuracy", "train"),
        ("loss val_loss", "loss", "train"),
        ("loss bbox_mAP", "bbox_mAP", "validation"),
    ],
)
def test_a_bare_metric_belongs_where_the_header_leaves_room(header, column, split):
    """Keras writes training metrics bare, fastai validation metrics."""
    assert interpret(header.split(), {})[column].split == split
