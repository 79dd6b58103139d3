"""The policy has become almost deterministic before it solved its task."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.learning_rate import peak_in_words
from nndoctor.analysis.reinforcement import complete, entropy, gained_at, improves, levels, reward
from nndoctor.analysis.workload import Workload, of_text, workload
from nndoctor.core.confidence import MEASURED, PLAUSIBLE
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MAX_LEFT = 0.1  # share of the first entropy; healthy policies keep a fifth
MIN_GAINED = 0.4  # share of the reward's rise; a policy that is nearly certain before that learns slowly, by chance
MAX_LOST = 0.3  # share of the reward's rise; a policy that lost more has not solved its task
ERRORS = 3.0  # standard errors of a level of the reward
NO_ENTROPY = (
    1e-3  # nats; a policy that never has more takes one action everywhere, and did before the first value was logged
)
SECOND_HALF = 0.5  # share of the run after which the entropy is low as a whole


def check(run: Run) -> Iterator[Symptom]:
    """Compare the entropy at the end with that at the start, where the reward shows that the task is not solved."""
    curve = entropy(run)
    if workload(run) is not Workload.REINFORCEMENT or curve is None or len(curve.y) < MIN_POINTS:
        return
    level = levels(curve)
    start = max(level.start, curve.initial)
    if _never_explored(run, curve):
        yield _symptom(run, curve, None, curve.first_step)
    if start <= NO_ENTROPY or min(level.last, curve.level(SECOND_HALF, 1.0)) > MAX_LEFT * start:
        return
    at = curve.step_where(curve.y <= MAX_LEFT * start)
    if improves(run) and not _lost_reward(run) and not _came_early(run, at):
        return
    yield _symptom(run, curve, start, at)


def _never_explored(run: Run, curve: Series) -> bool:
    """Whether the policy was certain from the first value on, and the reward does not rise."""
    certain = float(abs(curve.y).max()) <= NO_ENTROPY
    return certain and reward(run) is not None and not improves(run) and not complete(run)


def _lost_reward(run: Run) -> bool:
    """Whether the reward has lost a good part of its rise."""
    rewards = reward(run)
    return (
        rewards is not None
        and rewards.best - rewards.last > MAX_LOST * (rewards.best - rewards.start) + ERRORS * rewards.error
    )


def _came_early(run: Run, at: float) -> bool:
    """Whether the policy was nearly certain before the reward had risen much, and the task is not solved."""
    gained = gained_at(run, at)
    return gained is not None and gained < MIN_GAINED and not complete(run)


def _symptom(run: Run, curve: Series, start: float | None, at: float) -> Symptom:
    """The finding; without a first entropy the policy was certain before the log began."""
    rewards = reward(run)
    rewarded = (
        ""
        if rewards is None
        else f", while the reward went from about {number(rewards.start)} to {number(rewards.last)}"
    )
    fell = (
        f"policy entropy is {number(curve.final)} from the first value on"
        if start is None
        else f"policy entropy fell from {number(curve.initial)} to {number(curve.final)} (below a tenth at {run.place(at)})"
    )
    return Symptom(
        f"{fell}{rewarded}: the policy has stopped exploring",
        MEASURED if rewards is not None else PLAUSIBLE,
        {"start": start, "last": levels(curve).last, "step": at, "reward": None if rewards is None else rewards.last},
        series=curve.name,
        step=at,
        span=(at, curve.last_step),
        causes=_causes(run),
        remedies=TEXT_FIRST if of_text(run) else (),
    )


def _causes(run: Run) -> tuple[Cause, ...]:
    return (
        Cause("learning rate too high", 0.45, peak_in_words(run), "one run with a third of the learning rate"),
        Cause("no entropy bonus", 0.35, "nothing rewards trying other actions", "one run with an entropy bonus"),
        Cause(
            "no KL penalty",
            0.2,
            "nothing keeps the policy near its initial state",
            "one run with a larger KL coefficient",
        ),
    )


MIN_POINTS = 8
TEXT_FIRST = ("lower-learning-rate-for-policies", "clip-higher", "entropy-bonus", "raise-kl-coefficient", "mix-prompts")

RULE = Rule(
    code="NNR01",
    name="entropy-collapse",
    severity=Severity.WARNING,
    title="the policy stopped exploring",
    needs={"entropy|entropy_loss": MIN_POINTS},
    check=check,
    why="A policy that always takes the same action sees nothing new, so its reward cannot rise any further.",
    how=f"Early warning. The entropy ends at {percent(MAX_LEFT)} of its start or less, and the reward has not clearly risen, had gained less than {percent(MIN_GAINED)} of its rise by then, or has fallen by {percent(MAX_LOST)} of it. A policy that has solved its task may be deterministic.",
    sources=(
        Reference("Yu et al., DAPO, 2025: entropy collapse in GRPO", "https://arxiv.org/abs/2503.14476"),
        Reference(
            "Mnih et al., Asynchronous Methods for Deep RL, 2016: the entropy bonus", "https://arxiv.org/abs/1602.01783"
        ),
    ),
    remedies=("entropy-bonus", "lower-learning-rate-for-policies", "clip-higher", "raise-kl-coefficient"),
    sick=(
        Run.drawn(
            {"task": "reinforcement-learning"},
            entropy="1.2..0.6*20 0.6..0.01*20",
            reward="0.2..0.5*20 0.5*20",
            reward_std="0.35..0.02*40",
        ),
        Run.drawn({"task": "reinforcement-learning"}, entropy_loss="-0.69..-0.0001*40", reward="20..9.3*10 9.3*30"),
        Run.drawn({"task": "reinforcement-learning"}, entropy="0*20", reward="10 9 8 10 9 11 9 8 10 9*11"),
    ),
    healthy=(
        Run.drawn(
            {"task": "reinforcement-learning"},
            entropy="1.2..0.06*40",
            reward="0.2..0.97*40",
            reward_std="0.35..0.02*40",
        ),
        Run.drawn({"task": "reinforcement-learning"}, entropy_loss="-0.69..-0.45*40", reward="20..190*40"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
