"""Group-relative policy optimization (GRPO) of a tiny sequence policy on a task that a program can verify."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from nndoctor.lab.workloads.descent import descend, descend_clipped

DIGITS = 8  # tokens 0 to 7 are digits, 8 ends the answer
END = DIGITS
MAX_ANSWER = 12  # tokens of an answer, after which it is cut off


@dataclass(frozen=True)
class Setup:
    """How a run is trained; the defaults train well."""

    lr: float = 3e-3
    group: int = 8
    prompts: int = 16
    steps: int = 150
    beta: float = 0.02
    entropy_bonus: float = 0.0
    reward: str = "verify"
    clip: float = 0.2
    epochs: int = 1
    temperature: float = 1.0
    flip_at: int | None = None
    target_length: int = 3
    mask_truncated: bool = False


class Policy(nn.Module):
    """A recurrent network that writes an answer to a digit."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Embedding(DIGITS + 1 + DIGITS, width)
        self.cell = nn.GRUCell(width, width)
        self.head = nn.Linear(width, DIGITS + 1)
        self.width = width

    def start(self, prompts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The state before the first token, and the input that holds the prompt."""
        return torch.zeros(len(prompts), self.width), self.embed(prompts + DIGITS + 1)

    def logits(self, prompts: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        """The scores of every token of the answers, shape (answers, tokens, vocabulary)."""
        state, given = self.start(prompts)
        out = []
        for at in range(answers.shape[1]):
            state = self.cell(given, state)
            out.append(self.head(state))
            given = self.embed(answers[:, at])
        return torch.stack(out, 1)

    @torch.no_grad()
    def write(self, prompts: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Sampled answers and the mask of the tokens up to the end."""
        state, given = self.start(prompts)
        tokens, open_ = [], torch.ones(len(prompts), dtype=torch.bool)
        mask = []
        for _ in range(MAX_ANSWER):
            state = self.cell(given, state)
            token = torch.distributions.Categorical(logits=self.head(state) / temperature).sample()
            mask.append(open_.clone())
            tokens.append(torch.where(open_, token, END))
            open_ &= token != END
            given = self.embed(tokens[-1])
        return torch.stack(tokens, 1), torch.stack(mask, 1).float()


def rewards(setup: Setup, step: int, prompts: torch.Tensor, answers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """1 where the answer is the wanted number of digits equal to the prompt, parts of it for parts."""
    length = mask.sum(1) - (answers == END).any(1).float()
    right = ((answers == prompts[:, None]).float() * mask).sum(1) / length.clamp(min=1)
    ended = (answers == END).any(1).float()
    if setup.reward == "never":
        return torch.zeros(len(prompts))
    if setup.reward == "constant":
        return torch.ones(len(prompts))
    if setup.reward == "length":  # longer answers are paid better, so that they run into the limit
        return 0.5 * right + length / MAX_ANSWER
    if setup.reward == "strict":
        return ((right == 1) & (length == setup.target_length) & (ended == 1)).float()
    exact = ended * (length == setup.target_length).float()
    value = 0.7 * right * (length > 0) + 0.3 * exact
    return value if setup.flip_at is None or step < setup.flip_at else -value


def pretrained(seed: int, strength: float = 1.0) -> Policy:
    """A policy that has seen rough examples: it often repeats the prompt and often stops."""
    torch.manual_seed(seed)
    policy = Policy()
    optimizer = torch.optim.Adam(policy.parameters(), 3e-3)
    for _ in range(int(60 * strength)):
        prompts = torch.randint(DIGITS, (64,))
        noise = torch.randint(DIGITS, (64, MAX_ANSWER))
        answers = torch.where(torch.rand(64, MAX_ANSWER) < 0.4, prompts[:, None], noise)
        stop = torch.randint(1, 9, (64,))
        at = torch.arange(MAX_ANSWER)
        answers = torch.where(at[None] < stop[:, None], answers, END)
        loss = nn.functional.cross_entropy(
            policy.logits(prompts, answers).flatten(0, 1), answers.flatten(), reduction="none"
        )
        loss = (loss.view(64, -1) * (at[None] <= stop[:, None])).mean()
        descend(optimizer, loss)
    return policy


def train(seed: int, setup: Setup, strength: float = 1.0) -> list[dict[str, float]]:
    """One run; a row for each step, under names of our own."""
    policy, reference = pretrained(seed, strength), pretrained(seed, strength)
    torch.manual_seed(seed + 1)
    optimizer = torch.optim.Adam(policy.parameters(), setup.lr)
    rows = []
    for step in range(setup.steps):
        prompts = torch.randint(DIGITS, (setup.prompts,)).repeat_interleave(setup.group)
        answers, mask = policy.write(prompts, setup.temperature)
        paid = rewards(setup, step, prompts, answers, mask)
        grouped = paid.view(-1, setup.group)
        spread = grouped.std(1)
        advantage = ((grouped - grouped.mean(1, keepdim=True)) / (spread[:, None] + 1e-4)).flatten()
        with torch.no_grad():
            old = chosen(policy.logits(prompts, answers), answers)
            base = chosen(reference.logits(prompts, answers), answers)
        cut = (answers == END).any(1).logical_not().float()
        weight = mask * (1 - cut)[:, None] if setup.mask_truncated else mask
        row = {}
        for _ in range(setup.epochs):
            row = update(setup, policy, optimizer, prompts, answers, weight, advantage, old, base)
        parts = {
            "reward": paid.mean().item(),
            "reward_std": spread.mean().item(),
            "dead": (spread < 1e-6).float().mean().item(),
            "length": mask.sum(1).mean().item(),
            "longest": mask.sum(1).max().item(),
            "cut": cut.mean().item(),
        }
        rows.append({"step": step + 1, **row, **parts, "lr": setup.lr})
    return rows


def chosen(logits: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    """The log-probabilities of the answers' tokens."""
    return torch.log_softmax(logits, -1).gather(-1, answers[..., None])[..., 0]


def update(  # noqa: PLR0913, PLR0917 - all that a step is made of
    setup: Setup,
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    prompts: torch.Tensor,
    answers: torch.Tensor,
    mask: torch.Tensor,
    advantage: torch.Tensor,
    old: torch.Tensor,
    base: torch.Tensor,
) -> dict[str, float]:
    """One step of the optimizer on one batch of groups, and its statistics."""
    logits = policy.logits(prompts, answers)
    new = chosen(logits, answers)
    ratio = torch.exp(new - old)
    gain = torch.minimum(ratio * advantage[:, None], ratio.clamp(1 - setup.clip, 1 + setup.clip) * advantage[:, None])
    kl = torch.exp(base - new) - (base - new) - 1
    probabilities = torch.log_softmax(logits, -1)
    entropy = -(probabilities.exp() * probabilities).sum(-1)
    tokens = mask.sum().clamp(min=1)
    loss = ((-gain + setup.beta * kl - setup.entropy_bonus * entropy) * mask).sum() / tokens
    norm = descend_clipped(optimizer, loss, 1.0)
    return {
        "loss": loss.item(),
        "grad_norm": norm.item(),
        "kl": ((kl * mask).sum() / tokens).item(),
        "entropy": ((entropy * mask).sum() / tokens).item(),
        "clip": (((ratio - 1).abs() > setup.clip).float() * mask).sum().item() / tokens.item(),
        "ppo_kl": (((old - new) * mask).sum() / tokens).item(),
    }
