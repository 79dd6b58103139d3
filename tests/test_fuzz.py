"""A few seconds of fuzzing: mutated logs are read, judged and printed, or refused in one line."""

from __future__ import annotations

from benchmarks.fuzz import fuzz


def test_no_mutated_log_breaks_a_reader_a_rule_or_the_page():
    """`python -m benchmarks.fuzz` does the same for longer."""
    ends = fuzz(600, 7, None, minutes=0.1)
    assert ends.total() > 20
    assert set(ends) <= {"read", "refused"}, {
        end: count for end, count in ends.items() if end not in ("read", "refused")
    }
