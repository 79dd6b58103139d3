"""A quick start: what is not needed is not loaded."""

from __future__ import annotations

import pytest

ENDING = """
import sys
sys.argv = ['nndoctor', *{words!r}]
from nndoctor.cli import main
try:
    main()
except SystemExit:
    pass
import os
print('LOADED', os.environ.get('OPENBLAS_NUM_THREADS'), *sys.modules)
"""
HEAVY = {"pandas", "matplotlib", "torch", "scipy", "sklearn"}


def loaded(process, *words: str) -> list[str]:
    """The value of OPENBLAS_NUM_THREADS, and the modules that a fresh process holds after a command."""
    text, message = process(python=("-c", ENDING.format(words=words))).communicate(timeout=30)
    assert b"LOADED" in text, message
    return text.decode().rpartition("LOADED")[2].split()


@pytest.mark.parametrize("words", [["good.csv"], ["good.csv", "-f", "json"], ["good.csv", "nan.csv", "-q"]])
def test_diagnose_loads_nothing_heavy(process, words):
    """No pandas, matplotlib, torch, scipy; one thread for numpy."""
    threads, *modules = loaded(process, "diagnose", *words)
    assert "numpy" in modules
    assert threads == "1"
    assert not HEAVY & set(modules)
    if words == ["good.csv"]:  # typer itself may load it for the options
        assert "importlib.metadata" not in modules


@pytest.mark.parametrize("words", [["--help"], ["diagnose", "--help"], ["--version"]])
def test_help_loads_no_arithmetic(process, words):
    """Nothing of nndoctor but its command line, and not numpy."""
    _, *modules = loaded(process, *words)
    assert "numpy" not in modules
    ours = {name.split(".")[1] for name in modules if name.startswith("nndoctor.")}
    assert ours <= {"_version", "cli", "core", "diagnosis", "plots", "reporters"}


def test_machine_formats_load_no_rich(process):
    """They are written plainly."""
    assert "rich.console" not in loaded(process, "diagnose", "good.csv", "-f", "json")


def test_a_plain_table_loads_no_patterns_of_printed_logs(process):
    """What other languages and other formats need is loaded for them."""
    _, *modules = loaded(process, "diagnose", "good.csv")
    assert not {f"nndoctor.readers.{name}" for name in ("vocabulary.translations", "text.records", "text.pairs")} & set(
        modules
    )
