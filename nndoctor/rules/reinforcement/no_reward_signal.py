"""The rewards are all alike, so that the policy cannot learn from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nndoctor.analysis.reinforcement import (
    MIN_GAIN_OF_GAME,
    dead_steps,
    entropy,
    improves,
    is_dead_row,
    levels,
    reward,
    solved,
)
from nndoctor.analysis.start import series_begins_late
from nndoctor.analysis.workload import Workload, of_text, workload
from nndoctor.core.confidence import DIRECT, PLAUSIBLE, SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, closing, opening

MIN_DEAD = 0.8  # share of the groups or steps without a difference in reward
START = 0.3  # share of the run that shows whether there was ever a signal
END = 0.25  # share of the run at its end
NEARLY_ALL = 0.9  # share of the groups at the end where the task is not solved, or of equal rewards
LOW_REWARD = 0.5  # share of the highest reward: where all are lower the prompts are too hard
ERRORS = 3.0  # standard errors of a level by which a reward that rises exceeds chance
MIN_LONG = 40  # episodes or updates that show that a game's reward does not move
MIN_AT_WORST = 0.4  # share of a game's rewards, at its end, that are the lowest one to the last digit
# Share of the variance of the logged reward; a value function with a smaller error predicts a constant.
MAX_VALUE_ERROR = 1e-3
MAX_ENTROPY_LEFT = 0.8  # share of the first entropy that a policy has left which learns from its rewards
MIN_SAME = 20  # values of an entropy and a reward that show that a policy does not change
MAX_VALUE_TIMES = 10.0  # root of the value loss over the largest reward
MAX_MOVED = 0.01  # share of the entropy by which it moves then; a policy that learns becomes more certain
AFTER_START, AT_END = (0.1, 0.3), (0.8, 1.0)  # shares of the run; a running mean of the reward needs its first tenth
RARE = 1.0  # reward of an episode that is given once, at its end; a higher one was earned on the way
MIN_POINTS = 5


def check(run: Run) -> Iterator[Symptom]:
    """Count the groups of equal rewards, or see that a game's reward never moves."""
    dead, curve = dead_steps(run), run.series.get("reward")
    if curve is None or workload(run) is not Workload.REINFORCEMENT:
        return
    if dead is not None and len(dead) >= MIN_POINTS:
        early = float(np.mean(opening(dead, START, MIN_POINTS)))
        late = float(np.mean(closing(dead, END, MIN_POINTS)))
        if early >= MIN_DEAD and float(np.median(dead)) >= MIN_DEAD:
            yield _alike(run, float(np.mean(dead)), "from the start")
        elif late >= NEARLY_ALL and not improves(run):
            yield _alike(run, late, "at the end")
    elif is_dead_row(run):
        yield replace(_alike(run, 1.0, "in the only step of the log"), confidence=PLAUSIBLE)
    elif (unpaid := _unpaid(run)) is not None:
        yield unpaid
    else:
        yield from _unchanging(run, curve)


