"""The kind of training that a log shows: what is normal in one kind is a fault in another."""

from __future__ import annotations

import math
import re
from enum import StrEnum

from nndoctor.core.run import Run, once


class Workload(StrEnum):
    """The kinds of training that are distinguished."""

    SUPERVISED = "supervised"
    PRETRAINING = "pretraining"
    FINE_TUNING = "fine-tuning"
    PREFERENCE = "preference-learning"
    REINFORCEMENT = "reinforcement-learning"
    GAN = "gan"
    VAE = "vae"
    DIFFUSION = "diffusion"
    CONTRASTIVE = "contrastive"
    DETECTION = "detection"
    BOOSTING = "boosting"


RECONSTRUCTS = frozenset({"rec_loss", "recon_loss", "reconstruction_loss", "reconstruction"})
TEXT_POLICY = ("completion_length", "clipped_completions", "reward_std", "zero_spread_groups")
DENOISING = re.compile(
    r"avr_loss|loss/average|loss/current|unet|diffus|ddpm|noise_pred|eps_loss|(^|_)snr(_|$)|timestep"
)
STEP_LOSS = "step_loss"  # the name that the scripts of diffusers print on their progress bars
CONTRASTING = re.compile(
    r"nt[-_ ]?xent|info[-_ ]?nce|contrastive|simclr|byol|moco|simsiam|vicreg|barlow|logit[_ ]scale|uniformity|alignment_loss|knn"
)
TREES = re.compile(r"m?logloss|multi_logloss|[a-z\d]-m?error\b|\bmerror\b|boosting")
# All that a dict of evaluation results of boosted trees may hold; a network that logs an error logs a loss, too.
ERRORS_OF_TREES = {"train/error", "validation/error", "test/error"}
TOKENS = re.compile(r"tok(?!2vec|en %)|lm[ _]loss|perplexity|bpb|bpc|mfu", re.IGNORECASE)
TOKEN_ACCURACY = re.compile(r"token_acc")
GENTLE_RATE = 5e-3  # peak; full fine-tuning uses 1e-6 to 5e-5, LoRA 1e-5 to 5e-4, small models up to ten times that
PRETRAINS = 1e-4  # the same in a log of a framework for pretraining, whose small models begin below `KNOWS`, too
TUNING = ("LLaMA-Factory", "torchtune")
PRETRAINING = ("Megatron", "torchtitan", "nanoGPT", "MaxText")
KNOWS = 6.0  # nats a token: a pretrained model begins below it, one with random weights at ln 50,000 = 10.8
DENOISES = (0.4, 1.3)  # the first loss of a network that predicts unit noise is the noise's variance, 1
PREFERENCES = {"rewards_chosen", "rewards_margins", "rewards_accuracies"}
CODES = {"active_units", "codebook_perplexity"}
CODE_LOSSES = {"kl", "kl_loss", "kld_loss", "commitment_loss", "vq_loss", "commit_loss"}
EMBEDDINGS = {"embedding_std", "effective_rank"}
BOX_LOSSES, BOX_METRICS = {"box_loss", "bbox_loss", "rpn_bbox_loss"}, {"map", "map50"}
# Of one of the groups, the log holds a series of every set.
NAMED_BY = (
    (Workload.VAE, ((CODES,), (RECONSTRUCTS, CODE_LOSSES))),
    (Workload.CONTRASTIVE, ((EMBEDDINGS,),)),
    (Workload.DETECTION, ((BOX_LOSSES,), (BOX_METRICS, {"cls_loss"}))),
)
# Shares of its first value between which such a loss ends: some of the noise cannot be predicted.
MIN_LEFT, MAX_LEFT = 0.005, 0.5
# Noise as a share of the loss where each batch draws its own timesteps; that of token losses is half of it.
SCATTER = 0.06
MIN_SCATTERED = 100  # values that show such a scatter
MIN_GUESSES = 5  # losses and accuracies
LEAST_VIEWS, MOST_VIEWS = 4.0, 10.0  # logarithms of the numbers of views that are compared
MAX_OFF_LOG = 0.0005  # of the loss from ln(2N - 1)
MAX_OFF_SHARE = 0.5  # of the accuracy from 1/(2N - 1), relative
NAMES = "train/loss|validation/loss"


@once
def workload(run: Run) -> Workload:
    """The kind of training, by `--workload`, by what is logged, then by the losses themselves."""
    given = run.fact("workload")
    if isinstance(given, str) and given in set(Workload):
        return Workload(given)
    return _by_series(run) or _by_names(run) or _by_values(run)


def of_text(run: Run) -> bool:
    """Whether the policy of reinforcement learning writes text (GRPO, PPO of a language model), and plays no game."""
    return any(name in run.series for name in TEXT_POLICY)


