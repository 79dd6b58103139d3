"""The score that the networks of scikit-learn print with early stopping."""

from __future__ import annotations

import pytest

END = "Validation score did not improve more than tol=0.000100 for 10 consecutive epochs. Stopping.\n"
LINES = "Iteration {0}, loss = {1:.8f}\nValidation score: {2:.6f}\n"


def _printed(scores: list[float]) -> str:
    return "".join(LINES.format(k, 2.4 / k, score) for k, score in enumerate(scores, 1)) + END


def test_shares_of_one_number_of_examples_are_accuracies(pasted) -> None:
    scores = [18 / 130, 45 / 130, 66 / 130, 92 / 130, 117 / 130, 121 / 130, 125 / 130]
    assert pasted(_printed(scores)).series["validation/accuracy"].values.tolist() == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize(
    "scores",
    [
        [-4.305172, -2.298113, -1.291017, -0.284551, 0.112734, 0.219938, 0.251146],
        [0.013217, 0.134771, 0.284909, 0.371937, 0.412717, 0.470571, 0.491463],
    ],
)
def test_other_scores_are_r2(pasted, scores: list[float]) -> None:
    assert pasted(_printed(scores)).series["validation/r2"].values.tolist() == pytest.approx(scores, abs=1e-6)
