"""Every rule's own examples: the sick ones are found, the healthy ones are examined and cleared."""

from __future__ import annotations

import pytest

from nndoctor.core.rule import Rule
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.diagnosis.needs import missing
from nndoctor.remedies import REMEDIES

SICK = [pytest.param(rule, run, id=f"{rule.code}-{i}") for rule in RULES for i, run in enumerate(rule.sick)]
HEALTHY = [pytest.param(rule, run, id=f"{rule.code}-{i}") for rule in RULES for i, run in enumerate(rule.healthy)]


@pytest.mark.parametrize(("rule", "run"), SICK)
def test_sick_example_is_found(rule: Rule, run: Run) -> None:
    """A rule finds its illness in its own sick examples."""
    assert [f.code for f in diagnose(run, [rule]).findings] == [rule.code]


@pytest.mark.parametrize(("rule", "run"), HEALTHY)
def test_healthy_example_is_examined_and_cleared(rule: Rule, run: Run) -> None:
    """A rule has all it needs in its healthy examples, and finds nothing."""
    assert missing(run, rule) is None
    assert diagnose(run, [rule]).cleared == (rule.code,)


def test_sick_example_is_named_by_the_whole_catalogue() -> None:
    """With every rule at work a sick example still gets its own finding: no rule that it yields to takes it away."""
    lost = [
        f"{rule.name} #{i}: {[f.name for f in diagnose(run, RULES).findings]}"
        for rule in RULES
        for i, run in enumerate(rule.sick)
        if rule.name not in [f.name for f in diagnose(run, RULES).findings]
    ]
    assert not lost


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_card_is_complete(rule: Rule) -> None:
    """A card has its reasons, sources, examples and known remedies, and yields to rules that exist."""
    assert rule.why.endswith(".")
    assert rule.how.endswith(".")
    assert rule.sources
    assert rule.sick
    assert rule.healthy
    assert rule.remedies
    assert set(rule.remedies) <= set(REMEDIES)
    assert set(rule.suppressed_by) <= {other.name for other in RULES}


def test_codes_are_in_order_and_unique() -> None:
    """The catalogue stands in code order, without doubles."""
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
