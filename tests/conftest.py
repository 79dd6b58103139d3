"""Marks the tests that train networks or start many processes as slow: `pytest -m "not slow"` leaves them out."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SLOW = ("experiment", "integrations", "lab", "recorder", "sanity", "training", "treatment")
SLOW_FILES = {
    "test_accuracy.py",
    "test_corpus.py",
    "test_invariance.py",
    "test_linear.py",
    "test_same_verdict.py",
    "test_zoo.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder and file, so that no test has to be remembered."""
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        parts = item.path.relative_to(HERE).parts
        if parts[0] in SLOW or item.path.name in SLOW_FILES:
            item.add_marker(pytest.mark.slow)
