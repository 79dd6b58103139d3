"""Every sample run gets the finding that its folder is named for; the healthy ones get no error and no warning."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import nndoctor
from nndoctor.core.finding import Severity
from nndoctor.diagnosis.catalogue import RULES

FOLDER = Path(__file__).resolve().parents[1] / "sample_runs"
FILES = [p for p in FOLDER.rglob("*") if p.is_file() and p.suffix != ".py" and "__pycache__" not in p.parts]
FOLDERS = {p.parent for p in FILES if p.name == "run.json"}
LOGS = sorted([p for p in FILES if p.parent not in FOLDERS] + list(FOLDERS))
BY_NAME = {rule.name: rule for rule in RULES}


def name_of(log: Path) -> str:
    """The folder below sample_runs."""
    return log.relative_to(FOLDER).parts[0]


def label(log: Path) -> str:
    """The path below sample_runs."""
    return log.relative_to(FOLDER).as_posix()


SICK = [log for log in LOGS if name_of(log) != "healthy"]
HEALTHY = [log for log in LOGS if name_of(log) == "healthy"]


def expected(name: str) -> set[str]:
    """The findings that a folder's name asks for."""
    return {"high-bias", "high-variance"} if name == "high-bias-and-variance" else {name}


def reports(log: Path):
    """One report for each run of a log."""
    return [nndoctor.diagnose(run) for run in nndoctor.read(log)]


@pytest.mark.parametrize("log", SICK, ids=label)
def test_a_sample_run_gets_the_finding_it_is_named_for(log):
    """The named finding is primary; one of severity info (or one of two) is among the findings."""
    wanted = expected(name_of(log))
    found = [f for report in reports(log) for f in report.findings]
    assert wanted <= {f.name for f in found}
    if any(f.severity is not Severity.INFO for f in found if f.name in wanted):
        assert reports(log)[0].primary.name in wanted
    else:  # a run that is only remarkable
        assert [f"{f.name}: {f.message}" for report in reports(log) for f in report.at_least(Severity.WARNING)] == []


@pytest.mark.parametrize("log", HEALTHY, ids=label)
def test_a_healthy_run_gets_no_error_and_no_warning(log):
    """A false alarm costs a user's trust for good."""
    assert [f"{f.name}: {f.message}" for report in reports(log) for f in report.at_least(Severity.WARNING)] == []


def test_there_are_at_least_fifteen_findings_and_eight_tricky_healthy_runs():
    """The folder shows what the tool finds, and what it must leave alone."""
    assert len({name_of(log) for log in SICK}) >= 15
    assert len(HEALTHY) >= 8


@pytest.mark.parametrize("log", LOGS, ids=label)
def test_sample_logs_are_small(log):
    """A checkout stays light."""
    assert sum(p.stat().st_size for p in ([log] if log.is_file() else log.iterdir())) < 60_000


@pytest.mark.parametrize("name", sorted({name_of(log) for log in SICK}))
def test_folders_are_named_for_rules(name):
    """A folder's name is a rule's name, or two."""
    assert expected(name) <= set(BY_NAME)


@pytest.fixture(scope="module")
def made():
    """The modules that make the sample runs."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("samples"), importlib.import_module("checks")
    sys.path.remove(str(FOLDER))


def test_the_folder_holds_what_the_makers_make(made):
    """No log without its experiment, no experiment without its log."""
    samples, _ = made
    recorded = importlib.import_module("recorded").RECORDED
    modern = importlib.import_module("modern").MODERN
    assert sorted(s.path for s in (*samples.SAMPLES, *recorded, *modern)) == sorted(label(log) for log in LOGS)


def test_recorded_runs_deserve_their_names(made):
    """Their single change mends them."""
    claims = [sample.claim() for sample in importlib.import_module("recorded").RECORDED]
    assert made
    assert [text for text, holds in claims if not holds] == []


@pytest.mark.parametrize("path", ["too-little-data/run.csv", "warmup-unfinished/steps.csv"])
def test_a_remade_log_is_the_committed_one(made, path):
    """The logs come from real training: trained again, the numbers come back but for rounding."""
    samples, _ = made
    sample = next(s for s in samples.SAMPLES if s.path == path)
    assert np.allclose(numbers(sample.text()), numbers((FOLDER / path).read_text()), rtol=1e-2, atol=1e-3)


def numbers(text: str) -> list[float]:
    """All cells of a table, -1 for an empty one."""
    cells = [cell for row in text.splitlines()[1:] for cell in row.split(",")]
    return [float(cell) if cell else -1.0 for cell in cells]


@pytest.mark.parametrize("name", ["nan-loss", "loss-spikes", "overtraining", "noisy-validation"])
def test_a_run_deserves_its_name(made, name):
    """The quick ones of the experiments that decide a name hold (`sample_runs/make.py --check` runs all)."""
    samples, checks = made
    sample = next(s for s in samples.SAMPLES if s.name == name)
    assert [claim.text for claim in checks.CLAIMS[name](sample.experiment) if not claim.holds] == []


def test_the_best_constant_prediction_of_ten_classes_costs_ln_ten(made):
    """The yardstick of all gains agrees with its closed form."""
    _, checks = made
    assert math.isclose(checks.constant_loss("digits", "cross-entropy"), math.log(10), rel_tol=0.002)
