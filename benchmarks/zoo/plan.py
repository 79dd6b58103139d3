"""Which experiments the zoo holds: every recipe, over settings and optimizers in turn, with a log style drawn for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.zoo.catalogue import RECIPES
from benchmarks.zoo.experiment import Experiment, LogStyle, seed_of
from benchmarks.zoo.practice import PRACTICE
from benchmarks.zoo.recipes import Recipe
from benchmarks.zoo.settings import TESTING, TUNING, Setting

EPOCH_SPELLINGS = ("keras", "torch", "fastai", "slash", "words", "error")
SETTINGS = {"tuning": TUNING, "testing": TESTING, "practice": PRACTICE}
TWICE = 2  # the tuning half has every recipe so many times as often as it says
MOST_ROWS = 120  # of a log by epochs: data sets of a few batches are logged by steps beyond that


def plan(split: str) -> list[Experiment]:
    """The experiments of one split, conditions well mixed, so that a part of the zoo is a small zoo."""
    found = list(_all(split))
    order = np.random.default_rng(seed_of("mix", split)).permutation(len(found))
    return [found[i] for i in order]


def _all(split: str) -> Iterator[Experiment]:
    for r, recipe in enumerate(RECIPES):
        settings = [s for s in SETTINGS[split] if recipe.fits(s)]
        rng = np.random.default_rng(seed_of("settings", split, r))
        settings += [s for s in settings if s.dense] + [s for s in settings if s.cheap]  # cheap ones come more often
        turns = [settings[i] for i in rng.permutation(len(settings))]
        for n in range(_count(recipe, split) if turns else 0):
            yield experiment(f"{split}-{r:02d}-{n:02d}", split, recipe, turns[n % len(turns)])


def _count(recipe: Recipe, split: str) -> int:
    """How many runs of a split a recipe makes."""
    return recipe.testing if split == "testing" else TWICE * recipe.tuning


def experiment(name: str, split: str, recipe: Recipe, setting: Setting) -> Experiment:
    """One experiment: the sound setting with the recipe's condition planted."""
    rng = np.random.default_rng(seed_of("experiment", name))
    optimizer = str(rng.choice([o for o in recipe.optimizers if o in setting.optimizers]))
    lr = setting.rate(optimizer) * float(np.exp(rng.normal(0, 0.15)))
    sound = Experiment(
        id=name,
        split=split,
        planted=recipe.planted,
        workload=setting.workload,
        task=setting.task,
        net=setting.net,
        width=setting.width,
        depth=setting.depth,
        activation=setting.activation,
        optimizer=optimizer,
        lr=lr,
        steps=setting.steps,
        batch_size=setting.batch_size,
        train_size=setting.train_size,
        data_noise=setting.data_noise,
        log=_style(rng),
    )
    return _tidy(recipe.plant(sound, rng), rng)


def _style(rng: np.random.Generator) -> LogStyle:
    return LogStyle(
        spelling=str(rng.choice(EPOCH_SPELLINGS)),
        train=str(rng.choice(["running", "running", "clean"])),
        accuracy=bool(rng.random() < 0.75),
        validation=bool(rng.random() < 0.93),
        lr=bool(rng.random() < 0.5),
        grad_norm=bool(rng.random() < 0.25),
        percent=bool(rng.random() < 0.25),
        digits=int(rng.choice([4, 5, 6])),
        stops_at_nan=bool(rng.random() < 0.5),
    )


def _tidy(e: Experiment, rng: np.random.Generator) -> Experiment:
    """Whole rows, and neither too many of them nor too few."""
    style = e.log
    if style.per == "epoch" and not 5 <= e.steps / e.epoch_steps <= MOST_ROWS:
        every = max(1, e.steps // int(rng.integers(25, 80)))
        style = replace(
            style, per="step", every=every, spelling=str(rng.choice(["step", "trainer", "step_slash", "iteration"]))
        )
    if style.per == "step" and style.train == "clean":
        style = replace(style, train="running")
    e = replace(e, log=style)
    return replace(e, steps=max(e.steps // e.row_steps, 5) * e.row_steps)
