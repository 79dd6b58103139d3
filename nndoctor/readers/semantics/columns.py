"""The meaning of a table's columns, from their names together and from the user's --map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from nndoctor.core.errors import UsageError, nearest
from nndoctor.core.metrics import BY_NAME
from nndoctor.core.run import SPLITS as OURS
from nndoctor.readers.semantics.adversaries import discriminator_accuracy, discriminator_halves
from nndoctor.readers.tables.table import Column, Table, WordColumn
from nndoctor.readers.vocabulary.names import (
    CHAINERRL,
    SET_OF_SEVERAL,
    SPLITS,
    WITHOUT_SPLIT,
    Kind,
    Meaning,
    meaning_of,
    tidy,
)
from nndoctor.readers.vocabulary.spellings import HELD_OUT, MEAN_SCORE, METRICS, OF_EXAMPLES, PHASES, RUN_KEYS, SCORES
from nndoctor.readers.vocabulary.tasks import task

Maps = Mapping[str, str]
SPLIT_WORDS = {**SPLITS, "opt": "train"}  # what a column of splits says; MACE's training rows are `opt`
WORD_LOSS = re.compile(r"^loss_|_loss(?=_|$)")  # `loss_D_A`, `d_A_loss` and `D_loss_A` are `D_A`
MIN_SIMILARITY = 0.8  # to a known name, for a suggestion


def interpret(columns: Sequence[str], maps: Maps) -> Mapping[str, Meaning]:
    """The meaning of every column. Raises UsageError for a map to a name that is no series."""
    return _interpreted(tuple(columns), tuple(maps.items()))


@lru_cache(maxsize=256)  # of many logs most are of one writer
def _interpreted(columns: tuple[str, ...], maps: tuple[tuple[str, str], ...]) -> Mapping[str, Meaning]:
    meanings = {column: meaning_of(column) for column in columns}
    if playing := task(list(columns)):
        meanings = {column: _for_task(meaning, playing) for column, meaning in meanings.items()}
        meanings |= _evaluated_returns(meanings)
    for spelled, target in maps:
        column = next((c for c in columns if c.strip() == spelled.strip()), None)
        if column is not None:
            meanings[column] = mapped_meaning(target)
    for derived in (
        _groups,
        _by_neighbours,
        _latents,
        discriminator_halves,
        _first_of_two_games,
        _generator_by_its_part,
        discriminator_accuracy,
        _bare_splits,
        _timed,
    ):
        meanings |= derived(meanings)
    return _all_placed(meanings)


def _all_placed(meanings: Mapping[str, Meaning]) -> Mapping[str, Meaning]:
    numbers = [meaning for meaning in meanings.values() if meaning.is_metric]
    losses = {meaning.split for meaning in numbers if meaning.metric == "loss" or meaning.metric.endswith("_loss")}
    held = {(meaning.split, meaning.metric) for meaning in numbers}
    return {column: _placed(meaning, losses, held) for column, meaning in meanings.items()}


def _evaluated_returns(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """The column `mean` of a table that holds the mean, the median and the spread of an evaluation's returns; a game's score where no reward is logged."""
    named = {tidy(column): column for column in meanings}
    if named.keys() >= CHAINERRL:
        return {named["mean"]: Meaning(Kind.SERIES, "", "reward")}
    means = filter(MEAN_SCORE.match, named)
    score = next((named[name] for name in (*means, *SCORES) if name in named), None)
    rewarded = any(meaning.metric == "reward" for meaning in meanings.values())
    return {} if score is None or rewarded else {score: Meaning(Kind.SERIES, "", "reward")}


def _by_neighbours(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """Short names that the columns beside them explain: `P R F1` and `Rec KL Total` of a VAE."""
    named = {tidy(column): column for column in meanings}
    explained: dict[str, str] = {}
    if "r" in named and named.keys() & {"f1", "f1_score", "precision"}:
        explained |= {"p": "precision", "r": "recall"}
    if "rec" in named and named.keys() & {"kl", "kld", "kl_loss"}:
        explained["rec"] = "reconstruction"
    if _is_of_parts(meanings, explained or dict.fromkeys(named.keys() & {"reg", "regularization"}, "part")):
        explained["total"] = "loss"
    return {named[n]: Meaning(Kind.SERIES, "", metric) for n, metric in explained.items() if n in named}


def _latents(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """A spread of `z` whose mean is logged, too, is that of the latents of a flow or a VAE, and no sign of a collapse."""
    named = {tidy(column): column for column in meanings}
    return {named["z_std"]: Meaning(Kind.UNKNOWN)} if named.keys() >= {"z_std", "z_mean"} else {}


def _first_of_two_games(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """`D_A` and `G_A` of a CycleGAN, which has two of each: the first pair stands for both where no whole is logged."""
    named = {WORD_LOSS.sub("", tidy(column)): column for column in reversed(list(meanings))}
    sides = {"d_a": "discriminator_loss", "g_a": "generator_loss"}
    if not named.keys() >= {*sides, "d_b", "g_b"} or {what.metric for what in meanings.values()} & {*sides.values()}:
        return {}
    return {named[name]: Meaning(Kind.SERIES, "", metric) for name, metric in sides.items()}


def _generator_by_its_part(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """The adversarial part of a generator's loss, as `loss_G_fake`, where its opponent's loss is logged and no whole of its own."""
    held = {what.metric for what in meanings.values()}
    if held.isdisjoint({"discriminator_loss", "discriminator_real_loss"}) or "generator_loss" in held:
        return {}
    named = {tidy(column).removeprefix("loss_").removesuffix("_loss"): column for column in meanings}
    part = next((named[name] for name in ("g_gan", "g_adv", "g_fake") if name in named), None)
    return {} if part is None else {part: Meaning(Kind.SERIES, "", "generator_loss")}


def _is_of_parts(meanings: Mapping[str, Meaning], explained: Mapping[str, str]) -> bool:
    """Whether a table holds parts of a loss, or what is read as such, and no whole one."""
    known = [meaning for meaning in meanings.values() if meaning.is_metric]
    parts = bool(explained) or any(meaning.kind is Kind.PART for meaning in known)
    return parts and not any(meaning.metric == "loss" for meaning in known)


def _groups(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """Columns such as `eval_news_loss`: the Hugging Face trainer's evaluations on several sets, where none is the whole."""
    found: dict[str, Meaning] = {}
    whole = {(meaning.split, meaning.metric) for meaning in meanings.values()}
    for column, meaning in meanings.items():
        set_of = SET_OF_SEVERAL.fullmatch(column.strip()) if meaning.kind is Kind.UNKNOWN else None
        metric = METRICS.get(set_of["metric"], "") if set_of else ""
        if metric and ("validation", metric) not in whole:
            found[column] = Meaning(Kind.GROUP, "validation", metric)
    return found


