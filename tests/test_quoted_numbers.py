"""The numbers that a message calls best, first or last are in the log, and no sentence contradicts itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import nndoctor
from nndoctor.core.errors import NNDoctorError
from nndoctor.core.finding import Finding
from nndoctor.core.run import Run

ROOT = Path(__file__).resolve().parents[1]
CORPUS = Path(os.environ.get("NNDOCTOR_CORPUS", ROOT.parent / "shared" / "corpus"))
NUMBER = r"(-?\d[\d.]*(?:e[+-]?\d+)?)(?![\d.]|\s?%)"
QUOTED = [
    rf"{NUMBER} \(best",
    rf"(?:best|first|last|initial|previous) (?:value )?(?:is |was |of )?\(?{NUMBER}",
    rf"\bends at {NUMBER}",
    rf"(?:rose|fell|jumped) from {NUMBER}",
    rf"(?:rose|fell|jumped) from \S+(?: \([^)]*\))? to {NUMBER}",
]
RATIO = re.compile(r"(\d[\d.]*(?:e\+?\d+)?)(?:×| times\b)")
PERCENT = re.compile(r"(\d[\d.]*(?:e\+?\d+)?) ?%")
ORDERED = [  # what must be larger, by the words between
    (rf"(?:rose|jumped) from {NUMBER}(?: \([^)]*\))? to {NUMBER}", 1),
    (rf"loss fell from {NUMBER}(?: \([^)]*\))? to {NUMBER}", -1),
    (rf"\({NUMBER}\) is below \w+ loss \({NUMBER}\)", 1),
]
LARGEST = 1000.0


def sample_logs() -> list[Path]:
    """The sample runs, a folder with a run.json counting as one."""
    files = [p for p in (ROOT / "sample_runs").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    folders = {p.parent for p in files if p.name == "run.json"}
    return sorted([p for p in files if p.suffix != ".py" and p.parent not in folders] + list(folders))


def corpus_logs() -> list[Path]:
    """The logs of the corpus that is kept beside the project, where it is."""
    found: list[Path] = []
    for part, folder in (("small", "files"), ("wild", "."), ("real", "files")):
        labels = CORPUS / part / "labels.jsonl"
        if labels.is_file():
            names = [json.loads(line)["file"] for line in labels.read_text(encoding="utf-8").splitlines() if line]
            found += [CORPUS / part / folder / name for name in names if not name.endswith(".py")]
    return found


def judged(log: Path) -> Iterator[tuple[Run, Finding]]:
    """Every finding on every run of a log; none where it cannot be read."""
    try:
        runs = nndoctor.read(log)
    except NNDoctorError:
        return
    for run in runs:
        yield from ((run, finding) for finding in nndoctor.diagnose(run).findings)


def values_of(run: Run) -> set[float]:
    """The values of all series, in the log's own unit, and of the facts."""
    values = {float(v) / s.scale for s in run.series.values() for v in s.y}
    for fact in run.facts.values():  # what is in lines of text, such as a loss scale
        held = fact.value if isinstance(fact.value, tuple) else (fact.value,)
        values |= {float(v) for v in held if isinstance(v, (int, float))}
    return values | {-v for v in values} if "entropy_loss" in run.series else values  # the negative of the entropy


def stands_in(run: Run, quoted: str) -> bool:
    """Whether some value of the run, in the log's own unit, is the number to the digits quoted."""
    mantissa = re.sub(r"e.*", "", quoted.rstrip(".")).lstrip("-").replace(".", "").lstrip("0")
    digits = max(1, len(mantissa))
    number = float(quoted.rstrip("."))
    values = values_of(run)
    near = (v for v in values if abs(v - number) <= 0.5001 * 10.0 ** -(digits - 1) * max(abs(v), abs(number), 1e-300))
    return any(float(f"{v:.{digits - 1}e}") == float(f"{number:.{digits - 1}e}") for v in near) or number in values


def misquoted(run: Run, message: str) -> list[str]:
    """The numbers that a message calls the log's and that are none of it."""
    return [q for pattern in QUOTED for q in re.findall(pattern, message) if not stands_in(run, q)]


def contradictions(message: str) -> list[str]:
    """What a message says of two numbers that the numbers do not bear out, and ratios that say nothing."""
    wrong = []
    for pattern, sign in ORDERED:
        wrong += [f"{a} {b}" for a, b in re.findall(pattern, message) if sign * (float(b) - float(a)) <= 0]
    wrong += [r for r in RATIO.findall(message) if float(r) > LARGEST]
    return wrong + [p for p in PERCENT.findall(message) if float(p) > 10 * LARGEST]


def faults(log: Path) -> list[str]:
    """Every message on a log that misquotes it or contradicts itself, with what is wrong."""
    expected = [(run, f.name, f.message) for run, f in judged(log)]
    return [
        f"{name}: {message} -- {wrong}"
        for run, name, message in expected
        if (wrong := misquoted(run, message) + contradictions(message))
    ]


@pytest.mark.parametrize("log", sample_logs(), ids=lambda log: log.relative_to(ROOT).as_posix())
def test_messages_on_a_sample_run_quote_its_numbers(log):
    """Best, first and last are raw values of the log."""
    assert faults(log) == []


@pytest.mark.skipif(not corpus_logs(), reason="the corpus of real logs is not here (NNDOCTOR_CORPUS)")
@pytest.mark.parametrize("log", corpus_logs(), ids=lambda log: log.name)
def test_messages_on_a_real_log_quote_its_numbers(log):
    """The same for logs that were made elsewhere."""
    assert faults(log) == []


def test_the_log_s_own_best_step_is_agreed_with(tmp_path):
    """Transformers' state names the step of its best evaluation: a message about overfitting names it, too."""
    losses = [2.1, 1.6, 1.3, 1.21, 1.24, 1.33, 1.49]
    history = []
    for k, value in enumerate(losses, 1):
        history += [{"step": 100 * k, "loss": 2.2 * 0.7**k}, {"step": 100 * k, "eval_loss": value}]
    state = {"best_metric": 1.21, "best_global_step": 400, "log_history": history, "global_step": 700}
    log = tmp_path / "trainer_state.json"
    log.write_text(json.dumps(state), encoding="utf-8")
    (found,) = [f for _, f in judged(log) if f.name == "overtraining"]
    assert "from 1.21 (best, step 400) to 1.49 (step 700)" in found.message


def test_rows_count_from_one_where_nothing_counts_steps(tmp_path):
    """The second row is step 2."""
    log = tmp_path / "run.csv"
    rows = ["train_loss,val_loss", "2.0,2.0", "0.6,0.9", "0.3,1.2", "0.1,1.6", "0.05,2.0"]
    log.write_text("\n".join(rows) + "\n", encoding="utf-8")
    (found,) = [f for _, f in judged(log) if f.name == "overtraining"]
    assert "0.9 (best, epoch 2) to 2 (epoch 5)" in found.message
