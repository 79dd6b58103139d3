"""Healthy architectures get no error and no warning."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.core.finding import Severity  # noqa: E402
from nndoctor.diagnosis.session import Session  # noqa: E402
from nndoctor.sanity.checkup import examine  # noqa: E402
from nndoctor.sanity.families import FAMILIES  # noqa: E402
from tests.sanity.healthy import HEALTHY  # noqa: E402


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_architecture_is_left_in_peace(name):
    """No error, no warning."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    report = Session().judge(examine(HEALTHY[name](), budget=4.0, seeds=1), families=FAMILIES)
    told = [f"{f.name}: {f.message}" for f in report.at_least(Severity.WARNING)]
    assert not told
