"""What `nndoctor COMMAND --help` prints: usage, description, arguments, options and examples, in plain words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from nndoctor.cli.examples import EXAMPLES
from nndoctor.cli.terminal_style import terminal_style
from nndoctor.reporters.page import Page

MAX_COLUMN = 26  # characters of the longest option whose help is on the same line


class HelpfulCommand(TyperCommand):
    """A command whose help is a page of nndoctor's own."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - types of the parser's vendored copy
        """Write the page."""
        page = _head(self, ctx)
        arguments = [
            (_argument(p), str(getattr(p, "help", None) or "")) for p in self.params if p.param_type_name == "argument"
        ]
        _table(page, "Arguments", arguments)
        _options(page, self, ctx)
        _examples(page, self)
        formatter.write(page.text())


class HelpfulGroup(TyperGroup):
    """A group of commands with such a help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - types of the parser's vendored copy
        """Write the page."""
        page = _head(self, ctx)
        _table(page, "Commands", [(name, _first_line(command)) for name, command in self.commands.items()])
        _options(page, self, ctx)
        _examples(page, self)
        formatter.write(page.text())


def _head(command: Any, ctx: Any) -> Page:  # noqa: ANN401
    """The page with the usage and the description."""
    page = Page(terminal_style())
    words = [_argument(p) if p.required else f"[{_argument(p)}]" for p in command.params if _is_argument(p)]
    if hasattr(command, "commands"):
        words.append("COMMAND")
    page.line(("Usage: ", "bold"), " ".join([ctx.command_path, "[OPTIONS]", *words]), hanging=7)
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        page.blank()
        page.line(" ".join(paragraph.split()))
    return page


def _options(page: Page, command: Any, ctx: Any) -> None:  # noqa: ANN401
    options = [p for p in command.get_params(ctx) if not _is_argument(p) and not getattr(p, "hidden", False)]
    _table(page, "Options", [(_spelled(p), f"{p.help or ''}{_default(p)}") for p in options])


def _examples(page: Page, command: Any) -> None:  # noqa: ANN401
    examples = EXAMPLES.get(str(command.name), ())
    if examples:
        page.blank()
        page.line(("Examples", "bold"))
    for example in examples:
        page.line((example, "good"), indent=2, hanging=4)


def _table(page: Page, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """A heading, then a line for each row; a long first column gets a line of its own."""
    if not rows:
        return
    page.blank()
    page.line((title, "bold"))
    wide = max((len(name) for name, _ in rows if len(name) <= MAX_COLUMN), default=0) + 2
    for name, text in rows:
        if len(name) > MAX_COLUMN:
            page.line((name, "train"), indent=2)
            page.line(text, indent=2 + wide)
        else:
            page.line((f"{name:<{wide}}", "train"), text, indent=2, hanging=wide)


def _is_argument(param: Any) -> bool:  # noqa: ANN401
    return bool(param.param_type_name == "argument")


def _argument(param: Any) -> str:  # noqa: ANN401
    """`LOG...`, without the brackets that say whether it is needed."""
    name = str(param.metavar or param.name.upper()).strip("[]").rstrip("….")
    return f"{name}..." if param.nargs == -1 else name


def _spelled(param: Any) -> str:  # noqa: ANN401
    """`-f, --format FORMAT`, the short name first."""
    names = sorted([*param.opts, *param.secondary_opts], key=lambda name: name.startswith("--"))
    value = "" if getattr(param, "is_flag", False) else f" {param.metavar or 'VALUE'}"
    return ", ".join(names) + value


def _default(param: Any) -> str:  # noqa: ANN401
    if getattr(param, "is_flag", False) or not getattr(param, "show_default", False) or param.default is None:
        return ""
    return f" [default: {getattr(param.default, 'value', param.default)}]"


def _first_line(command: Any) -> str:  # noqa: ANN401
    return inspect.cleandoc(command.help or "").partition("\n")[0]
