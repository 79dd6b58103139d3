"""Sample runs of reinforcement and preference learning, generative models and experts: small real trainings of the zoo."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Modern:
    """A log: its path below this folder, the zoo's case, and which of the case's log formats it is in."""

    path: str
    case: str
    writer: int = 0
    seed: int = 0

    @property
    def name(self) -> str:
        """The expected finding."""
        return self.path.split("/")[0]

    def text(self) -> str:
        """The log, trained again."""
        if str(ROOT) not in sys.path:
            sys.path.insert(0, str(ROOT))
        from benchmarks.zoo.modern.cases import cases
        from benchmarks.zoo.modern.dialects import WRITERS

        case = next(case for case in cases() if case.name == self.case)
        return WRITERS[self.case.split("_")[0]][self.writer][1](case.make(self.seed))


MODERN = (
    Modern("discriminator-wins/dcgan.log", "gan_strong_discriminator", 1),
    Modern("entropy-collapse/events.csv", "ppo_entropy_penalty", 1),
    Modern("expert-collapse/log.csv", "moe_biased"),
    Modern("healthy/dcgan.log", "gan_healthy", 1),
    Modern("healthy/diffusion.csv", "diffusion_healthy"),
    Modern("healthy/dpo_trainer_state.json", "dpo_healthy"),
    Modern("healthy/grpo_trainer_state.json", "grpo_healthy"),
    Modern("healthy/sb3_progress.csv", "ppo_healthy"),
    Modern("healthy/sft_trainer_state.json", "sft_healthy"),
    Modern("healthy/simclr.csv", "simclr_healthy"),
    Modern("healthy/vae.csv", "vae_healthy"),
    Modern("likelihood-displacement/trainer_state.json", "dpo_displaced"),
    Modern("loss-wrongly-scaled/trainer_state.json", "sft_scaled"),
    Modern("no-reward-signal/trainer_state.json", "grpo_never_paid"),
    Modern("posterior-collapse/history.csv", "vae_beta_large"),
    Modern("representation-collapse/log.csv", "simclr_no_stop_gradient"),
    Modern("truncated-completions/trainer_state.json", "grpo_paid_by_length"),
    Modern("value-function-unfit/progress.csv", "ppo_no_value"),
)
