"""`nndoctor compare`: what is printed, exit codes, what is refused."""

from __future__ import annotations

import json

import pytest

from tests.little import trained


@pytest.fixture(autouse=True)
def folders(logs):
    """Three seeds each of a good rate and of one far too low."""
    for lr in (0.02, 0.0005):
        for seed in range(3):
            trained(logs / f"lr={lr}" / f"seed={seed}.csv", lr=lr, seed=seed)
    return logs


def test_a_worse_run_ends_with_1_a_better_one_with_0(nndoctor):
    """So that a gate can ask whether a change made training worse; --exit-zero and --fail-on never only look."""
    assert nndoctor("compare", "lr=0.0005", "lr=0.02").code == 0
    assert nndoctor("compare", "lr=0.02", "lr=0.0005").code == 1
    assert nndoctor("compare", "lr=0.02", "lr=0.0005", "--exit-zero").code == 0
    assert nndoctor("compare", "lr=0.02", "lr=0.0005", "--fail-on", "never").code == 0
    assert nndoctor("compare", "lr=0.02/seed=0.csv", "lr=0.02/seed=1.csv").code == 0


def test_a_new_finding_at_the_limit_ends_with_1(nndoctor):
    """As in diagnose, error by default."""
    assert nndoctor("compare", "good.csv", "risen.csv").code in (0, 1)
    assert nndoctor("compare", "good.csv", "nan.csv").code == 1
    assert nndoctor("compare", "risen.csv", "good.csv", "--fail-on", "warning").code == 0


def test_the_page_shows_what_there_is_to_tell(nndoctor):
    """Verdict, chance, settings, picture, time."""
    printed = nndoctor("compare", "lr=0.0005", "lr=0.02").out
    assert "B is better than A: validation accuracy" in printed
    assert "(repeats vary by up to" in " ".join(printed.split())
    assert "Settings that differ" in printed
    assert "0.0005" in printed
    assert "after 2 s" in printed
    assert all(len(line) <= 80 for line in printed.splitlines())


def test_one_word_is_a_folder_of_sides(nndoctor):
    """Each of its runs is compared with the first."""
    found = json.loads(nndoctor("compare", "lr=0.02", "-f", "json").out)["comparison"]
    assert [side["label"] for side in found["sides"]] == ["A", "B", "C"]
    assert [verdict["side"] for verdict in found["verdicts"]] == ["B", "C"]


def test_json_and_markdown_hold_the_same_verdicts(nndoctor, folders):
    """And Markdown obeys no name."""
    (folders / "a`<b>|x.csv").write_bytes((folders / "lr=0.02" / "seed=0.csv").read_bytes())
    words = ("compare", "lr=0.0005/seed=0.csv", "a`<b>|x.csv")
    found = json.loads(nndoctor(*words, "-f", "json").out)["comparison"]
    [verdict] = found["verdicts"]
    assert verdict["outcome"] == "better"
    text = nndoctor(*words, "-f", "markdown").out
    assert "better than A" in text
    assert "<b>" not in text
    assert "### nndoctor: runs compared" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["good.csv"], "compare needs at least two runs"),
        (["good.csv", "missing.csv"], "no such file"),
        (["good.csv", "broken.csv"], "broken.csv"),
    ],
)
def test_what_cannot_be_compared_ends_with_2(nndoctor, words, message):
    """One line on standard error."""
    done = nndoctor("compare", *words)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
