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
        (Run.drawn(GAME, reward="0.2..0.9*200", reward_std="0.4*200", entropy="1*200", completion_length="90*200"), "GRPO, 200 steps"),
        (Run.drawn(GAME, reward="20..190*40", approx_kl="0.01*40", entropy="0.6*40"), "PPO, 40 steps"),
        (Run.drawn(GAME, reward="20..190*40", exploration_rate="1..0.05*40", total_loss="0.1*40"), "DQN, 40 steps"),
        (Run.drawn({"task": "gan"}, generator_loss="1*40", discriminator_loss="1*40"), "GAN, 40 steps"),
        (Run.drawn(train_loss="0.69..0.3*20", rewards_margins="0..2*20"), "DPO, 20 steps"),
        (Run.drawn(train_recon_loss="0.08..0.03*20", codebook_perplexity="2..9*20"), "VQ-VAE, 20 steps"),
        (Run.drawn({"workload": "fine-tuning"}, train_loss="2..1*2"), "fine-tuning, 2 steps"),
        (Run.drawn(train_loss="2.3..0.4*30", train_accuracy="0.1..0.9*30"), "supervised, 30 steps"),
        (Run.drawn(train_loss="4..3*20", expert_load_0="0.5*20", expert_load_1="0.5*20"), "mixture of experts, 20 steps"),
    ],
)  # fmt: skip
def test_phrase_names_the_method_and_the_length(run: Run, wanted: str) -> None:
    """The method by what only it logs, and how many steps there are from step 0 on."""
    assert phrase(nndoctor.diagnose(run)) == wanted


def test_reward_is_what_a_healthy_policy_is_praised_for() -> None:
    """The verdict on a policy speaks of its reward, and asks for no training loss."""
    run = Run.drawn(GAME, reward="20..190*40", approx_kl="0.01*40", entropy="0.6*40", explained_variance="0.1..0.9*40")
    assert "No problems found. Reward goes from 20 to 190." in str(nndoctor.diagnose(run))


@pytest.mark.parametrize(
    ("steps", "wanted"), [([0, 10, 20], "20 steps"), ([1, 2, 3], "3 steps"), ([0, 1, 59_999], "60,000 steps")]
)
def test_steps_are_counted_where_the_log_holds_each_of_them(steps, wanted):
    """A log of every tenth step does not say how many came after the last."""
    (run,) = nndoctor.read({"step": steps, "loss": [3.0, 2.0, 1.0]})
    assert phrase(nndoctor.diagnose(run)).rpartition(", ")[2] == wanted


def test_a_balance_loss_without_a_finite_value_makes_no_mixture_of_experts() -> None:
    run = Run.drawn(train_loss="2..1*20", balance_loss="nan*20")
    assert "experts" not in phrase(nndoctor.diagnose(run))


def test_length_counts_the_steps_whose_loss_is_nan() -> None:
    """A run that went on with NaN was that long."""
    assert phrase(nndoctor.diagnose(Run.drawn(train_loss="0.9..0.2*20 nan*80"))) == "supervised, 100 steps"


def test_rewards_of_single_episodes_are_given_as_levels() -> None:
    """One long episode at the end is not where the policy has come to."""
    rewards = " ".join(str(20 + 5 * k + (90 if k % 2 else -10)) for k in range(80))
    run = Run.drawn(GAME, reward=f"{rewards} 31", approx_kl="0.01*81", entropy="0.6*81")
    assert "Reward goes from about 68 to about 400." in str(nndoctor.diagnose(run))
