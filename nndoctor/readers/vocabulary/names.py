"""The one reading of names: what a column of a log says, by how it is spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from nndoctor.readers.vocabulary.english import in_english
from nndoctor.readers.vocabulary.spellings import (
    ADVERSARIAL,
    COUNTS,
    DISCRIMINATOR,
    EPOCH,
    EPOCH_TIME,
    FACTS,
    GENERATOR,
    GRAD_NORM,
    GROUPS,
    KNOWN,
    LR,
    MEAN_SCORE,
    METRICS,
    NO_OWN_LOSS,
    NOISE,
    NOT_LOSS,
    OWN_LOSS,
    PARTS,
    PHASES,
    PLAYING,
    PRECISION,
    REWARD,
    REWARD_OF_ONE,
    SCORES,
    SPLITS,
    STEP,
)
from nndoctor.readers.vocabulary.workloads import MACHINE, meaning_in_frameworks
from nndoctor.readers.vocabulary.workloads import WITHOUT_SPLIT as MODERN

__all__ = [
    "CHAINERRL",
    "EPISODES",
    "FACTS",
    "PHASES",
    "SET_OF_SEVERAL",
    "SPLITS",
    "Kind",
    "Meaning",
    "depends_on_others",
    "meaning_of",
    "tidy",
]


class Kind(StrEnum):
    """What a column is."""

    SERIES = "series"
    PART = "part"  # of a loss
    GROUP = "group"  # a metric on one of several validation sets
    EPOCH = "epoch"
    STEP = "step"
    MACHINE = "machine"  # a series of its own: time, speed and memory of a step
    KNOWN = "known"  # understood, and no series: times, memory, settings
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A column's kind, split and metric; the lowest `rank` wins where several columns mean one series.

    `each_step` marks the twin of a metric that is logged within the epoch (Lightning's `train_loss_step`).
    """

    kind: Kind
    split: str = ""
    metric: str = ""
    rank: int = 0
    each_step: bool = False

    @property
    def is_metric(self) -> bool:
        """Whether the column is a series to judge, or a part of a loss."""
        return self.kind in (Kind.SERIES, Kind.PART, Kind.GROUP)

    @property
    def series(self) -> str:
        """The name of the series that the column holds: `train/loss`, `lr`."""
        return f"{self.split}/{self.metric}" if self.split else self.metric

    @property
    def is_axis(self) -> bool:
        """Whether the column counts steps or epochs."""
        return self.kind in (Kind.STEP, Kind.EPOCH)


WITHOUT_SPLIT = frozenset(
    {
        "lr",
        "grad_norm",
        *PRECISION.values(),
        "epoch_time",
        "reward",
        "generator_loss",
        "discriminator_loss",
        "discriminator_real_loss",
        "discriminator_fake_loss",
        *MODERN,
    }
)
EPISODES = frozenset({"episode", "episodes", "episode_num", "episode_number", "n_episode", "n_episodes", "game"})
SET_OF_SEVERAL = re.compile(r"eval_(?P<set>[\w-]+)_(?P<metric>loss|accuracy|f1|wer|cer|bleu)")
# Columns of the returns in scores.txt of ChainerRL and PFRL.
CHAINERRL = frozenset({"episodes", "mean", "median", "stdev"})
OF_ONE_EPISODE = frozenset({"reward", "rewards", "return", "rew", "r"})  # a mean over episodes is preferred
LR_OF_GROUP = re.compile(
    r"(lr|learning_rate)(?!.*_(?:mult|multiplier|scale|factor|ratio|decay|gamma|patience|warmup)(?:_|$))(_[a-z]+)+(_\d)?(_pg\d)?"
)  # but a multiplier of the rate is none
SHORT_LOSS = re.compile(r"^l_(?=(?:[gd]_)?[a-z]{3,})(?!rate|norm|reg)")  # BasicSR's `l_g_pix`
GLUED = re.compile(rf"^({'|'.join(sorted(SPLITS, key=len, reverse=True))})(loss|acc|accuracy|err)$")


@lru_cache(maxsize=4096)
def tidy(column: str) -> str:
    """Lower case words joined by underscores.

    >>> tidy("Train Loss (%)"), tidy("valLoss"), tidy("metrics/mAP50-95(B)"), tidy("trainacc")
    ('train_loss', 'val_loss', 'metrics_map50_95_b', 'train_acc')
    """
    text = re.sub(r"m(IoU|IOU|AP)(?![a-z])", lambda m: m.group().lower(), in_english(column).strip().strip("\"'"))
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=Loss)", "_", text)
    text = re.sub(r"[^0-9a-z\u0080-\uffff]+", "_", text.lower().replace("@", "_at_")).strip("_")
    return "_".join(GLUED.sub(r"\1_\2", word) for word in text.split("_"))


def depends_on_others(column: str) -> bool:
    """Whether what a column says, if anything, depends on the columns next to it."""
    name = tidy(column)
    of_a_game = name in (*EPISODES, *SCORES, *CHAINERRL) or MEAN_SCORE.match(name) is not None
    return of_a_game or SET_OF_SEVERAL.fullmatch(column.strip()) is not None


