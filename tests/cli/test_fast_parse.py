"""The usual words of diagnose mean the same with and without the parser."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from nndoctor.cli import diagnose as command
from nndoctor.cli import fast_parse
from nndoctor.cli.app import app
from nndoctor.cli.request import DiagnoseRequest

LINES = [
    "a.csv",
    "a.csv b.csv -",
    "a.csv --format json --exit-zero",
    "-f sarif a.csv -o out.sarif --force",
    "a.csv --format=markdown --color=always",
    "a.csv --color always --no-color",
    "a.csv --no-color --color always",
    "a.csv --select NN1 --select NN2 --ignore overtraining --map x=train/loss --report json=a.json",
    "a.csv --target 5% --fail-on warning --jobs 3 -q -e",
    "a.csv --target-error 0.1 -j 2 --baseline good.json --config c.toml --isolated --full",
    "a.csv -v --require 'x'",
]
UNUSUAL = [
    "",
    "--help",
    "a.csv --help",
    "a.csv --formt json",
    "a.csv --format xml",
    "a.csv --jobs 0",
    "a.csv --jobs many",
    "a.csv --select",
    "a.csv -fjson",
    "a.csv -qe",
    "a.csv -- -b.csv",
    "--format json",
]


def by_parser(words: list[str], monkeypatch: pytest.MonkeyPatch) -> DiagnoseRequest:
    """The request that typer makes of the words."""
    made: list[DiagnoseRequest] = []

    def answer(request: DiagnoseRequest) -> int:
        made.append(request)
        return 0

    monkeypatch.setattr(command, "carry_out", answer)
    app(["diagnose", *words], prog_name="nndoctor", standalone_mode=False)
    return made[0]


@pytest.mark.parametrize("line", LINES)
def test_a_usual_line_makes_the_request_that_the_parser_makes(line, monkeypatch):
    """Options, their short forms, attached and repeated values are understood alike."""
    assert fast_parse.request_of(line.split()) == by_parser(line.split(), monkeypatch)


@pytest.mark.parametrize("line", UNUSUAL)
def test_an_unusual_line_is_left_to_the_parser(line):
    """What is wrong, or rare, is not guessed at."""
    assert fast_parse.request_of(line.split()) is None


def test_every_option_of_diagnose_is_known():
    """An option that is added to the command is understood here, too, and takes as many values."""
    options = get_command(app).commands["diagnose"].params
    flags = {name for o in options if o.param_type_name == "option" and o.is_flag for name in o.opts}
    valued = {name for o in options if o.param_type_name == "option" and not o.is_flag for name in o.opts}
    assert {*fast_parse.FLAGS, "--no-color"} == flags - {"--help", "-h"}
    assert {*fast_parse.VALUES, *fast_parse.REPEATED} == valued


def test_diagnose_with_options_loads_no_parser(tmp_path):
    """Neither typer nor pydantic, which it brings, is imported for a log."""
    log = tmp_path / "run.csv"
    log.write_text("epoch,loss\n" + "".join(f"{k},{1 / k}\n" for k in range(1, 20)), encoding="utf-8")
    code = (
        "import sys; from nndoctor.cli.entry import run; "
        f"run(['diagnose', {str(log)!r}, '--format', 'json', '--exit-zero']); "
        "print(sorted({'typer', 'click', 'pydantic', 'pandas', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
