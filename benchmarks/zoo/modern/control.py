"""Small control tasks, many copies at a time: balancing a pole, and walking along a line to a goal."""

from __future__ import annotations

import numpy as np


class Pole:
    """Balancing a pole on a cart by pushes to the left or right (Barto, Sutton and Anderson, 1983); 1 for each step."""

    actions = 2
    size = 4

    def __init__(self, copies: int, seed: int, limit: int = 200) -> None:
        self.random = np.random.default_rng(seed)
        self.state = self.random.uniform(-0.05, 0.05, (copies, 4))
        self.age = np.zeros(copies, dtype=int)
        self.limit = limit
        self.finished: list[float] = []

    def step(self, action: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The new states, the rewards and which episodes ended."""
        x, v, angle, spin = self.state.T
        force = np.where(action == 1, 10.0, -10.0)
        sine, cosine = np.sin(angle), np.cos(angle)
        push = (force + 0.05 * spin**2 * sine) / 1.1
        turn = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
        pull = push - 0.05 * turn * cosine / 1.1
        self.state = np.stack([x + 0.02 * v, v + 0.02 * pull, angle + 0.02 * spin, spin + 0.02 * turn], 1)
        self.age += 1
        done = (np.abs(self.state[:, 0]) > 2.4) | (np.abs(self.state[:, 2]) > 0.2095) | (self.age >= self.limit)
        return self._ended(np.ones(len(done)), done, self.age)

    def _ended(
        self, reward: np.ndarray, done: np.ndarray, score: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.finished += [float(s) for s in score[done]]
        self.state[done] = self.random.uniform(-0.05, 0.05, (int(done.sum()), 4))
        self.age[done] = 0
        return self.state.copy(), reward, done


class Walk(Pole):
    """Walking along a line: +1 at the right end, -0.01 for each step; the left end gives nothing and ends the walk."""

    size = 4

    def __init__(self, copies: int, seed: int, limit: int = 60) -> None:
        super().__init__(copies, seed, limit)
        self.place = np.full(copies, 4)
        self.score = np.zeros(copies)
        self.state = self._seen()

    def _seen(self) -> np.ndarray:
        return np.stack([self.place / 12, np.sin(self.place), np.cos(self.place), np.ones(len(self.place))], 1)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As of the pole; a fifth of the steps slip."""
        slip = self.random.random(len(action)) < 0.2
        self.place = self.place + np.where((action == 1) ^ slip, 1, -1)
        self.age += 1
        goal = self.place >= 12
        done = goal | (self.place <= 0) | (self.age >= self.limit)
        reward = np.where(goal, 1.0, 0.0) - 0.01
        self.score += reward
        self.finished += [float(s) for s in self.score[done]]
        self.place[done], self.score[done], self.age[done] = 4, 0.0, 0
        self.state = self._seen()
        return self.state.copy(), reward, done
