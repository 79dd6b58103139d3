"""Deep Q-learning (DQN) on small control tasks."""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmarks.zoo.modern.control import Pole, Walk

TASKS = {"pole": Pole, "walk": Walk}


@dataclass(frozen=True)
class Setup:
    """How a run is trained; the defaults train well."""

    task: str = "pole"
    steps: int = 1800
    copies: int = 4
    rate: float = 1e-3
    explore: tuple[float, float] = (1.0, 0.05)
    over: float = 0.35
    target_every: int = 60
    discount: float = 0.98
    clip: float = 10.0
    paid: float = 1.0
    huber: bool = True
    memory: int = 20_000
    log: int = 36


def train(seed: int, s: Setup) -> list[dict[str, float]]:
    """One run; a row each few steps."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    env = TASKS[s.task](s.copies, seed)
    model = nn.Sequential(nn.Linear(env.size, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, env.actions))
    target = deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters(), s.rate)
    kept: deque[tuple[np.ndarray, int, float, np.ndarray, float]] = deque(maxlen=s.memory)
    state = env.state.copy()
    returns: list[float] = []
    told: list[tuple[float, float, float]] = []
    rows: list[dict[str, float]] = []
    for step in range(s.steps):
        share = min(1.0, step / (s.over * s.steps))
        epsilon = s.explore[0] + share * (s.explore[1] - s.explore[0])
        with torch.no_grad():
            best = model(torch.tensor(state, dtype=torch.float32)).argmax(1).numpy()
        action = np.where(random.random(s.copies) < epsilon, random.integers(env.actions, size=s.copies), best)
        after, reward, done = env.step(action)
        for one in range(s.copies):
            kept.append((state[one], int(action[one]), float(reward[one]), after[one], float(done[one])))
        state = after
        if step > 60 and step % 2:
            told.append(learn(s, model, target, optimizer, [kept[k] for k in random.integers(len(kept), size=64)]))
        if step % max(1, s.target_every) == 0:
            target.load_state_dict(model.state_dict())
        if step % s.log == s.log - 1 and told:
            returns = [*returns, *env.finished][-30:]
            env.finished = []
            loss, q, norm = np.mean(told, 0)
            rows.append(
                {
                    "step": (step + 1) * s.copies,
                    "reward": float(np.mean(returns)) if returns else float("nan"),
                    "loss": loss,
                    "q": q,
                    "grad_norm": norm,
                    "exploration": epsilon,
                    "lr": s.rate,
                }
            )
            told = []
    return rows


def learn(
    s: Setup,
    model: nn.Module,
    target: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: list[tuple[np.ndarray, int, float, np.ndarray, float]],
) -> tuple[float, float, float]:
    """One step on a batch of remembered transitions."""
    seen, action, reward, after, done = (
        torch.tensor(np.array(part), dtype=torch.float32) for part in zip(*batch, strict=True)
    )
    q = model(seen).gather(1, action.long()[:, None])[:, 0]
    with torch.no_grad():
        wanted = s.paid * reward + s.discount * (1 - done) * (target if s.target_every else model)(after).max(1)[0]
    loss = nn.functional.smooth_l1_loss(q, wanted) if s.huber else nn.functional.mse_loss(q, wanted)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), s.clip)
    optimizer.step()
    return loss.item(), q.mean().item(), norm.item()
