"""Write everything in README.md and docs/ that comes from the code: `python docs/make.py`.

The reference and the man page from the commands, the figures of the benchmarks, a page with a picture for each rule, the outputs that pages show, the terminal's
pictures. `--no-outputs` leaves out the outputs and the pictures.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SITE = "https://nndoctor.github.io/nndoctor/"
EXITS = (
    ("0", "nothing at or above --fail-on, or the work is done"),
    ("1", "findings at or above --fail-on"),
    ("2", "something could not be read or judged, or the command was used wrongly"),
    ("130", "interrupted"),
)


@dataclass(frozen=True)
class Word:
    """An argument or an option of a command: how it is written, its default, what it does."""

    spelled: str
    default: str
    help: str


@dataclass(frozen=True)
class Command:
    """A command: its name, its first sentence, the rest, its words."""

    name: str
    short: str
    long: str
    words: tuple[Word, ...]


def commands() -> list[Command]:
    """All of them, in the order of --help."""
    from typer.main import get_command

    from nndoctor.cli.app import app

    group: Any = get_command(app)
    return [_command(name, found) for name, found in group.commands.items() if not found.hidden]


def _command(name: str, found: Any) -> Command:  # noqa: ANN401 - typer's own class moved between its versions
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", (found.help or "").strip()).replace("\b", "")
    short, _, long = text.partition("\n\n")
    words = tuple(_word(p) for p in found.params if not getattr(p, "hidden", False) and p.name != "help")
    return Command(name, short.replace("\n", " "), long, words)


def _word(param: Any) -> Word:  # noqa: ANN401 - as above
    value = param.metavar or ("" if getattr(param, "is_flag", False) else param.name.upper())
    if param.param_type_name == "argument":
        return Word(value, "", param.help or "")
    spelled = ", ".join([*sorted(param.opts, key=len), *param.secondary_opts])
    default = param.default
    plain = (
        default is not None and not callable(default) and default is not False and default != () and default is not True
    )
    return Word(f"{spelled} {value}".strip(), str(default) if plain else "", param.help or "")


def reference() -> str:
    """The page for people."""
    import outputs

    lines = [
        "# Commands and options",
        "",
        "Written by `python docs/make.py`; `nndoctor COMMAND --help` says the same.",
        "",
    ]
    for command in commands():
        lines += [f"## nndoctor {command.name}", "", command.short, ""]
        lines += [command.long, ""] if command.long else []
        lines += ["| option | default | |", "|---|---|---|"] if command.words else []
        for word in command.words:
            default = f"`{word.default}`" if word.default else ""
            lines.append(f"| `{word.spelled}` | {default} | {word.help} |".replace("|", "\\|", 0))
        lines.append("")
    lines += ["## Output formats", "", outputs.formats_table()]
    lines += [
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code} | {said} |" for code, said in EXITS),
        "",
    ]
    return "\n".join(lines)


def manual() -> str:
    """The page for `man`."""
    from nndoctor._version import __version__
    from nndoctor.cli.output_formats import FORMATS

    lines = [f'.TH NNDOCTOR 1 "" "nndoctor {__version__}" "User Commands"', ".SH NAME"]
    lines += [r"nndoctor \- say what is wrong with a neural-network training run, and what to try first"]
    lines += [".SH SYNOPSIS", ".B nndoctor", r"\fICOMMAND\fR [\fIOPTION\fR]... [\fILOG\fR]...", ".SH COMMANDS"]
    for command in commands():
        lines += [f".SS {_roff(command.name)}", _roff(command.short)]
        lines += [".PP", *_paragraph(command.long)] if command.long else []
        for word in command.words:
            default = f" Default: {word.default}." if word.default else ""
            lines += [".TP", rf"\fB{_roff(word.spelled)}\fR", _roff(word.help + default)]
    lines += [".SH OUTPUT FORMATS"]
    for form, card in FORMATS.items():
        lines += [".TP", rf"\fB{form}\fR", _roff(f"{card.summary} ({card.syntax})")]
    lines += [".SH EXIT STATUS"]
    for code, said in EXITS:
        lines += [".TP", code, _roff(said)]
    lines += [".SH SEE ALSO", _roff("docs/reference.md, docs/ci.md; nndoctor rules, nndoctor explain CODE"), ""]
    return "\n".join(lines)


def _paragraph(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield _roff(line) if line else ".PP"


def _roff(text: str) -> str:
    safe = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{safe}" if safe.startswith((".", "'")) else safe


def llms() -> str:
    """An index of the pages for language models (llmstxt.org): title, address, first sentence."""
    lines = [
        "# nndoctor",
        "",
        "> Reads your training log and tells you what went wrong, how confident it is, and what to try first.",
        "",
    ]
    lines += [
        "For programs: `nndoctor diagnose LOG --format brief` prints one line of JSON for each run.",
        "",
        "## Pages",
        "",
    ]
    docs = ROOT / "docs"
    for path in sorted([*docs.glob("*.md"), *docs.glob("integrations/*.md")]):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        name = path.relative_to(docs).with_suffix("").as_posix()
        lines.append(f"- [{title}]({SITE}{'' if name == 'index' else name + '/'})")
    return "\n".join([*lines, f"- [Rules]({SITE}rules/)", ""])


def performance() -> str:
    """The figures of all benchmarks, from their pages."""
    from benchmarks.performance import page, runs

    return page(runs())


PAGES = {"reference.md": reference, "nndoctor.1": manual, "llms.txt": llms, "performance.md": performance}


def write_rules() -> None:
    """The pages of all rules; pages of rules that are gone are removed."""
    import rule_pages

    from nndoctor.diagnosis.catalogue import RULES

    folder = ROOT / "docs" / "rules"
    folder.mkdir(exist_ok=True)
    for old in [*folder.glob("*.md"), *folder.glob("*.svg")]:
        old.unlink()
    (folder / "index.md").write_text(rule_pages.index_page(), encoding="utf-8")
    for rule in RULES:
        (folder / f"{rule.name}.md").write_text(rule_pages.rule_page(rule), encoding="utf-8")
        if rule_pages.has_picture(rule):
            (folder / f"{rule.name}.svg").write_text(rule_pages.picture(rule), encoding="utf-8")


def write_outputs() -> None:
    """The outputs in README.md and docs/*.md, and the pictures of the terminal."""
    import outputs
    import screenshot

    for path in outputs.pages():
        text = path.read_text(encoding="utf-8")
        filled = outputs.filled(text)
        if filled != text:
            path.write_text(filled, encoding="utf-8")
    screenshot.write()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), encoding="utf-8")
    write_rules()
    if "--no-outputs" not in sys.argv:
        write_outputs()
