"""What the pages tell users to type works: Python compiles and its names exist, and commands have the options shown."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.main import get_command

from nndoctor.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(nndoctor [a-z-][^`]*)`")
COMMENT = re.compile(r"(^|\s)#.*")
BETWEEN = ("&&", "||", "|", ";", "--")  # after "--" of another program comes ours
SIGNATURE = re.compile(r"^nndoctor\.\w+\(", re.MULTILINE)  # in the API reference: no code


def blocks(path: Path, *languages: str) -> list[str]:
    """The code blocks of a page."""
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [text for language, text in found if language in languages]


def pages_with(*languages: str) -> list:
    """The pages that have such blocks."""
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in PAGES if blocks(p, *languages)]


def commands(text: str) -> list[list[str]]:
    """The words of every nndoctor command in a shell block."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(COMMENT.sub("", line).removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, ""
        words: list[str] = []
        for word in [*lexer, "&&"]:
            if word in BETWEEN and words[:1] != ["nndoctor"]:
                words = []
            elif word in BETWEEN:
                found.append(words[1:])
                words = []
            elif word != "uvx":
                words.append(word)
    return found


@cache
def parser():
    """The command line."""
    return get_command(app)


@cache
def lenient_parser():
    """One that asks for no argument: a sentence names `nndoctor report --cache`."""
    command = get_command(app)
    waiting = [command]
    while waiting:
        one = waiting.pop()
        waiting += getattr(one, "commands", {}).values()
        for parameter in one.params:
            parameter.required = False
    return command


def parse(words: list[str], command) -> None:
    """Raise what the parser raises for words that mean nothing."""
    words = words[: words.index(">")] if ">" in words else list(words)
    name = "nndoctor"
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        command = command.commands[name]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if hasattr(command, "commands"):
        assert set(words) <= options | {"--help"}, words
    else:
        command.make_context(name, words)


@pytest.mark.parametrize("path", pages_with("python", "py"))
def test_python_in_the_docs_compiles(path):
    """Fragments, too."""
    for code in blocks(path, "python", "py"):
        if not SIGNATURE.match(code):
            compile(code, str(path), "exec")


@pytest.mark.parametrize("path", pages_with("python", "py"))
def test_names_that_python_in_the_docs_imports_exist(path):
    """Where their package is installed."""
    for code in blocks(path, "python", "py"):
        imports = [] if SIGNATURE.match(code) else ast.walk(ast.parse(code))
        for node in imports:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    pytest.importorskip(alias.name)
            elif isinstance(node, ast.ImportFrom) and _installed(node.module or ""):
                module = importlib.import_module(node.module or "")
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


def _installed(module: str) -> bool:
    """Whether a module, and the package that one of our integrations is for, is there; skips the test otherwise."""
    parts = module.split(".")
    needed = parts[2] if module.startswith("nndoctor.integrations.") else parts[0]
    if find_spec(needed) is None:
        pytest.skip(f"needs {needed}")
    return True


@pytest.mark.parametrize("path", pages_with("sh", "bash", "console"))
def test_commands_in_the_docs_parse(path):
    """Every nndoctor command of a shell block: the command, its options and their values exist."""
    for text in blocks(path, "sh", "bash", "console"):
        for words in commands(text):
            parse(words, parser())


@pytest.mark.parametrize("path", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in PAGES])
def test_commands_within_a_sentence_parse(path):
    """`nndoctor …` in running text, as far as it is a whole command."""
    text = BLOCK.sub("", path.read_text(encoding="utf-8"))
    for command in INLINE.findall(text):
        for words in commands(command):
            parse(words, lenient_parser())


def test_a_command_with_an_unknown_option_is_seen():
    """The test above can fail."""
    assert commands("FOO=1 true && nndoctor diagnose a.csv --nonsense # why") == [["diagnose", "a.csv", "--nonsense"]]
    with pytest.raises(Exception, match="--nonsense"):
        parse(["diagnose", "a.csv", "--nonsense"], parser())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lightning", "transformers", "keras", "optuna", "ray"])
def test_the_example_of_an_integration_runs(name, tmp_path):
    """As a user copies it, in an empty folder."""
    if find_spec(name) is None:
        pytest.skip(f"needs {name}")
    (code,) = blocks(ROOT / "docs" / "integrations" / f"{name}.md", "python")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    words = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_example_for_pytest_passes():
    """The test that it shows, called."""
    pytest.importorskip("pandas")
    (code,) = blocks(ROOT / "docs" / "integrations" / "pytest.md", "python")
    names: dict = {}
    exec(compile(code, "pytest.md", "exec"), names)  # noqa: S102 - our own page
    names["test_training"]()
