"""What a CTC loss is given: log-probabilities of symbols in time, and targets that have to fit into it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Lengths = Tensor | tuple[int, ...] | list[int]


@dataclass(frozen=True, slots=True)
class Alignment:
    """One call: log-probabilities of shape (time, examples, symbols), and each example's symbols and time steps."""

    symbols: Tensor
    targets: list[Tensor]
    times: list[int]
    blank: int

    @classmethod
    def of(
        cls,
        log_probs: Tensor,
        targets: Tensor,
        input_lengths: Lengths,
        target_lengths: Lengths,
        blank: int = 0,
        *_: object,
        **__: object,
    ) -> Alignment:
        """The arguments of torch.nn.functional.ctc_loss; targets stand in rows, or end to end."""
        lengths = torch.as_tensor(target_lengths).reshape(-1).tolist()
        if targets.ndim == 1 and sum(lengths) == len(targets):
            each = list(torch.split(targets, lengths))
        else:
            rows = targets if targets.ndim > 1 else targets[None]
            each = [row[:length] for row, length in zip(rows, lengths, strict=False)]
        return cls(log_probs, each, torch.as_tensor(input_lengths).reshape(-1).tolist(), blank)

    @property
    def blank_share(self) -> float:
        """The share of the targets that are the blank, which no target may be; padding does not count."""
        every = torch.cat(self.targets) if self.targets else torch.zeros(0)
        return float((every == self.blank).double().mean()) if every.numel() else 0.0

    @property
    def too_long(self) -> float:
        """The share of the examples whose symbols, with a blank between equal ones, need more time steps than there are: their loss is infinite."""
        needed = [len(one) + int((one[1:] == one[:-1]).sum()) for one in self.targets]
        short = [n > time for n, time in zip(needed, self.times, strict=False)]
        return sum(short) / len(short) if short else 0.0
