"""Logs whose losses measure no learning are said to be such, and nothing is made up about them."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.core.verdict import verdict
from nndoctor.reporters.page import Look
from nndoctor.reporters.terminal import render

GAN = "\n".join(
    f"(epoch: {k}, iters: 100, time: 0.4, data: 0.1) G_GAN: {3 - k / 9} D_real: 0.5 D_fake: 0.4" for k in range(9)
)
PLAY = "rollout/ep_rew_mean,time/total_timesteps,train/value_loss\n" + "".join(f"{k},{k}00,{9 - k}\n" for k in range(9))


@pytest.mark.parametrize(("text", "word"), [(GAN, "GAN"), (PLAY, "reinforcement learning")])
def test_the_kind_of_log_is_named_and_no_verdict_given(text, word, tmp_path):
    """The sentence says what the log is; the page asks for no series, which would not help."""
    log = tmp_path / "log.csv"
    log.write_text(text)
    (run,) = nndoctor.read(log)
    report = nndoctor.diagnose(run)
    sentence, _ = verdict(report)
    assert sentence.startswith("Cannot say")
    assert word in sentence
    assert "no verdict on bias and variance" in sentence
    assert report.primary is None
    page = render([report], Look())
    assert "To log" not in page
    assert "--map" not in page
    assert [r.name for f in report.findings for r in f.remedies] in (["score-the-samples"], ["evaluate-the-policy"])
