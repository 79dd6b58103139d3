"""Proximal policy optimization (PPO) and advantage actor-critic (A2C) on small control tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmarks.zoo.modern.control import Pole, Walk

TASKS = {"pole": Pole, "walk": Walk}
DISCOUNT, TRACE = 0.98, 0.95


@dataclass(frozen=True)
class Setup:
    """How a run is trained; the defaults train well."""

    task: str = "pole"
    lr: float = 3e-3
    copies: int = 8
    length: int = 64
    iterations: int = 60
    epochs: int = 6
    clip: float = 0.2
    entropy: float = 0.005
    value: float = 0.5
    value_lr: float | None = None
    reward_scale: float = 1.0
    norm: float = 0.5
    lr_jump: tuple[int, float] | None = None
    sign: float = 1.0
    width: int = 32
    a2c: bool = False
    reward_from: float = 0.0
    normalize: bool = True


def net(inputs: int, outputs: int, width: int, gain: float) -> nn.Sequential:
    """Two hidden layers of tanh."""
    made = nn.Sequential(
        nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, outputs)
    )
    last = made[-1]
    assert isinstance(last, nn.Linear)
    nn.init.orthogonal_(last.weight, gain)
    return made


def train(seed: int, setup: Setup) -> list[dict[str, float]]:
    """One run; a row for each iteration, under names of our own."""
    torch.manual_seed(seed)
    env = TASKS[setup.task](setup.copies, seed)
    policy, critic = net(env.size, env.actions, setup.width, 0.01), net(env.size, 1, setup.width, 1.0)
    groups = [
        {"params": policy.parameters(), "lr": setup.lr},
        {"params": critic.parameters(), "lr": setup.value_lr if setup.value_lr is not None else setup.lr},
    ]
    optimizer = torch.optim.Adam(groups)
    state = env.state.copy()
    returns: list[float] = []
    rows: list[dict[str, float]] = []
    for iteration in range(setup.iterations):
        if setup.lr_jump and iteration == setup.lr_jump[0]:
            for group in optimizer.param_groups:
                group["lr"] *= setup.lr_jump[1]
        batch, state = collect(setup, env, policy, critic, state)
        returns = [*returns, *env.finished][-50:]
        ended, env.finished = env.finished, []
        row = learn(setup, policy, critic, optimizer, batch)
        rows.append(
            {
                "step": (iteration + 1) * setup.copies * setup.length,
                "reward": float(np.mean(returns)) if returns else float("nan"),
                "episodes": len(ended),
                **row,
                "lr": optimizer.param_groups[0]["lr"],
            }
        )
    return rows


def collect(
    setup: Setup, env: Pole, policy: nn.Module, critic: nn.Module, state: np.ndarray
) -> tuple[list[torch.Tensor], np.ndarray]:
    """States, actions, log-probabilities, values, advantages and returns of one round of play."""
    states, actions, logs, values, paid, ends = [], [], [], [], [], []
    for _ in range(setup.length):
        seen = torch.tensor(state, dtype=torch.float32)
        with torch.no_grad():
            choice = torch.distributions.Categorical(logits=policy(seen))
            action = choice.sample()
            values.append(critic(seen)[:, 0])
            logs.append(choice.log_prob(action))
        states.append(seen)
        actions.append(action)
        state, reward, done = env.step(action.numpy())
        paid.append(
            torch.tensor(
                reward * setup.reward_scale * (setup.reward_from == 0 or env.age.mean() > setup.reward_from),
                dtype=torch.float32,
            )
        )
        ends.append(torch.tensor(done, dtype=torch.float32))
    with torch.no_grad():
        ahead = critic(torch.tensor(state, dtype=torch.float32))[:, 0]
    gains: list[torch.Tensor] = []
    trace = torch.zeros(setup.copies)
    for at in reversed(range(setup.length)):
        after = (ahead if at == setup.length - 1 else values[at + 1]) * (1 - ends[at])
        trace = paid[at] + DISCOUNT * after - values[at] + DISCOUNT * TRACE * (1 - ends[at]) * trace
        gains.insert(0, trace)
    stacked = [torch.cat(part) for part in (states, actions, logs, values, gains)]
    return [*stacked, stacked[3] + stacked[4]], state


def learn(
    setup: Setup, policy: nn.Module, critic: nn.Module, optimizer: torch.optim.Optimizer, batch: list[torch.Tensor]
) -> dict[str, float]:
    """The epochs over one batch, and the statistics that the libraries log."""
    states, actions, logs, values, gains, targets = batch
    told: dict[str, list[float]] = {}
    rounds = 1 if setup.a2c else setup.epochs
    size = len(states) if setup.a2c else 128
    for _ in range(rounds):
        for chosen in torch.randperm(len(states)).split(size):
            choice = torch.distributions.Categorical(logits=policy(states[chosen]))
            change = choice.log_prob(actions[chosen]) - logs[chosen]
            ratio = change.exp()
            gain = gains[chosen] * setup.sign
            if setup.normalize:
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            if setup.a2c:
                lost = -(choice.log_prob(actions[chosen]) * gain).mean()
            else:
                lost = -torch.minimum(ratio * gain, ratio.clamp(1 - setup.clip, 1 + setup.clip) * gain).mean()
            off = nn.functional.mse_loss(critic(states[chosen])[:, 0], targets[chosen])
            random = choice.entropy().mean()
            loss = lost + setup.value * off - setup.entropy * random
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_([*policy.parameters(), *critic.parameters()], setup.norm)
            optimizer.step()
            seen = {
                "policy_loss": lost, "value_loss": off, "entropy": random, "loss": loss, "grad_norm": norm,
                "approx_kl": ((ratio - 1) - change).mean(), "clip": ((ratio - 1).abs() > setup.clip).float().mean(),
            }  # fmt: skip
            for name, value in seen.items():
                told.setdefault(name, []).append(float(value.detach()))
    spread = targets.var()
    fit = 1 - (targets - values).var() / spread if spread > 0 else torch.tensor(float("nan"))
    return {**{name: float(np.mean(numbers)) for name, numbers in told.items()}, "explained_variance": float(fit)}
