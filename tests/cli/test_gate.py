"""`nndoctor compare --gate`: three answers, their exit codes, and the seeds that would tell."""

from __future__ import annotations

import json

import pytest

from nndoctor.compare.gate import GateVerdict, of_values
from tests.little import trained

LOG = "step {k:05d} | loss: {loss:.4f} | lrm: 1.00\n"


def printed(path, score: float, name: str = "val_bpb") -> None:
    """A printed log that ends in a score."""
    rows = "".join(LOG.format(k=k, loss=3 + 6 * 0.9**k) for k in range(60))
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{rows}---\n{name}:          {score:.6f}\ntraining_seconds: 300.1\n", encoding="utf-8")


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    """Three seeds each of a good rate, of one hardly lower, and of one far too low."""
    folder = tmp_path_factory.mktemp("gate")
    for lr in (0.02, 0.0195, 0.0005):
        for seed in range(3):
            trained(folder / f"lr={lr}" / f"seed={seed}.csv", lr=lr, seed=seed)
    return folder


@pytest.mark.parametrize(("lower", "upper", "code"), [(0.0005, 0.02, 0), (0.02, 0.0005, 1), (0.02, 0.0195, 3)])
def test_better_worse_and_within_noise(nndoctor, trainings, lower, upper, code):
    """0, 1 and 3."""
    assert nndoctor("compare", "--gate", f"{trainings}/lr={lower}", f"{trainings}/lr={upper}").code == code


def test_another_seed_is_no_improvement(nndoctor, trainings):
    """And one run of each does not measure the noise: the answer says what would."""
    runs = [f"{trainings}/lr=0.02/seed={seed}.csv" for seed in (0, 1)]
    ended = nndoctor("compare", "--gate", *runs)
    assert ended.code == 3
    assert "3 runs of each with other seeds" in ended.out


def test_a_score_that_runs_print(nndoctor, logs):
    """Three baselines tell the noise of the score; a small gain needs more seeds, a large one does not."""
    for seed, score in enumerate((0.9975, 0.9985, 0.9990)):
        printed(logs / "base" / f"{seed}.log", score)
    printed(logs / "lucky.log", 0.9978)
    printed(logs / "good.log", 0.9800)
    found = json.loads(nndoctor("compare", "--gate", "base", "lucky.log", "--by", "val_bpb", "-f", "json").out)
    assert found["gate"] == "within noise"
    assert found["exit_code"] == 3
    assert 10 < found["seeds_needed"] <= 100
    assert nndoctor("compare", "--gate", "base", "good.log", "--by", "val_bpb").code == 0
    assert nndoctor("compare", "--gate", "base", "good.log", "--by", "val_bpb", "--higher").code == 1


def test_a_candidate_with_a_new_error_is_worse(nndoctor):
    """Whatever its value: a loss that became NaN."""
    ended = nndoctor("compare", "--gate", "good.csv", "nan.csv")
    assert ended.code == 1
    assert ended.out.startswith("Worse: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gate", "good.csv"), "a baseline and a candidate"),
        (("--gate", "good.csv", "good.csv", "--by", "nothing"), "has no such series"),
        (("--gate", "good.csv", "broken.csv"), "is empty"),
        (("good.csv", "good.csv", "--by", "val_loss"), "are for --gate"),
    ],
)
def test_no_answer_ends_with_2(nndoctor, words, message):
    """With the reason."""
    ended = nndoctor("compare", *words)
    assert ended.code == 2
    assert message in ended.err


def test_a_score_of_no_known_direction_must_be_reported(nndoctor, logs):
    """Nobody knows whether a high `score` is good."""
    printed(logs / "a.log", 1.0, "score")
    assert "--higher or --lower" in nndoctor("compare", "--gate", "a.log", "a.log", "--by", "score").err


def test_the_seeds_named_are_enough():
    """With that many runs of the same spread, the same gain exceeds the noise."""
    found = of_values("score", [1.0, 1.1, 0.9], [1.1, 1.2, 1.0], higher=True)
    assert found is not None
    assert found.verdict is GateVerdict.WITHIN_NOISE
    assert found.seeds is not None
    spread = (0.1**2 * found.seeds / (found.seeds - 1)) ** 0.5 / 1.0
    half = found.seeds // 2
    base = [1.0 - spread] * half + [1.0 + spread] * half
    again = of_values("score", base * 2, [value + 0.1 for value in base * 2], higher=True)
    assert again is not None
    assert again.verdict is GateVerdict.BETTER
