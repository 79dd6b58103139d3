"""The kind of task that the columns of a log show together: a game that is learned, or two networks that play against each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from nndoctor.readers.vocabulary.names import CHAINERRL, EPISODES, meaning_of, tidy
from nndoctor.readers.vocabulary.spellings import (
    ADVERSARIAL,
    CRITIC,
    GENERATOR,
    OF_EXAMPLES,
    PLAYING,
    REWARD,
    SCORES,
    SPLITS,
)
from nndoctor.readers.vocabulary.workloads import meaning_in_frameworks

MONITOR = frozenset("rlt")  # Stable-Baselines' episodes: reward, length, time
OPENRLHF = frozenset({"glen", "ret", "kl"})  # its progress bar: length, return, divergence
REWARD_MODEL = frozenset({"mean_reward", "margin"})
HEADS = re.compile(r"(^|_)(policy|value|entropy)_loss$")  # of a network that plays


def task(columns: Sequence[str]) -> str | None:
    """`reinforcement-learning` or `gan` where the columns show a task whose losses are no measure of learning."""
    return _task(tuple(columns))


@lru_cache(maxsize=256)
def _task(columns: tuple[str, ...]) -> str | None:
    names = [tidy(c) for c in columns]
    if any(columns_of.issubset(names) for columns_of in (MONITOR, CHAINERRL, OPENRLHF)) or _scores_episodes(names):
        return "reinforcement-learning"
    if any(map(_is_preference, names)) or REWARD_MODEL.issubset(names):
        return None  # DPO and reward models: no game
    games = [name for name in filter(_is_of_a_game, names) if not _is_opponent(name, names)]
    if games and not (all(map(HEADS.search, games)) and _learns_from_examples(columns)):
        return "reinforcement-learning"
    return "gan" if _has_adversaries(names) else None


def _scores_episodes(names: Sequence[str]) -> bool:
    """Whether columns count the episodes of a game and say their score."""
    return not EPISODES.isdisjoint(names) and any(score in names for score in SCORES)


def _has_adversaries(names: Sequence[str]) -> bool:
    """Whether columns are of both sides of a GAN, or of one and of what it makes of real and generated examples."""
    accuracies = {found[1] for found in map(meaning_in_frameworks, names) if found is not None}
    if accuracies >= {"discriminator_accuracy", "generator_accuracy"}:
        return True
    adversaries = sum(map(_is_of_an_adversary, names))
    return adversaries > 1 or (adversaries > 0 and any(map(OF_EXAMPLES.match, names)))


def _is_opponent(name: str, names: Sequence[str]) -> bool:
    """Whether a critic is the opponent of a generator (WGAN), and estimates no value of a game."""
    return CRITIC.match(name) is not None and any(map(GENERATOR.match, names))


def _is_of_a_game(name: str) -> bool:
    return name != "r" and (REWARD.match(name) or PLAYING.search(name)) is not None


def _learns_from_examples(columns: Sequence[str]) -> bool:
    """Whether the loss is validated, too: a network of two heads that is trained on recorded games (AlphaZero) is judged as any other."""
    return {meaning.split for meaning in map(meaning_of, columns) if meaning.metric == "loss"} >= {
        "train",
        "validation",
    }


def _is_of_an_adversary(name: str) -> bool:
    return ADVERSARIAL.match("_".join(word for word in name.split("_") if word not in SPLITS)) is not None


def _is_preference(name: str) -> bool:
    found = meaning_in_frameworks(name)
    return found is not None and found[1].startswith(("rewards_", "logps_"))
