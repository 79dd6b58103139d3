"""A few seconds of fuzzing: mutated logs are read, judged and printed, or refused in one line."""

from __future__ import annotations

import signal

import pytest

from benchmarks import fuzz


def test_no_mutated_log_breaks_a_reader_a_rule_or_the_page():
    """`python -m benchmarks.fuzz` does the same for longer."""
    ends = fuzz.fuzz(600, 7, None, minutes=0.1)
    assert ends.total() > 20
    assert set(ends) <= {"read", "refused"}, {
        end: count for end, count in ends.items() if end not in ("read", "refused")
    }


@pytest.mark.parametrize(("slow_attempts", "failed"), [(1, False), (fuzz.ATTEMPTS, True)])
def test_only_an_input_that_is_slow_each_time_fails(monkeypatch, tmp_path, slow_attempts, failed):
    """A pause of the machine makes one attempt slow."""
    ends = iter([f"{fuzz.SLOW}over 5 s"] * slow_attempts + ["read"])
    monkeypatch.setattr(fuzz, "tried_once", lambda *_: next(ends))
    assert fuzz.tried({"log.csv": b""}, tmp_path).startswith(fuzz.SLOW) is failed


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarms on this system")
def test_a_hang_is_stopped(monkeypatch, tmp_path):
    """An input that never ends costs its limit of processor time and is named."""

    def hang(_source):
        while True:
            pass

    monkeypatch.setattr(fuzz, "read", hang)
    monkeypatch.setattr(fuzz, "SLOWEST", 0.05)
    assert fuzz.tried_once({"log.csv": b""}, tmp_path).startswith("too slow, over 0.05 s of processor time")
