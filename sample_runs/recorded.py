"""Sample runs with layers: trained under the recorder, each a run folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from tasks import TASKS
from torch import nn

import nndoctor

STEPS = 400
BATCH = 32


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run folder: its path below this folder, the network, the rate, and the single change that mends it."""

    path: str
    network: Callable[[], nn.Module]
    lr: float
    mended: Callable[[], tuple[nn.Module, float]] | None = None

    @property
    def name(self) -> str:
        """The expected finding."""
        return self.path.split("/")[0]

    def write(self, here: Path) -> None:
        """Train under the recorder into the folder, anew."""
        folder = here / self.path
        shutil.rmtree(folder, ignore_errors=True)
        train(self.network, self.lr, folder)

    def claim(self) -> tuple[str, bool]:
        """Whether the single change lowers the loss at the end by a quarter or more."""
        if self.mended is None:
            return "healthy", True
        sick = train(self.network, self.lr)
        mended = self.mended

        def network() -> nn.Module:
            return mended()[0]

        well = train(network, mended()[1])
        return f"the loss ends at {sick:.2f}, mended at {well:.2f} (wanted < 75 %)", well < 0.75 * sick


def mlp(depth: int, activation: type[nn.Module]) -> nn.Module:
    """Hidden layers of 32 units, as torch initializes them."""
    layers: list[nn.Module] = []
    for k in range(depth):
        layers += [nn.Linear(64 if k == 0 else 32, 32), activation()]
    return nn.Sequential(*layers, nn.Linear(32, 10))


def train(network: Callable[[], nn.Module], lr: float, folder: Path | None = None) -> float:
    """Train on digits with Adam; the mean loss of the last 50 steps."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = TASKS["digits"]()
    model = network()
    descent = torch.optim.Adam(model.parameters(), lr=lr)
    order = torch.Generator().manual_seed(1)
    recorder = None if folder is None else nndoctor.Recorder(model, descent, folder=folder, every=10)
    losses = []
    for _ in range(STEPS):
        chosen = torch.randint(0, len(data.x), (BATCH,), generator=order)
        loss = nn.functional.cross_entropy(model(data.x[chosen]), data.y[chosen])
        descent.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        descent.step()
        losses.append(loss.item())
        if recorder is not None:
            recorder.step(loss=loss)
    if recorder is not None:
        recorder.close()
    return sum(losses[-50:]) / 50


RECORDED: tuple[Recorded, ...] = (
    Recorded("dead-relu", lambda: mlp(3, nn.ReLU), 0.1, lambda: (mlp(3, nn.ReLU), 0.003)),
    Recorded("vanishing-gradient", lambda: mlp(8, nn.Sigmoid), 0.001, lambda: (mlp(8, nn.ReLU), 0.001)),
    Recorded("healthy/recorded", lambda: mlp(3, nn.ReLU), 0.003),
)
