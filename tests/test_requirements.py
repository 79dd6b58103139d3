"""The grammar of requirements: what it takes, where it points, how it judges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndoctor.core.errors import UsageError
from nndoctor.core.requirements import COMPARISONS, STATISTICS, judge, parse
from nndoctor.core.run import Run

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
BOUNDS = st.one_of(
    NUMBERS.map(str),
    NUMBERS.map(lambda x: f"{x}%"),
    NUMBERS.map(lambda x: f"{x} * baseline"),
    NUMBERS.map(lambda x: f"baseline + {x}"),
    st.just("baseline"),
)


@given(
    st.sampled_from(["train/loss", "validation/accuracy", "lr", "layer:a.0/mean"]),
    st.sampled_from(["", *STATISTICS]),
    st.sampled_from(COMPARISONS),
    BOUNDS,
    st.sampled_from(["", " ", "   "]),
)
def test_every_sentence_of_the_grammar_is_understood(subject, statistic, comparison, bound, blank):
    """What the grammar spells is parsed to what it says, whatever the blanks."""
    found = parse(f"{blank}{subject} {statistic}{blank}{comparison}{blank}{bound}{blank}")
    assert (found.subject, found.statistic, found.comparison) == (subject, statistic or "last", comparison)
    assert bool(found.factor) == ("baseline" in bound) or found.factor == 0.0


@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text):
    """Any text is a requirement or one line that names a character; nothing is evaluated."""
    message = "character"
    try:
        parse(text)
    except UsageError as error:
        message = str(error)
    assert "character" in message


@pytest.mark.parametrize(
    ("text", "character", "message"),
    [
        ("train/loss lst < 0.1", 12, "did you mean 'last'?"),
        ("train/loss 0.1", 12, "expected one of >= <= > <"),
        ("train/loss <", 13, "found the end"),
        ("train/loss < __import__('os')", 14, "expected a number or baseline"),
        ("train/loss < 1 2", 16, "expected nothing more"),
        ("train/loss < 2 * 3", 18, "expected baseline"),
        ("epochs last > 3", 8, "expected a comparison"),
        ("train/loss == 1", 12, "expected one of"),
        ("", 1, "found the end"),
        ("train/loss < 1e999", 14, "too large"),
    ],
)
def test_an_error_points_at_its_place(text, character, message):
    """The character is counted from 1, and what was wanted is said."""
    with pytest.raises(UsageError, match=f"character {character}:") as error:
        parse(text)
    assert message in str(error.value)


RUN = Run.drawn(
    {"epochs": 12, "baseline:validation/loss last": (1.0, 1.2)},
    train_loss="2 1 0.5 0.6",
    validation_loss="2 1.2 1.15 1.16",
    validation_accuracy="0.2 0.93 0.9 0.91",
)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("validation/accuracy best >= 0.92", True),
        ("validation/accuracy best >= 92%", True),
        ("validation/accuracy best >= 92", True),
        ("validation/accuracy >= 92", False),
        ("train/loss best <= 0.5", True),
        ("train/loss best < 0.5", False),
        ("train/loss max <= 2", True),
        ("epochs >= 12", True),
        ("epochs >= 13", False),
        ("steps >= 3", True),
        ("validation/loss last <= 1.05 * baseline", False),
        ("validation/loss last <= 1.06 * baseline", True),
        ("validation/loss last <= baseline + 0.1", True),
        ("validation/loss last <= baseline - 0.1", False),
        ("train/loss last <= baseline", False),  # no baseline holds it
        ("test/loss < 9", False),  # nor does the log
    ],
)
def test_a_requirement_is_judged_as_it_reads(text, met):
    """Percent or fraction, best on the better side, a missing value never met."""
    assert judge(RUN, parse(text)).met is met


def test_what_is_missing_is_reported():
    """The nearest series is named, and a value that is no number is not met."""
    assert judge(RUN, parse("train/los < 9")).missing == "no train/los in the log, did you mean 'train/loss'?"
    broken = judge(Run.drawn(train_loss="1 nan"), parse("train/loss last < 9"))
    assert not broken.met
    assert broken.missing == "its last value is not a number"