def _bare_splits(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """Columns called `train` and `val`, where nothing else is a loss or a metric: they are losses.

    So is a lone `val` where the only other series is one loss.
    """
    bare = {column: SPLITS[tidy(column)] for column in meanings if tidy(column) in SPLITS}
    series = [m for m in meanings.values() if m.is_metric and m.metric not in WITHOUT_SPLIT]
    beside_loss = [m.metric for m in series] == ["loss"] and series[0].split in ("", "train")
    lone = list(bare.values()) == ["validation"] and beside_loss
    if not lone and (series or len(set(bare.values())) < 2):
        return {}
    return {column: Meaning(Kind.SERIES, split, "loss") for column, split in bare.items()}


def _timed(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """A bare `time` next to the time waited for data is the step's time; a bare `data` next to it is that wait."""
    named = {tidy(column): column for column in meanings}
    metrics = {meaning.metric for meaning in meanings.values()}
    if "time" not in named or "step_time" in metrics or not ("data" in named or "data_time" in metrics):
        return {}
    found = {named["time"]: Meaning(Kind.MACHINE, "", "step_time")}
    if "data_time" not in metrics:
        found[named["data"]] = Meaning(Kind.MACHINE, "", "data_time")
    return found


def map_pairs(maps: Iterable[str]) -> dict[str, str]:
    """Columns and what they are, from words as `my col=train/loss`. Raises UsageError for one that makes no sense."""
    return dict(_pair(text) for text in maps)


def _pair(text: str) -> tuple[str, str]:
    column, equals, target = text.rpartition("=")
    if not equals or not column:
        raise UsageError(f"--map wants 'column=series', as in --map 'my col=train/loss'; found '{text}'")
    mapped_meaning(target.strip())
    return column, target.strip()


def mapped_meaning(target: str) -> Meaning:
    """The meaning that a user gives with --map. Raises UsageError for a target that is no series name."""
    if target in ("epoch", "step"):
        return Meaning(Kind(target))
    if target in WITHOUT_SPLIT:
        return Meaning(Kind.SERIES, "", target, -1)
    spelled, _, metric = target.partition("/")
    split = SPLITS.get(spelled.lower(), spelled)
    known = (*WITHOUT_SPLIT, "step", "epoch", *(f"{one}/{name}" for one in OURS for name in ("loss", *BY_NAME)))
    near = nearest(target, known, MIN_SIMILARITY) if target not in known else ""
    if split not in OURS or not metric or (near and metric not in METRICS):
        raise UsageError(
            f"--map: '{target}' is not a known series{near}; use train/loss, validation/loss, train/accuracy, validation/accuracy, "
            "lr, grad_norm, step or epoch"
        )
    return Meaning(Kind.SERIES, split, METRICS.get(metric.lower(), metric), -1)


def _for_task(meaning: Meaning, playing: str) -> Meaning:
    """In reinforcement learning the loss does not measure learning, so it gets another name, and an accuracy is ignored."""
    if playing == "gan":
        return Meaning(Kind.UNKNOWN) if OF_EXAMPLES.match(meaning.metric) else meaning
    if meaning.kind is not Kind.SERIES or meaning.metric in WITHOUT_SPLIT:
        return meaning
    whole = meaning.metric == "loss" and meaning.split in ("", "train")
    return Meaning(Kind.SERIES, "", "total_loss", meaning.rank) if whole else Meaning(Kind.UNKNOWN)


def _placed(meaning: Meaning, losses: set[str], held: set[tuple[str, str]]) -> Meaning:
    """A metric without a split is given one: the split that the rest of the header leaves open for it."""
    if not meaning.is_metric or meaning.split or meaning.metric in WITHOUT_SPLIT:
        return meaning
    later = 4 if ("train", meaning.metric) in held else 0
    if "loss" in meaning.metric:
        return replace(meaning, split="train", rank=meaning.rank + later)
    validated = ("validation", meaning.metric) in held
    apart = "validation" in losses and "" not in losses
    split = "validation" if not validated and (apart or meaning.metric in HELD_OUT) else "train"
    return replace(meaning, split=split, rank=meaning.rank + later)


def _logged_split(word: str) -> str:
    """The word for a split as the log has it, where names know it."""
    return word if word.lower() in SPLITS else SPLIT_WORDS[word.lower()]


def by_phase(table: Table) -> Table:
    """Where a column says of which split each row is (`phase`: train, val), every column becomes one for each split."""
    for name, words in table.words.items():
        splits = {word: SPLIT_WORDS[word.lower()] for word in words.words if word.lower() in SPLIT_WORDS}
        runs = tidy(name) in RUN_KEYS and len(set(splits.values())) > 1  # `run` may say train and valid
        if (tidy(name) in PHASES or runs) and splits and set(words.words) <= {*splits, ""}:
            others = {one: held for one, held in table.words.items() if not runs or one != name}
            return replace(table, columns=_for_each_split(table.columns, words), words=others)
    return table


def _for_each_split(columns: Mapping[str, Column], words: WordColumn) -> dict[str, Column]:
    """Each metric as one column for each split that a column of words names; other columns as they are."""
    rows_of = [(_logged_split(word), words.codes == code) for code, word in enumerate(words.words) if word]
    apart: dict[str, Column] = {}
    for column, data in columns.items():
        meaning = meaning_of(column)
        if not meaning.is_metric or meaning.split or meaning.metric in WITHOUT_SPLIT:
            apart[column] = data
            continue
        for split, rows in rows_of:
            present = data.present & rows
            if present.any():
                apart[f"{split}/{column}"] = replace(data, present=present)
    return apart
