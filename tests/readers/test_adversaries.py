"""The columns of two networks that play against each other: halves of a loss, and accuracies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nndoctor.core.run import Run
from nndoctor.diagnosis.session import Session

Write = Callable[[str], Run]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def _rows(form: str) -> str:
    return "".join(f"step {k} {form.format(0.1 * k, 0.2 * k, 3 + k)}\n" for k in range(1, 5))


@pytest.mark.parametrize(
    "form",
    [
        "D_real: {:.3f} D_fake: {:.3f} G_GAN: {:.3f} G_L1: 4.0",
        "loss_D_real: {:.3f} loss_D_fake: {:.3f} loss_G_GAN: {:.3f}",
        "l_d_real: {:.4e} l_d_fake: {:.4e} D_real: -3.1 D_fake: -9.7 g_loss: {:.3f}",
    ],
)
def test_both_halves_of_a_discriminators_loss_add_up(pasted: Write, form: str) -> None:
    run = pasted(_rows(form))
    assert _values(run, "discriminator_loss") == [0.3, 0.6, 0.9, 1.2]
    assert _values(run, "generator_loss") == [4, 5, 6, 7]


def test_a_sum_of_columns_is_called_one(pasted: Write) -> None:
    """Its numbers stand in no column of the log."""
    run = pasted(
        "".join(
            f"step {k} loss_D_real: {0.2 / k**4:.5f} loss_D_fake: {0.1 / k**4:.5f} loss_G: {4 + k}\n"
            for k in range(1, 13)
        )
    )
    found = next(f for f in Session().judge(run).findings if f.name == "discriminator-wins")
    assert "the discriminator's loss (loss_D_real + loss_D_fake) ends at" in found.message


def test_scores_of_a_discriminator_are_no_losses(pasted: Write) -> None:
    run = pasted(_rows("D_real: {:.3f} D_fake: {:.3f} g_loss: {:.3f}"))
    assert "discriminator_loss" not in run.series


def test_the_accuracies_of_both_sides_are_their_own(pasted: Write) -> None:
    run = pasted("".join(f"Iteration: {k}\nD acc: 0.{90 + k}\t G acc: 0.1{k}\n" for k in range(1, 6)))
    assert run.fact("task") == "gan"
    assert _values(run, "discriminator_accuracy") == [0.91, 0.92, 0.93, 0.94, 0.95]
    assert _values(run, "generator_accuracy") == [0.11, 0.12, 0.13, 0.14, 0.15]


def test_the_accuracy_between_two_losses_is_the_discriminators(pasted: Write) -> None:
    run = pasted("".join(f"{k} [D loss: 0.7{k}, acc.: 5{k}.00%] [G loss: 0.9{k}]\n" for k in range(1, 6)))
    assert _values(run, "discriminator_accuracy") == [51, 52, 53, 54, 55]
    assert "train/accuracy" not in run.series


def test_rows_between_bars_below_a_header_of_names_are_read(pasted: Write) -> None:
    run = pasted(
        "D_loss      acc     G_loss\n"
        + "".join(f"0.00{k} | 100 | 5.{k} | 1 day, 3:12:0{k}.4471\n" for k in range(1, 6))
    )
    assert _values(run, "discriminator_loss") == [0.001, 0.002, 0.003, 0.004, 0.005]
    assert _values(run, "generator_loss") == [5.1, 5.2, 5.3, 5.4, 5.5]
