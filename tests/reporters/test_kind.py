"""The phrase that names what was trained and for how long."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.core.run import Run
from nndoctor.reporters.kind import phrase

GAME = {"task": "reinforcement-learning"}


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        (Run.drawn(GAME, reward="0.2..0.9*200", reward_std="0.4*200", entropy="1*200", completion_length="90*200"), "GRPO, 199 steps"),
        (Run.drawn(GAME, reward="20..190*40", approx_kl="0.01*40", entropy="0.6*40"), "PPO, 39 steps"),
        (Run.drawn(GAME, reward="20..190*40", exploration_rate="1..0.05*40", total_loss="0.1*40"), "DQN, 39 steps"),
        (Run.drawn({"task": "gan"}, generator_loss="1*40", discriminator_loss="1*40"), "GAN, 39 steps"),
        (Run.drawn(train_loss="0.69..0.3*20", rewards_margins="0..2*20"), "DPO, 19 steps"),
        (Run.drawn(train_recon_loss="0.08..0.03*20", codebook_perplexity="2..9*20"), "VQ-VAE, 19 steps"),
        (Run.drawn({"workload": "fine-tuning"}, train_loss="2..1*2"), "fine-tuning, 1 step"),
        (Run.drawn(train_loss="2.3..0.4*30", train_accuracy="0.1..0.9*30"), "supervised, 29 steps"),
        (Run.drawn(train_loss="4..3*20", expert_load_0="0.5*20", expert_load_1="0.5*20"), "mixture of experts, 19 steps"),
    ],
)  # fmt: skip
def test_phrase_names_the_method_and_the_length(run: Run, wanted: str) -> None:
    """The method by what only it logs, and the last step."""
    assert phrase(nndoctor.diagnose(run)) == wanted


def test_reward_is_what_a_healthy_policy_is_praised_for() -> None:
    """The verdict on a policy speaks of its reward, and asks for no training loss."""
    run = Run.drawn(GAME, reward="20..190*40", approx_kl="0.01*40", entropy="0.6*40", explained_variance="0.1..0.9*40")
    assert "No problems found. Reward goes from 20 to 190." in str(nndoctor.diagnose(run))
