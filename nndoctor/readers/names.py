"""The one vocabulary: how the columns of logs in the wild are spelled, and what they are called here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """What a column is."""

    SERIES = "series"
    EPOCH = "epoch"
    STEP = "step"
    KNOWN = "known"  # understood, and no series: times, memory, names
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A column's kind, split and metric; the lowest `rank` wins where several columns mean one series."""

    kind: Kind
    split: str = ""
    metric: str = ""
    rank: int = 0


SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr", "learn", "trl"), "train"),
    **dict.fromkeys(
        ("val", "valid", "validation", "dev", "eval", "evaluation", "holdout", "cv", "vali", "vld"), "validation"
    ),
    **dict.fromkeys(("test", "testing", "tst", "tel"), "test"),
}

LOSS = (
    "loss cost nll ce xent cross_entropy crossentropy cross_entropy_loss crossentropyloss cross_entropyloss ce_loss nll_loss nllloss loss_fn objective "
    "logloss log_loss mlogloss multi_logloss binary_logloss multiclass bce bce_loss bce_with_logits criterion loss_value loss_total lm_loss "
    "losses loss_mean mean_loss negative_log_likelihood neg_log_likelihood elbo mse_loss mseloss l1_loss l1loss huber_loss dice_loss loss_ce "
    "cross_entropy_objective energy err_loss training_loss lm_cross_entropy loss_avg ctc_loss softmax_loss squared_error"
)
METRICS = {
    "loss": LOSS,
    "accuracy": (
        "accuracy acc top1 top_1 acc1 acc_1 prec1 prec_1 top1_acc acc_top1 top_1_accuracy top1_accuracy accuracy_top1 categorical_accuracy "
        "sparse_categorical_accuracy binary_accuracy accuracy_score cls_accuracy bin_acc multiclass_accuracy multiclassaccuracy binaryaccuracy sparse_categorical_acc "
        "accuracy1 token_accuracy mean_token_accuracy accuracies accu accracy pixel_accuracy pixel_acc success_rate correct_rate"
    ),
    "error": "error err error_rate err_rate class_error merror top1_err top1_error classification_error multi_error binary_error misclassification",
    "balanced_accuracy": "balanced_accuracy bal_acc uar mean_acc",
    "f1": "f1 f1_score f1score macro_f1 f1_macro micro_f1 f1_micro weighted_f1 f1_weighted f1_global f_score fscore f_measure f1_m",
    "dice": "dice dice_coef dice_coefficient dice_score mean_dice pseudo_dice dsc average_global_foreground_dice dice_similarity",
    "iou": "iou miou mean_iou m_iou jaccard jaccard_index iou_score mean_io_u io_u",
    "map": "map map50_95 map_50_95 map_0_5_0_95 bbox_map ap bbox_ap m_ap coco_bbox_map mean_average_precision map_50_95_b m_ap50_95_b m_ap50_95 m_ap_0_5_0_95 ndcg",
    "map50": "map50 map_50 map_0_5 bbox_map_50 ap50 bbox_ap50 m_ap50_b m_ap_0_5 m_ap50 bbox_m_ap_50",
    "auc": "auc roc_auc auroc auc_roc rocauc auc_score aucroc",
    "precision": "precision prec precision_score precision_b precision_m p",
    "recall": "recall rec recall_score recall_b recall_m sensitivity r",
    "matthews": "mcc matthews matthews_correlation",
    "correlation": "pearson spearman spearmanr pearsonr correlation corr",
    "r2": "r2 r2_score r_squared rsquared r2score",
    "bleu": "bleu sacrebleu bleu4 bleu_4 bleu_score",
    "rouge": "rouge rouge_l rougel rouge1 rouge_1 rouge2 rouge_lsum",
    "word_error": "wer word_error_rate cer char_error_rate per",
    "top5_accuracy": "top5 top_5 acc5 acc_5 prec5 top5_acc acc_top5 top_5_accuracy top5_accuracy sparse_top_k_categorical_accuracy top_k_categorical_accuracy",
    "mae": "mae mean_absolute_error l1 absolute_error",
    "rmse": "rmse root_mean_squared_error root_mean_square_error",
    "mse": "mse mean_squared_error l2",
    "perplexity": "perplexity ppl pplx",
    "psnr": "psnr",
    "ssim": "ssim",
}
BY_SPELLING = {spelling: metric for metric, spellings in METRICS.items() for spelling in spellings.split()}

