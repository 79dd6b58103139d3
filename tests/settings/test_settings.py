"""Settings files: what is found, what is refused and where, and what they change."""

from __future__ import annotations

import json
import sys

import pytest

from nndoctor.cli.entry import run

LOSSES = [2.0 * 0.85**k + 0.05 for k in range(40)]
LOG = "epoch,train_loss,val_loss\n" + "".join(
    f"{k},{v:.5g},{v + 0.02 + 0.04 * max(k - 10, 0):.5g}\n" for k, v in enumerate(LOSSES)
)  # overtraining


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """A folder with a log and a writer of settings; `start` runs a command there."""
    from nndoctor.settings import files

    files._upward.cache_clear()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run.csv").write_text(LOG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def start(settings: str, *words: str, name: str = "nndoctor.toml") -> tuple[int, str, str]:
        files._upward.cache_clear()
        (tmp_path / name).write_text(settings, encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["nndoctor", *words])
        code = run(list(words))
        printed = capsys.readouterr()
        return int(code), printed.out, printed.err

    return start


def findings(out: str) -> dict[str, str]:
    """Names and severities."""
    return {f["name"]: f["severity"] for entry in json.loads(out)["runs"] for f in entry["findings"]}


JSON = ("diagnose", "a/run.csv", "-f", "json")


def test_settings_above_the_log_are_applied_by_a_bare_diagnose(here):
    """No option is needed: severity and fail-on hold."""
    assert here("", "diagnose", "a/run.csv")[0] == 0
    assert here('fail-on = "warning"', "diagnose", "a/run.csv")[0] == 1
    assert here('[severity]\novertraining = "error"', "diagnose", "a/run.csv")[0] == 1
    assert here('fail-on = "warning"', "diagnose", "a/run.csv", "--isolated")[0] == 0


def test_the_command_line_beats_the_file(here):
    """--fail-on and --select stand above the settings."""
    assert here('fail-on = "warning"', "diagnose", "a/run.csv", "--fail-on", "never")[0] == 0
    assert set(findings(here('select = ["NN3"]', *JSON, "--select", "overtraining")[1])) == {"overtraining"}


def test_pyproject_holds_the_same_table(here):
    """[tool.nndoctor] in pyproject.toml; one without it is none."""
    text = '[project]\nname = "x"\n[tool.nndoctor]\nselect = ["NN103"]\nseverity = { NN103 = "info" }\n'
    assert findings(here(text, *JSON, name="pyproject.toml")[1]) == {"overtraining": "info"}


def test_an_ignored_rule_is_reported_with_its_reason(here):
    """JSON and the long page say why a rule was not judged."""
    out = here('ignore = { NN103 = "known since May" }', *JSON)[1]
    assert "overtraining" not in findings(out)
    skipped = json.loads(out)["runs"][0]["skipped"]
    assert {"code": "NN103", "reason": "ignored, known since May"} in skipped
    assert (
        "ignored, known since May" in here('ignore = { NN103 = "known since May" }', "diagnose", "a/run.csv", "-v")[1]
    )


def test_sections_hold_for_their_logs_only(here):
    """A section of the runs below a folder says nothing of others."""
    section = '[[runs]]\npath = "{}"\nseverity = {{ NN103 = "error" }}\n'
    assert here(section.format("a/**"), "diagnose", "a/run.csv")[0] == 1
    assert here(section.format("b/**"), "diagnose", "a/run.csv")[0] == 0


def test_limits_are_those_that_a_rule_declares(here):
    """A limit moves a judgement; one that a rule does not have is refused with those it has."""
    assert "high-variance" in findings(here("[limits.high-variance]\nloss = 0.3", *JSON)[1])
    assert "high-variance" not in findings(here("[limits.high-variance]\nloss = 9", *JSON)[1])
    code, _, err = here("[limits.high-variance]\ngop = 9", *JSON)
    assert code == 2
    assert "high-variance has no limit 'gop'; its limits are gap, fine, loss" in err


def test_maps_and_targets_hold_for_the_logs_that_have_the_column(here, tmp_path):
    """A map in a file is no error where a log lacks the column."""
    (tmp_path / "a" / "odd.csv").write_text(LOG.replace("train_loss", "zzz"), encoding="utf-8")
    _, out, _ = here('map = { zzz = "train/loss" }\ntarget-error = "5%"', "diagnose", "a", "-f", "json")
    assert ["train/loss" in {s["name"] for s in entry["series"]} for entry in json.loads(out)["runs"]] == [True, True]


