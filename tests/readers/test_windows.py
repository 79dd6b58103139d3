"""Names that say in parentheses over what their number is a mean."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.readers.text.windows import without_windows


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("avg reward (last 25): 0.00", "avg reward: 0.00"),
        ("reward (last 100 episodes) = 3", "mean reward = 3"),
        ("mean return (100 ep): 5", "mean return: 5"),
        ("Score (average over 100 episodes): 2", "mean Score: 2"),
        ("val acc (%): 51", "val acc: 51"),
        ("loss (train): 0.5", "loss (train): 0.5"),
        ("time (s): 3", "time (s): 3"),
        ("lr (group 1): 0.1", "lr (group 1): 0.1"),
    ],
)
def test_plain_words(text, plain):
    assert without_windows(text) == plain


@pytest.mark.parametrize("name", ["avg reward (last 25)", "Mean return (100 ep)", "Score (average over 100 episodes)"])
def test_a_reward_over_a_window_is_read(tmp_path, name):
    log = tmp_path / "train.txt"
    log.write_text("".join(f"Episode {25 * k}\t{name}: {0.5 * k:.2f}\tentropy: 0.64\n" for k in range(1, 20)))
    (run,) = nndoctor.read(log)
    assert run.series["reward"].values.tolist() == [0.5 * k for k in range(1, 20)]


def test_a_game_without_a_reward_is_not_called_sound(tmp_path):
    log = tmp_path / "train.txt"
    log.write_text("".join(f"Episode {k}\tepisode length: {40 + k % 3}\tentropy: 0.{900 - k}\n" for k in range(1, 40)))
    report = nndoctor.diagnose(log, isolated=True)
    assert "reward" not in report.run.series
    assert "holds no reward" in " ".join(str(report).split())