@lru_cache(maxsize=4096)
def meaning_of(column: str) -> Meaning:
    """What a column says, by its name alone."""
    name = SHORT_LOSS.sub("loss_", tidy(column))
    words = name.split("_")
    split = next((SPLITS[w] for w in reversed(words) if w in SPLITS), "")
    plain = [w for w in words if w not in SPLITS]
    rest = "_".join(plain)
    known = _counted(name) or _of_process(name, rest) or _playing(name, rest) or _metric(words, plain, split)
    return _own_loss(column, name, plain, known) if known.kind is Kind.UNKNOWN else known


def _own_loss(column: str, name: str, plain: list[str], unknown: Meaning) -> Meaning:
    """A part of the loss by a name of the log's own; what is known already where the column is none."""
    words = _without_loss(plain)
    split, _, spelled = column.strip().partition(" ")
    own = OWN_LOSS.fullmatch(spelled if split.lower() in SPLITS else column.strip()) or SHORT_LOSS.match(tidy(column))
    if SET_OF_SEVERAL.fullmatch(column.strip()) or ADVERSARIAL.match(name):
        return unknown
    if not own or not words or not NO_OWN_LOSS.isdisjoint(plain):
        return unknown
    return Meaning(Kind.PART, unknown.split, f"{'_'.join(words)}_loss")


def _counted(name: str) -> Meaning | None:
    """Epochs, steps, and what describes the run and is no series."""
    if name in EPOCH:
        return Meaning(Kind.EPOCH)
    if name in STEP:
        return Meaning(Kind.STEP)
    return Meaning(Kind.KNOWN) if name in FACTS or name in PHASES or name in COUNTS else None


def _of_process(name: str, rest: str) -> Meaning | None:
    """The series of newer kinds of training and of the machine, and those of the optimizer, under their bare names."""
    if (found := meaning_in_frameworks(name)) is not None:
        kind = Kind.MACHINE if found[1] in MACHINE or found[1].startswith("step_time_") else Kind.SERIES
        return Meaning(kind, *found, int(bool(found[0])) + 2 * (name != found[1]))
    if NOT_LOSS.search(name):
        return Meaning(Kind.KNOWN)
    if name in EPOCH_TIME or rest in EPOCH_TIME:
        return Meaning(Kind.SERIES, "", "epoch_time")
    if rest in LR or LR_OF_GROUP.fullmatch(rest):
        return Meaning(Kind.SERIES, "", "lr", _lr_rank(rest))
    if rest in GRAD_NORM:
        return Meaning(Kind.SERIES, "", "grad_norm")
    return Meaning(Kind.SERIES, "", PRECISION[rest]) if rest in PRECISION else None


def _lr_rank(rest: str) -> int:
    """The rate called just that first; of parameter groups the second: the first or the last are biases in a warm-up."""
    if rest in ("lr", "learning_rate"):
        return 0
    return 1 if rest.endswith("1") else 2


def _playing(name: str, rest: str) -> Meaning | None:
    """Rewards of reinforcement learning and the two sides of a GAN, under their own bare names."""
    if REWARD.match(name):
        return Meaning(Kind.SERIES, "", "reward", int(name in OF_ONE_EPISODE))
    if REWARD_OF_ONE.match(name):
        return Meaning(Kind.SERIES, "", "reward", 2)
    if GENERATOR.match(rest):
        return Meaning(Kind.SERIES, "", "generator_loss")
    if DISCRIMINATOR.match(rest):
        return Meaning(Kind.SERIES, "", "discriminator_loss")
    return Meaning(Kind.UNKNOWN) if ADVERSARIAL.match(rest) or PLAYING.search(name) else None


def _metric(words: list[str], plain: list[str], split: str) -> Meaning:
    each_step = words[-1] in ("step", "batch", "iter") or words[0] in ("batch", "step")
    quiet = [w for w in plain if w not in NOISE]
    for rank, kept in enumerate(_readings(plain, quiet)):
        metric = METRICS.get("_".join(kept)) or METRICS.get("".join(kept))
        if metric is not None:
            split = split or ("validation" if metric == "recall" and "at" in kept else "")  # of a ranking: `recall@10`
            return Meaning(Kind.SERIES, split, metric, 2 * rank + (len(plain) > 1), each_step)
    if KNOWN.search("_".join(words)):
        return Meaning(Kind.KNOWN)
    parts = _without_loss(quiet)
    if 0 < len(parts) < len(quiet) and PARTS.issuperset(parts):
        return Meaning(Kind.PART, split, f"{'_'.join(parts)}_loss", 0, each_step)
    return Meaning(Kind.UNKNOWN, split)


def _without_loss(words: list[str]) -> list[str]:
    return [word for word in words if word not in ("loss", "losses")]


def _readings(plain: list[str], quiet: list[str]) -> Iterator[list[str]]:
    """The words that may name a metric, from all of them to fewer; `quiet` are those that are no noise."""
    yield plain
    yield quiet
    yield [w for w in quiet if w not in ("b", "m")]
    yield [w for w in quiet if not w.isdigit()]
    if len(quiet) > 1 and quiet[0] in GROUPS:  # `losses/train_loss`
        yield quiet[1:]