def test_excluded_logs_are_left_out_unless_named(here):
    """A glob of the folder leaves a log out; its own name brings it back."""
    assert here('exclude = ["a/*.csv"]', "diagnose", "a")[0] == 2
    assert here('exclude = ["a/*.csv"]', "diagnose", "a/run.csv")[0] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nselct = []", "nndoctor.toml:2: selct: no such setting, did you mean 'select'?"),
        ('select = "NN1"', "nndoctor.toml:1: select: wants a list of text"),
        ('ignore = ["NN1"]', "nndoctor.toml:1: ignore: wants a table of rules, each with its reason"),
        ('[ignore]\nNN104 = ""', "nndoctor.toml:2: NN104: wants the reason"),
        ('[severity]\nNN104 = "eror"', "nndoctor.toml:2: NN104: wants error, warning or info"),
        ('select = ["overtrainin"]', "nndoctor.toml:1: no rule 'overtrainin', did you mean 'overtraining'?"),
        ('fail-on = "always"', "nndoctor.toml:1: fail-on: wants error, warning, info or never"),
        ("target-error = 7", "nndoctor.toml:1: target-error wants an error between 0 and 1"),
        ('require = ["x >"]', "nndoctor.toml:1: requirement 'x >', character 4"),
        ('[[runs]]\nselect = ["NN1"]', "nndoctor.toml:1: runs: each section wants a path"),
        ('\n[[runs]]\npath = "a"\nfail-on = "error"', "nndoctor.toml:4: runs 'a'.fail-on: no such setting"),
        ("select = [", "nndoctor.toml is not valid TOML"),
        ("[limits]\noverfit = 3", "nndoctor.toml:2: overfit: wants a table of limits"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(here, text, message):
    """One line, exit 2, the file and the line."""
    code, out, err = here(text, "diagnose", "a/run.csv")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_settings_of_a_missing_log_are_an_error(here):
    """A mistyped name must not look like a log without settings."""
    code, out, err = here("", "settings", "nope.csv")
    assert (code, out) == (2, "")
    assert err == "nndoctor: nope.csv: no such file; expected a log file, a folder, a glob, or -\n"


def test_settings_says_what_is_in_force_and_from_where(here):
    """The command shows each key with its origin; other logs' sections are left out."""
    text = 'fail-on = "warning"\n\n[[runs]]\npath = "a/**"\nselect = ["NN1"]\n'
    shown = json.loads(here(text, "settings", "a/run.csv", "-f", "json")[1])
    assert shown["fail-on"] == {"value": "warning", "from": "nndoctor.toml:1"}
    assert shown["select"] == {"value": ["NN1"], "from": "nndoctor.toml:5 (runs 'a/**')"}
    assert shown["require"]["from"] == "default"
    assert 'select       ["ALL"]  default' in here(text, "settings")[1]


def test_a_requirement_that_is_not_met_fails_with_margin_and_noise(here):
    """From the file and from the command line; one that is met is said to be clear."""
    code, out, _ = here('require = ["validation/loss last < 0.1"]', *JSON)
    [finding] = [f for f in json.loads(out)["runs"][0]["findings"] if f["name"] == "requirement-not-met"]
    assert code == 1
    assert finding["evidence"]["margin"] == pytest.approx(0.1 - finding["evidence"]["value"])
    assert finding["evidence"]["noise"] >= 0
    code, out, _ = here("", *JSON, "--require", "epochs >= 40")
    assert code == 0
    assert "NN010" in json.loads(out)["runs"][0]["cleared"]


def test_what_nobody_required_is_not_spoken_of(here):
    """Without requirements the rule is neither clear nor skipped."""
    entry = json.loads(here("", *JSON)[1])["runs"][0]
    assert "NN010" not in [*entry["cleared"], *(s["code"] for s in entry["skipped"])]


def test_what_the_documentation_shows_is_understood():
    """Every TOML example of docs/ci.md and docs/settings.md is a settings file."""
    import re
    import tomllib
    from pathlib import Path

    from nndoctor.diagnosis.selection import selected
    from nndoctor.settings.schema import SettingsPlace, validated

    docs = Path(__file__).resolve().parents[2] / "docs"
    text = "".join((docs / name).read_text(encoding="utf-8") for name in ("ci.md", "settings.md"))
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        found = validated(tomllib.loads(example), SettingsPlace("settings.md", example), "/")
        assert selected(found).rules


@pytest.mark.parametrize(
    "words", [["watch", "a/run.csv", "--once", "-f", "concise"], ["watch", "a/run.csv", "--for", "0.2"]]
)
def test_watch_applies_them(here, words):
    """As diagnose does; --isolated uses none."""
    assert here('fail-on = "warning"', *words)[0] == 1
    assert here('[severity]\novertraining = "error"', *words)[0] == 1
    assert here('fail-on = "warning"', *words, "--isolated")[0] == 0


def test_the_page_applies_them(here, tmp_path):
    """What is ignored with a reason is no finding there."""
    assert here("", "report", "a/run.csv", "-o", "one.html")[0] == 0
    assert here('ignore = { overtraining = "on purpose" }', "report", "a/run.csv", "-o", "two.html")[0] == 0
    assert "NN103" in (tmp_path / "one.html").read_text(encoding="utf-8")
    assert "on purpose" in (tmp_path / "two.html").read_text(encoding="utf-8")


def test_a_check_up_applies_them(here, tmp_path):
    """Selection and severity, from the settings near the model file."""
    pytest.importorskip("torch")
    model = "import torch\nfrom torch import nn\ntorch.manual_seed(0)\nmodel = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))\n"
    model += "loss = nn.CrossEntropyLoss()\ntrain_data = (torch.randn(64, 4), torch.randint(0, 3, (64,)))\n"
    (tmp_path / "model.py").write_text(model, encoding="utf-8")
    words = ("sanity", "model.py", "--budget", "40", "--seeds", "1", "-f", "json")
    code, out, _ = here('select = ["missing-nonlinearity"]\nseverity = { missing-nonlinearity = "error" }', *words)
    assert findings(out) == {"missing-nonlinearity": "error"}
    assert code == 1
    code, out, _ = here('select = ["missing-nonlinearity"]\nseverity = { missing-nonlinearity = "info" }', *words)
    assert (code, findings(out)) == (0, {"missing-nonlinearity": "info"})
