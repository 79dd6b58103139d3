"""The planted faults and their healthy twins: what each run is to be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from benchmarks.zoo.modern import dialects, group_policy, policy_gradient

G, P = group_policy.Setup(), policy_gradient.Setup(iterations=40, epochs=4)


@dataclass(frozen=True)
class Case:
    """One run: how it is made, as which framework's log, and the findings that are right; none where it is healthy."""

    name: str
    make: Callable[[int], list[dict[str, float]]]
    write: Callable[..., str]
    suffix: str
    right: tuple[str, ...] = ()


def group(setup: group_policy.Setup, strength: float = 1.0) -> Callable[[int], list[dict[str, float]]]:
    """A maker of group-relative runs."""
    return lambda seed: group_policy.train(seed, setup, strength)


def play(setup: policy_gradient.Setup) -> Callable[[int], list[dict[str, float]]]:
    """A maker of runs on control tasks."""
    return lambda seed: policy_gradient.train(seed, setup)


GROUP = {
    "grpo_healthy": (G, ()),
    "grpo_healthy_slow": (replace(G, lr=1e-3, steps=120), ()),
    "grpo_healthy_strong_kl": (replace(G, beta=0.1, entropy_bonus=0.01), ()),
    "grpo_healthy_hard": (replace(G, reward="strict", lr=2e-3), ()),
    "grpo_never_paid": (replace(G, reward="never", steps=100), ("no-reward-signal",)),
    "grpo_always_paid": (replace(G, reward="constant", steps=100), ("no-reward-signal",)),
    "grpo_too_hard": (replace(G, reward="strict", target_length=11, steps=100), ("no-reward-signal",)),
    "grpo_paid_by_length": (replace(G, reward="length", beta=0.0), ("truncated-completions",)),
    "grpo_rate_too_high": (replace(G, lr=0.08, beta=0.0, epochs=4), ("policy-update-too-large", "entropy-collapse", "kl-blow-up", "no-reward-signal", "reward-collapse")),
    "grpo_entropy_penalty": (replace(G, lr=0.02, beta=0.0, entropy_bonus=-0.6), ("entropy-collapse", "no-reward-signal")),
    "grpo_reward_turns": (replace(G, lr=0.01, flip_at=60), ("reward-collapse",)),
}  # fmt: skip
PLAY = {
    "ppo_healthy": (P, ()),
    "ppo_healthy_walk": (replace(P, task="walk"), ()),
    "ppo_healthy_slow": (replace(P, lr=1e-3), ()),
    "a2c_healthy": (replace(P, a2c=True, iterations=200, length=16), ()),
    "ppo_rate_too_high": (replace(P, lr=0.1), ("policy-update-too-large", "entropy-collapse", "reward-collapse", "kl-blow-up")),
    "ppo_unclipped": (replace(P, clip=10.0, lr=0.02, epochs=10, norm=100.0), ("policy-update-too-large", "reward-collapse", "kl-blow-up", "entropy-collapse")),
    "ppo_no_value": (replace(P, value_lr=0.0), ("value-function-unfit",)),
    "ppo_reward_unscaled": (replace(P, reward_scale=1000.0), ("value-function-unfit",)),
    "ppo_rate_jumps": (replace(P, lr_jump=(22, 50.0)), ("reward-collapse", "policy-update-too-large", "entropy-collapse", "kl-blow-up")),
    "ppo_entropy_penalty": (replace(P, entropy=-0.5, lr=0.01), ("entropy-collapse", "reward-collapse")),
    "ppo_wrong_sign": (replace(P, sign=-1.0), ("reward-collapse", "entropy-collapse")),
}  # fmt: skip
GROUP_LOGS = ((dialects.trl_grpo, ".json"), (dialects.verl, ".log"), (dialects.printed, ".txt"))
PLAY_LOGS = ((dialects.sb3, ".csv"), (dialects.cleanrl, ".csv"), (dialects.rllib, ".json"), (dialects.sb3_printed, ".log"))


def cases() -> Iterator[Case]:
    """All of them."""
    for name, (setup, right) in GROUP.items():
        yield Case(name, group(setup), GROUP_LOGS[0][0], GROUP_LOGS[0][1], right)
    for name, (game, right) in PLAY.items():
        yield Case(name, play(game), PLAY_LOGS[0][0], PLAY_LOGS[0][1], right)
