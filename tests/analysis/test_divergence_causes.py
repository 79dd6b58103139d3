"""The causes of a loss that diverged, by what the log holds."""

from __future__ import annotations

import pytest

from nndoctor.analysis.divergence_causes import divergence_causes
from nndoctor.core.run import Run

LOSS = "2.5 1.9 1.4 1.1 0.9*6 2 4 6 8 9*8"


@pytest.mark.parametrize(("more", "asked"), [({"grad_norm": "1*22"}, False), ({}, True)])
def test_a_gradient_norm_that_is_logged_is_not_asked_for(more, asked):
    run = Run.drawn(train_loss=LOSS, **more)
    tests = [cause.test for cause in divergence_causes(run, run.series["train/loss"])]
    assert any(test.startswith("log the gradient norm") for test in tests) is asked