LR = frozenset(
    "lr learning_rate learningrate train_lr lr0 lr_0 pg0 lr_pg0 x_lr0 base_lr lr_group_0 learning_rate_0 optim_lr current_lr lrate step_size lr_abs".split()
)
GRAD_NORM = frozenset(
    "grad_norm gradnorm gradient_norm total_grad_norm global_grad_norm optim_total_grad_norm grad_norm_total norm_grad gnorm grad_norm_l2 gradient_norm_l2".split()
)
EPOCH = frozenset(
    "epoch epochs ep epoch_num epoch_number num_epoch epoch_idx epoch_id cur_epoch current_epoch n_epoch epoch_index".split()
)
STEP = frozenset(
    "step steps global_step iter iteration iterations it iters update updates num_updates trainer_global_step total_steps n_step n_iter num_iter "
    "batch_idx training_step iteration_number step_num train_step global_iter boosting_round round batches tree trees".split()
)
KNOWN = re.compile(
    r"(^|_)(time|runtime|seconds?|sec|s|eta|timestamp|date|datetime|elapsed|duration|walltime|wall|memory|mem|gpu|cpu|speed|throughput|samples_per|steps_per|"
    r"flos|tokens|mfu|n_parameters|ms|fps|hours|min|minutes|examples_seen|data_time|batch_time)(_|$)|_per_(sec|second|s)$"
)
FACTS = {
    **dict.fromkeys(("optimizer", "optim", "optimiser", "opt"), "optimizer"),
    **dict.fromkeys(("batch_size", "train_batch_size", "bs", "batchsize"), "batch_size"),
    **dict.fromkeys(("num_classes", "n_classes", "classes", "num_labels", "n_class"), "num_classes"),
    **dict.fromkeys(
        (
            "model",
            "model_name",
            "arch",
            "architecture",
            "run",
            "run_id",
            "run_name",
            "name",
            "seed",
            "dataset",
            "fold",
            "weight_decay",
            "dropout",
        ),
        "",
    ),
}
NOISE = frozenset(
    "mean avg average running smoothed smooth epoch step total per set main metrics metric overall global value values current raw b m last on the and of pct percent percentage iter batch ema".split()
)
ADVERSARIAL = re.compile(
    r"^(loss_)?(d|g|dis|disc|discriminator|gen|generator|critic|adv|adversarial|g_gan|d_real|d_fake|d_a|d_b|g_a|g_b)(_loss|_gan|_x|_real|_fake|_a|_b)*$|^err_?[dg]$"
)
REWARD = re.compile(
    r"(^|_)(reward|rewards|rew|episode_return|ep_return|returns|ep_rew|ep_len|episode_length|q_loss|policy|entropy_loss|explained_variance|actor|critic)(_|$)|^eprewmean$"
)


def tidy(column: str) -> str:
    """Lower case words joined by underscores: `Train Loss (%)` -> `train_loss`, `valLoss` -> `val_loss`."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.strip().strip("\"'"))
    text = re.sub(r"[^0-9a-z\u0080-\uffff]+", "_", text.lower())
    return text.strip("_")


@lru_cache(maxsize=4096)
def meaning(column: str) -> Meaning:
    """What a column says, by its name alone."""
    name = tidy(column)
    if name in EPOCH:
        return Meaning(Kind.EPOCH)
    if name in STEP or column.strip() == "_step":
        return Meaning(Kind.STEP)
    if name in FACTS:
        return Meaning(Kind.KNOWN)
    words = name.split("_")
    splits = [SPLITS[w] for w in words if w in SPLITS]
    rest = "_".join(w for w in words if w not in SPLITS)
    if name in LR or rest in LR or re.fullmatch(r"(lr|learning_rate)_[a-z]+(_\d)?(_pg1)?", rest):
        return Meaning(Kind.SERIES, "", "lr", 0 if rest in ("lr", "learning_rate") else 1)
    if name in GRAD_NORM or rest in GRAD_NORM:
        return Meaning(Kind.SERIES, "", "grad_norm")
    if ADVERSARIAL.match(rest) or REWARD.search(name):
        return Meaning(Kind.UNKNOWN)
    return _metric(column, words, splits)


def _metric(column: str, words: list[str], splits: list[str]) -> Meaning:
    split = splits[-1] if splits else ""
    plain = [w for w in words if w not in SPLITS]
    for rank, kept in enumerate(
        (plain, [w for w in plain if w not in NOISE], [w for w in plain if w not in NOISE and not w.isdigit()])
    ):
        metric = BY_SPELLING.get("_".join(kept)) or BY_SPELLING.get("".join(kept))
        if metric is not None:
            twin = 1 if words[-1] in ("step", "batch", "iter") else 0
            return Meaning(Kind.SERIES, split, metric, 2 * rank + twin + (len(plain) > 1))
    name = "_".join(words)
    if KNOWN.search(name):
        return Meaning(Kind.KNOWN)
    if "loss" in plain and 2 <= len(plain) <= 5:
        return Meaning(Kind.SERIES, split, "_".join(w for w in plain if w != "loss") + "_loss", 9)
    return Meaning(Kind.UNKNOWN, split)


def task(columns: list[str]) -> str | None:
    """`reinforcement-learning` or `gan` where the columns show a task whose losses are no measure of learning."""
    names = [tidy(c) for c in columns]
    if any(
        re.search(
            r"(^|_)(ep_rew|ep_rew_mean|eprewmean|episode_reward|episode_return|ep_return|episode_reward_mean|rollout|reward|rewards|test_success_rate)(_|$)",
            n,
        )
        for n in names
    ):
        return "reinforcement-learning"
    stripped = ["_".join(w for w in n.split("_") if w not in SPLITS) for n in names]
    if sum(bool(ADVERSARIAL.match(n)) for n in stripped) >= 2:
        return "gan"
    return None
