"""Remedies for reinforcement learning (PPO, GRPO) and preference tuning (DPO)."""

from __future__ import annotations

from nndoctor.core.finding import Remedy

PPO = "Schulman et al., Proximal Policy Optimization, 2017, arXiv:1707.06347"
DETAILS = "Huang et al., The 37 Implementation Details of PPO, 2022"
DAPO = "Yu et al., DAPO, 2025, arXiv:2503.14476"
GRPO = "Shao et al., DeepSeekMath (GRPO), 2024, arXiv:2402.03300"
DPO = "Rafailov et al., Direct Preference Optimization, 2023, arXiv:2305.18290"

CATALOGUE = (
    Remedy(
        "lower-learning-rate-for-policies",
        "reduce the learning rate by 3–10×",
        "usual values are 1e-6 for GRPO with full weights, 1e-5 with LoRA, 3e-4 for PPO on control tasks",
        GRPO,
    ),
    Remedy(
        "target-kl",
        "stop an update's epochs once the approximate KL exceeds 0.01–0.03",
        "beyond that the batch no longer describes the policy",
        DETAILS,
    ),
    Remedy(
        "fewer-update-epochs",
        "Use fewer update epochs on each batch (GRPO 1, PPO 3-10)",
        "every further epoch moves the policy away from the one that made the data",
        PPO,
    ),
    Remedy("smaller-clip-range", "Set the clip range to 0.1-0.2", "it bounds how far a probability is moved", PPO),
    Remedy(
        "entropy-bonus",
        "add an entropy bonus (0.01 for control, 0.001 for language models)",
        "it keeps actions possible that the policy has not judged yet",
        "Mnih et al., Asynchronous Methods for Deep RL, 2016, arXiv:1602.01783",
    ),
    Remedy(
        "clip-higher",
        "raise only the upper clip range (epsilon_high 0.28, epsilon 0.2)",
        "rare tokens can then become more likely, which keeps the entropy up",
        DAPO,
    ),
    Remedy(
        "raise-kl-coefficient",
        "Raise the KL coefficient (beta) to 0.01-0.1, or use an adaptive one",
        "it holds the policy near the reference model",
        "Ziegler et al., 2019, arXiv:1909.08593",
    ),
    Remedy(
        "mix-prompts",
        "choose prompts that the model solves in 20–80% of its samples",
        "only groups with different rewards have a gradient, so groups with equal rewards can be dropped",
        DAPO,
    ),
    Remedy(
        "larger-groups",
        "sample more completions per prompt (8–16) at temperature 1",
        "a larger group is more likely to hold both right and wrong answers",
        GRPO,
    ),
    Remedy(
        "check-the-reward",
        "test the reward function on known right and wrong answers",
        "a parser that always fails, or a part that pays for anything, gives no signal or the wrong one",
        "Skalse et al., Defining and Characterizing Reward Hacking, 2022, arXiv:2209.13085",
    ),
    Remedy(
        "supervised-first",
        "fine-tune on a few hundred worked examples first",
        "a policy that is never right is never rewarded",
        "DeepSeek-AI, DeepSeek-R1, 2025, arXiv:2501.12948",
    ),
    Remedy(
        "shape-the-reward",
        "reward partial success: parts of the answer, format, progress",
        "rare rewards are seldom found by chance",
        "Ng, Harada and Russell, Policy Invariance under Reward Transformations, 1999",
    ),
    Remedy(
        "keep-the-best-checkpoint",
        "restore the best checkpoint and continue at a third of the lr",
        "what was unlearned seldom comes back",
        "Henderson et al., Deep Reinforcement Learning that Matters, 2018, arXiv:1709.06560",
    ),
    Remedy(
        "raise-max-completion-length",
        "raise the completion length until fewer than 5% are cut off",
        "an answer that is cut off cannot be judged",
        DAPO,
    ),
    Remedy(
        "mask-truncated-completions",
        "exclude truncated completions from the loss",
        "TRL has mask_truncated_completions=True; their reward does not reflect the full answer",
        DAPO,
    ),
    Remedy(
        "length-penalty",
        "Take length out of the reward, or penalize it softly near the limit",
        "a reward that grows with length is raised most cheaply by longer text",
        DAPO,
    ),
    Remedy(
        "token-level-loss",
        "normalize the loss by a constant, not by completion length",
        "a mean over each completion favors long wrong answers (Dr. GRPO, loss_type='dr_grpo')",
        "Liu et al., Understanding R1-Zero-Like Training, 2025, arXiv:2503.20783",
    ),
    Remedy(
        "scale-rewards",
        "divide rewards by a running standard deviation and clip to ±10",
        "a value function fits targets near 1 best",
        DETAILS,
    ),
    Remedy(
        "raise-value-learning-rate",
        "raise the value function's learning rate or coefficient (0.5–1)",
        "it must follow the returns faster than the policy changes them",
        DETAILS,
    ),
    Remedy(
        "separate-value-network",
        "Give the value function its own network",
        "shared layers follow whichever loss is larger",
        DETAILS,
    ),
    Remedy(
        "longer-rollouts",
        "Collect longer rollouts (2048 steps in all) before each update",
        "returns over a few steps are mostly the value function's own guess",
        PPO,
    ),
    Remedy(
        "slower-targets",
        "Use a target network that follows slowly (tau 0.005, or a copy every 1,000-10,000 steps) and the smaller of two critics.",
        "values that are their own targets overestimate and then run away",
        "Mnih et al., DQN, 2015; Fujimoto et al., TD3, 2018, arXiv:1802.09477",
    ),
    # preference tuning
    Remedy(
        "lower-dpo-learning-rate",
        "use 5e-7 to 1e-6 for DPO with full weights, 5e-6 with LoRA",
        "DPO needs a rate 10 to 100 times lower than supervised fine-tuning",
        "Tunstall et al., Zephyr, 2023, arXiv:2310.16944; " + DPO,
    ),
    Remedy(
        "raise-dpo-beta",
        "raise beta from 0.1 to 0.3–0.5",
        "beta is the price of moving away from the reference",
        DPO,
    ),
    Remedy(
        "one-epoch",
        "train for one epoch and keep the best checkpoint",
        "preference pairs are memorized in two or three epochs",
        "Tunstall et al., Zephyr, 2023, arXiv:2310.16944",
    ),
    Remedy(
        "add-chosen-likelihood",
        "add the likelihood of the chosen answers to the loss",
        "TRL has rpo_alpha=1 and loss_type='apo_zero'; the margin alone does not prevent both from falling",
        "Pal et al., Smaug (DPO-Positive), 2024, arXiv:2402.13228",
    ),
    Remedy(
        "filter-similar-pairs",
        "Drop pairs whose two answers are nearly the same",
        "lowering one of two similar answers lowers the other",
        "Razin et al., 2024, arXiv:2410.08847",
    ),
    Remedy(
        "ipo-loss",
        "use a loss with a target margin (IPO) or label smoothing (cDPO, 0.1)",
        "the logistic loss keeps pushing pairs that are already told apart",
        "Azar et al., 2023, arXiv:2310.12036",
    ),
)
