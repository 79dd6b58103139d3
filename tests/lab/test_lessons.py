"""Every lesson shows what it claims: both twins are trained, measured and diagnosed."""

from __future__ import annotations

import pytest
import torch

from nndoctor.lab.lessons import LESSONS
from nndoctor.lab.teach import teach


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks train fastest on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_shows_what_it_claims(name, tmp_path):
    """The healthy twin is better by the margin claimed, and the sick one is diagnosed."""
    done = teach(LESSONS[name], tmp_path)
    found = [finding.name for finding in done.sick.report.findings]
    assert done.holds, f"{done.claims}; found {found}, wanted one of {LESSONS[name].findings}"