def _unpaid(run: Run) -> Symptom | None:
    """A value function without error although rewards vary and do not rise: the policy does not learn from what is logged."""
    curve, value = run.series_of("reward", MIN_LONG), run.series_of("value_loss", MIN_LONG)
    if of_text(run) or curve is None or value is None or improves(run) or solved(run):
        return None
    last = float(np.median(value.y[len(value.y) // 2 :]))
    if last < 0 or math.sqrt(last / MAX_VALUE_ERROR) >= curve.noise or curve.high == curve.low:
        return None
    return Symptom(
        f"the value loss is {number(last)} while the episodes' reward varies by {number(curve.noise)} and does not rise: "
        "the updates see the same return everywhere",
        SEVERAL_SIGNS,
        {"value_loss": last, "noise": curve.noise},
        series="value_loss",
        step=value.last_step,
        span=value.span,
        causes=(
            Cause(
                "reward lost between the environment and the update",
                0.7,
                "a constant return is predicted without error",
                "print the rewards and the advantages of one batch of the update",
            ),
            Cause(
                "reward scaled or clipped to almost nothing",
                0.3,
                "returns that hardly differ leave nothing to predict",
                "one run with the reward as the environment gives it",
            ),
        ),
        remedies=("check-the-reward", "shape-the-reward"),
    )


def _alike(run: Run, share: float, when: str) -> Symptom:
    curve, way = run.series["reward"], reward(run)
    level = way.last if way is not None else curve.last
    norm = run.series_of("grad_norm")
    unchanged = norm is not None and float(np.median(norm.y)) == 0.0
    return Symptom(
        f"{percent(share)} of the groups have equal rewards {when} (reward {number(level)}), so that their advantage is 0"
        + (" and so is the gradient" if unchanged else ""),
        DIRECT,
        {"dead_share": share, "reward": level, "grad_norm": 0.0 if unchanged else None},
        series="reward",
        step=curve.first_step,
        span=curve.span,
        causes=_causes(level, run),
    )


def _causes(level: float, run: Run) -> tuple[Cause, ...]:
    top = run.series["reward"].high
    hard = level <= 0 or level < LOW_REWARD * top
    return (
        Cause(
            "prompts too hard" if hard else "prompts too easy",
            0.5,
            f"the reward is {number(level)}",
            "measure the pass rate of the model before training, with 16 samples for each prompt",
        ),
        Cause(
            "the reward function always returns the lowest reward"
            if hard
            else "the reward function always returns the highest reward",
            0.35,
            "a parser that fails gives every answer the same reward",
            "print the reward of five right and five wrong answers",
        ),
        Cause(
            "samples too alike",
            0.15,
            "a low temperature repeats one answer",
            "one run at temperature 1 with 16 samples for each prompt",
        ),
    )


def _unchanging(run: Run, curve: Series) -> Iterator[Symptom]:
    """A reward that is the same in all updates, ends at its lowest value, or whose level never rises."""
    y = curve.y
    constant = len(y) >= MIN_POINTS and float(np.mean(y == np.median(y))) >= NEARLY_ALL
    if len(y) < MIN_POINTS or (solved(run) and not constant):
        return
    level = levels(curve)
    if constant and (_grows_certain(run, y) or (y.min() > RARE and series_begins_late(curve))):
        return  # solved before the log began
    if constant or _ends_at_worst(run, y):
        text = f"the reward is {number(float(np.median(y)))} in {int(np.sum(y == np.median(y)))} of {len(y)} values, whatever the policy does"
        yield _unchanged(curve, text, DIRECT)
    elif (same := _same_policy(run, curve)) is not None:
        yield replace(_unchanged(curve, same, PLAUSIBLE), causes=SAME_CAUSES, remedies=SAME_FIRST)
    elif _never_rises(run, curve):
        text = f"the reward never rises: about {number(level.start)} at the start, {number(level.last)} at the end of {len(y)} values"
        yield _unchanged(curve, text, PLAUSIBLE)


def _grows_certain(run: Run, y: Array) -> bool:
    """Whether a policy that gets a constant reward above zero becomes more certain all the time: it was solved before the log began."""
    found = entropy(run)
    if found is None or len(found.y) < MIN_POINTS or y.min() <= 0 or found.low <= 0:
        return False
    return bool((np.diff(found.y) < 0).all()) and found.last < MAX_ENTROPY_LEFT * found.first


def _ends_at_worst(run: Run, y: Array) -> bool:
    """Whether a game's rewards end at the lowest one, to the last digit; in a long run nearly all of them, and no fewer than at first."""
    if of_text(run) or len(y) < MIN_LONG // 2:
        return False
    part = int(MIN_AT_WORST * len(y))
    early, late = y[:part], y[-part:]
    if bool((late == y.min()).all()):
        return True
    error = math.hypot(float(np.std(early)), float(np.std(late))) / math.sqrt(part)
    rises = float(np.mean(late) - np.mean(early)) > error
    return len(y) >= MIN_LONG and min(np.mean(early == y.min()), np.mean(late == y.min())) >= MIN_DEAD and not rises


def _same_policy(run: Run, curve: Series) -> str | None:
    """The clause that says that a game's policy stays as random as it was, and earns no more; else None."""
    spread = entropy(run)
    if of_text(run) or spread is None or min(len(spread.y), len(curve.y)) < MIN_SAME or spread.low <= 0:
        return None
    if _values_out_of_scale(run, curve):
        return None
    early, late = curve.level(*AFTER_START), curve.level(*AT_END)
    if spread.high - spread.low > MAX_MOVED * spread.high or late - early > MIN_GAIN_OF_GAME * abs(early):
        return None
    return f"the policy's entropy stays at {number(spread.last)} in all {len(spread.y)} values, and the reward at about {number(late)}: the policy hardly changes"


def _values_out_of_scale(run: Run, curve: Series) -> bool:
    """Whether the value function's errors are far larger than any reward: then that is what keeps the policy as it is."""
    value = run.series_of("value_loss")
    return value is not None and math.sqrt(max(levels(value).last, 0.0)) > MAX_VALUE_TIMES * float(
        np.abs(curve.y).max()
    )


def _never_rises(run: Run, curve: Series) -> bool:
    """Whether a game's reward stays at its first level in a long run."""
    if of_text(run) or len(curve.y) < MIN_LONG:
        return False
    level = levels(curve)
    return max(level.best - level.start, abs(level.last - level.start)) < ERRORS * level.error


def _unchanged(curve: Series, text: str, confidence: float) -> Symptom:
    level = levels(curve)
    return Symptom(
        text,
        confidence,
        {"start": level.start, "best": level.best, "last": level.last},
        series="reward",
        step=curve.last_step,
        span=curve.span,
        causes=(
            Cause(
                "rewards too rare",
                0.4,
                "random actions never earn one",
                "reward the first step towards the goal, and see whether the policy learns that",
            ),
            Cause(
                "too little exploration",
                0.3,
                "the policy may never try what is rewarded",
                "one run with more entropy or a higher epsilon",
            ),
            Cause(
                "learning rate too low", 0.3, "the policy may hardly change", "one run with ten times the learning rate"
            ),
        ),
        remedies=("shape-the-reward", "entropy-bonus", "raise-learning-rate"),
    )


SAME_CAUSES = (
    Cause("learning rate too low", 0.5, "the policy hardly changes", "one run with ten times the learning rate"),
    Cause(
        "rewards too rare", 0.5, "random actions never earn one", "print the rewards and the advantages of one batch"
    ),
)
SAME_FIRST = ("raise-learning-rate", "check-the-reward", "shape-the-reward")

RULE = Rule(
    code="NNR04",
    name="no-reward-signal",
    severity=Severity.WARNING,
    title="the rewards carry no signal",
    needs={"fact:single_row|reward": MIN_POINTS},
    check=check,
    why="A policy learns from differences between rewards. If all are equal the gradient is zero, and the steps are wasted.",
    how=f"Early warning. {percent(MIN_DEAD)} of the groups have equal rewards (a reward_std of zero, or frac_reward_zero_std) in the first {percent(START)} of the run and over all of it, or {percent(NEARLY_ALL)} at the end while the task is not solved; or the log has one step, in which all groups have equal rewards and the gradient is zero. In control tasks: the reward is constant (unless it is positive and the policy's entropy falls all the time, or it is above {RARE:g} in a log that begins in the middle of a run), ends at its lowest value in {percent(MIN_AT_WORST)} of the values, is at it in {percent(MIN_DEAD)} of the first and of the last {percent(MIN_AT_WORST)} of {MIN_LONG} values or more without a rise, does not rise by {ERRORS:g} standard errors over {MIN_LONG} values, or rises by less than {percent(MIN_GAIN_OF_GAME)} while the entropy moves by less than {percent(MAX_MOVED)} in {MIN_SAME} values or more; or the value loss is less than {percent(MAX_VALUE_ERROR)} of the reward's variance while the reward does not rise.",
    sources=(
        Reference("Yu et al., DAPO, 2025: dynamic sampling", "https://arxiv.org/abs/2503.14476"),
        Reference("Shao et al., DeepSeekMath (GRPO), 2024", "https://arxiv.org/abs/2402.03300"),
    ),
    remedies=("mix-prompts", "check-the-reward", "larger-groups", "supervised-first", "shape-the-reward"),
    sick=(
        Run.drawn(
            {"task": "reinforcement-learning"},
            reward="13.9 17.4 21.1 20.8 19.4 20.5 19.8 19 19.2 17.3 21 21.5 20.2 23.3 22.9 20.5 22.6 22.1 23.3 21.3 20.1 20.2",
            entropy="0.69 0.689 0.689 0.688 0.686 0.69*6 0.688 0.689 0.687 0.689 0.69 0.689 0.687 0.688 0.69 0.689 0.69",
        ),
        Run.drawn({"task": "reinforcement-learning"}, reward="0*30", reward_std="0*30", grad_norm="0*30"),
        Run.drawn({"task": "reinforcement-learning"}, reward="0*30"),
        Run.drawn({"task": "reinforcement-learning"}, reward="-20*6 -18 -20*9 -17 -20*14 -18 -20*9 -19 -20*8"),
        Run.drawn({"task": "reinforcement-learning"}, reward="-36 -37 -38 -39 -39.5*4 -40*20", exploration_rate="0*28"),
        Run.drawn(
            {"task": "reinforcement-learning"},
            reward="-0.7 -0.6 -0.5 -0.7 -0.6 -0.8 -0.5 -0.6 -0.7 -0.5 -0.8 -0.7 -0.6 -0.5 -0.7 -0.6 -0.8 -0.5 -0.6 -0.7 -0.5 -0.8 -0.7 -0.6 -0.5 -0.7 -0.6 -0.8 -0.5 -0.6 -0.7 -0.5 -0.8 -0.7 -0.6 -0.7 -0.6 -0.8 -0.5 -0.6 -0.7 -0.5 -0.8 -0.7",
            value_loss="0.009..0.0000003*44",
        ),
    ),
    healthy=(
        Run.drawn({"task": "reinforcement-learning"}, reward="-1200..-160*30", entropy="1.42*30"),
        Run.drawn(
            {"task": "reinforcement-learning"},
            reward="0.3..0.99*30",
            reward_std="0.3*20 0*10",
            zero_spread_groups="0.1*20 1*10",
        ),
        Run.drawn({"task": "reinforcement-learning"}, reward="10..200*30"),
        Run.drawn({"task": "reinforcement-learning"}, reward="0*30 1 0*6 1 0*4 1 0*3 1 0*3 1 0*2 1 0*2 1 0 1"),
        Run.drawn({"task": "reinforcement-learning"}, reward="-36..5*30 5*20", value_loss="50..0.0002*50"),
        Run.drawn({"task": "reinforcement-learning"}, reward="500*6", entropy="0.47 0.33 0.29 0.26 0.25 0.19"),
    ),
    suppressed_by=("nan-loss", "entropy-collapse"),
    on_request=True,
)
