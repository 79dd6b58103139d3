"""The best round that LightGBM says below a training."""

from __future__ import annotations

from nndoctor.readers import read

ROUND = "[{0}]\ttrain's l2: {1}\tvalid's l2: {2}\n"
ROUNDS = "".join(ROUND.format(10 * k, round(3 / k, 4), round(0.2 + (k - 4.3) ** 2 / 9, 4)) for k in range(1, 8))
QUOTED = "Early stopping, best iteration is:\n"


def test_a_best_round_that_was_not_printed_before_is_put_in_its_place(pasted) -> None:
    loss = pasted(ROUNDS + QUOTED + ROUND.format(43, 0.7011, 0.1987)).series["validation/mse"]
    assert loss.steps.tolist() == [10, 20, 30, 40, 43, 50, 60, 70]
    assert loss.low_step == 43


def test_a_best_round_that_was_printed_before_is_not_repeated(pasted) -> None:
    run = pasted(ROUNDS + QUOTED + ROUND.format(40, 0.75, 0.21))
    assert run.series["validation/mse"].steps.tolist() == [10, 20, 30, 40, 50, 60, 70]


def test_a_best_round_before_all_that_are_printed_stays_in_its_own_training(tmp_path) -> None:
    log = tmp_path / "folds.log"
    log.write_text(ROUNDS + QUOTED + ROUND.format(5, 3.1, 0.1) + ROUNDS + QUOTED + ROUND.format(5, 3.2, 0.1))
    assert [run.series["validation/mse"].steps.tolist()[:2] for run in read(log)] == [[5, 10], [5, 10]]
