"""Whether an accuracy below 1 is a share or a percentage, where only the loss can say."""

from __future__ import annotations

import pytest

AT_CHANCE = [0.183, 0.232, 0.196, 0.154, 0.207, 0.184, 0.191, 0.161, 0.157, 0.238]
LINE = "Epoch: {0}\tLoss: {1}\tTop1/acc: {2}\n"


def _accuracy(pasted, losses: list[float]) -> list[float]:
    lines = (LINE.format(k, loss, right) for k, (loss, right) in enumerate(zip(losses, AT_CHANCE, strict=True)))
    return pasted("".join(lines)).series["train/accuracy"].values.tolist()


def test_an_accuracy_next_to_the_loss_of_guessing_among_511_is_in_percent(pasted) -> None:
    losses = [6.2363, 6.2364, 6.2363, 6.2365, 6.2364, 6.2363, 6.2364, 6.2364, 6.2364, 6.2363]
    assert _accuracy(pasted, losses) == pytest.approx([right / 100 for right in AT_CHANCE])


@pytest.mark.parametrize("end", [2.0, 5.0])
def test_an_accuracy_next_to_a_loss_that_moves_is_a_share(pasted, end: float) -> None:
    losses = [round(6.24 - (6.24 - end) * k / 9, 4) for k in range(10)]
    assert _accuracy(pasted, losses) == pytest.approx(AT_CHANCE)