def _by_series(run: Run) -> Workload | None:
    """What the names of the series show, for which a single loss is not enough."""
    parts = {name.rpartition("/")[2] for name in run.series}
    if parts & PREFERENCES:
        return Workload.PREFERENCE
    task = run.fact("task")
    if task is not None:
        return Workload.REINFORCEMENT if task == "reinforcement-learning" else Workload.GAN
    named = (
        workload for workload, groups in NAMED_BY if any(all(parts & names for names in group) for group in groups)
    )
    return next(named, None)


def _by_names(run: Run) -> Workload | None:
    if run.format == "text" and any(s.column.strip() == STEP_LOSS for s in run.series.values()):
        return Workload.DIFFUSION
    columns = " ".join([*(s.column for s in run.series.values()), *run.unknown, *_facts(run)]).lower()
    if DENOISING.search(columns):
        return Workload.DIFFUSION
    if CONTRASTING.search(columns):
        return Workload.CONTRASTIVE
    if run.format == "catboost-info" or TREES.search(columns) or _logs_errors_of_trees(run):
        return Workload.BOOSTING
    return None


def _logs_errors_of_trees(run: Run) -> bool:
    """Whether a dict of lists holds nothing but the error of each set."""
    return run.format == "keras-history" and {s.column for s in run.series.values()} <= ERRORS_OF_TREES


def _facts(run: Run) -> list[str]:
    return [name.removeprefix("setting:") for name in run.facts if name.startswith("setting:")]


def _by_values(run: Run) -> Workload:
    loss = run.series_of(NAMES)
    if loss is None:
        return Workload.SUPERVISED
    if run.fact("framework") in TUNING:
        return Workload.FINE_TUNING
    if _scatters(run):
        return Workload.DIFFUSION
    if _guesses_among_views(run):
        return Workload.CONTRASTIVE
    tokens = _writes_text(run)
    if _is_gentle(run) and loss.first < KNOWS and (tokens or of_transformers(run)):
        return Workload.FINE_TUNING
    return Workload.PRETRAINING if tokens else Workload.SUPERVISED


def _guesses_among_views(run: Run) -> bool:
    """A loss and an accuracy that are those of guessing among the 2N - 1 other views of a batch of a power of two (SimCLR)."""
    loss, right = run.series_of(NAMES, MIN_GUESSES), run.series_of("train/accuracy", MIN_GUESSES)
    if loss is None or right is None or not LEAST_VIEWS < loss.last < MOST_VIEWS:
        return False
    views = 2 ** round(math.log2(math.exp(loss.last))) - 1
    at_chance = abs(loss.last - math.log(views)) < MAX_OFF_LOG
    return at_chance and abs(float(right.y.mean()) * views - 1) < MAX_OFF_SHARE


def _writes_text(run: Run) -> bool:
    """Whether the columns are those of a language model, or the framework trains little else."""
    framework = run.fact("framework")
    if framework in PRETRAINING or (framework == "DeepSpeed" and run.metric is None):
        return True
    return any(map(TOKENS.search, [*(s.column for s in run.series.values()), *run.unknown]))


def _is_gentle(run: Run) -> bool:
    """Whether the learning rate never leaves the range of fine-tuning."""
    lr = run.series_of("lr")
    most = PRETRAINS if run.fact("framework") in PRETRAINING else GENTLE_RATE
    return lr is not None and 0 < lr.high <= most


def of_transformers(run: Run) -> bool:
    """Whether the names are those of the Trainer of Transformers, which calls a validation loss `eval_loss`."""
    if run.format == "hf-trainer-state":
        return True
    lr = run.series.get("lr")
    if lr is None or lr.column.rpartition("/")[2] != "learning_rate" or "grad_norm" not in run.series:
        return False
    return not any(
        s.column.lower().startswith("val") for name, s in run.series.items() if name.startswith("validation/")
    )


def _scatters(run: Run) -> bool:
    """A training loss alone that falls from the noise's variance and then scatters: that of denoising at random timesteps."""
    loss = run.series_of("train/loss", MIN_SCATTERED)
    if loss is None or any(name.startswith("validation/") for name in run.series) or run.metric:
        return False
    low, high = DENOISES
    remains = MIN_LEFT * loss.first < loss.low and loss.last < MAX_LEFT * loss.first
    return low < loss.first < high and remains and loss.noise > SCATTER * loss.last


def counts_tokens(run: Run) -> bool:
    """Whether the accuracy is that of a language model's tokens, which says nothing of classes."""
    found = [s for name, s in run.series.items() if name.endswith("/accuracy")]
    return any(TOKEN_ACCURACY.search(s.column.lower()) for s in found)
