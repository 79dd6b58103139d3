"""The pytest plugin: a log as a test, and assert_healthy in one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nndoctor.core.errors import UnreadableLog, UsageError
from nndoctor.pytest_plugin import assert_healthy

ROOT = Path(__file__).resolve().parents[1]
FALL = [2.0 * 0.85**k + 0.05 for k in range(40)]
GOOD = {"loss": FALL, "val_loss": [v + 0.02 for v in FALL]}
ILL = {"loss": [*FALL[:20], *[float("nan")] * 20], "val_loss": FALL}


def write(path: Path, columns: dict[str, list[float]]) -> None:
    rows = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([",".join(columns), *rows, ""]), encoding="utf-8")


def started(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Pytest as a user starts it, with this plugin alone."""
    command = [sys.executable, "-m", "pytest", "-p", "nndoctor.pytest_plugin", "-p", "no:cacheprovider", "-q", *words]
    environment = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_healthy_log_passes():
    """Nothing is raised, and nothing is returned that could be mistaken for a result."""
    assert_healthy(GOOD)


def test_an_sick_log_fails_with_a_line_for_what_is_wrong():
    """Code, name and message."""
    with pytest.raises(AssertionError, match=r"NN301 nan-loss: training loss became NaN at epoch 21"):
        assert_healthy(ILL)
    assert_healthy(ILL, ignore=["NN3", "NN1"], fail_on="error")


def test_a_log_that_says_nothing_is_not_healthy():
    """What nobody examined is never called well."""
    with pytest.raises(AssertionError, match="cannot be judged"):
        assert_healthy({"loss": [2.0, 1.0]})


def test_what_makes_no_sense_is_no_failed_assertion(tmp_path):
    """A missing log and a wrong word are errors of their own."""
    with pytest.raises(UnreadableLog):
        assert_healthy(str(tmp_path / "none.csv"))
    with pytest.raises(UsageError, match="expected one of error, warning, info"):
        assert_healthy(GOOD, fail_on="fatal")


def test_logs_named_on_the_command_line_are_tests(tmp_path):
    """The healthy one passes; the ill and the missing one fail, in their own words."""
    write(tmp_path / "good.csv", GOOD)
    write(tmp_path / "ill.csv", ILL)
    logs = [f"--nndoctor-log={name}.csv" for name in ("good", "ill", "none")]
    done = started(tmp_path, *logs)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "2 failed" in done.stdout
    assert "NN301 nan-loss" in done.stdout
    assert "Traceback" not in done.stdout
    assert started(tmp_path, logs[0]).returncode == 0


def test_the_plugin_weighs_nothing_until_it_is_used(tmp_path):
    """Every pytest of an environment imports it: no numpy, no pandas, no reader."""
    code = "import sys, nndoctor.pytest_plugin; print(*sorted(m for m in sys.modules if m.startswith('nndoctor')))\n"
    code += "assert not {'numpy', 'pandas', 'typer', 'rich', 'torch'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == {"nndoctor", "nndoctor._version", "nndoctor.pytest_plugin"}
