"""`nndoctor skill`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nndoctor.cli.out import check, write_output
from nndoctor.core.errors import UsageError

skill = typer.Typer(
    no_args_is_help=True,
    help="Print or install the agent skill (SKILL.md) that teaches a coding agent to use nndoctor.",
)


@skill.command()
def show() -> None:
    """Print the skill."""
    from nndoctor.integrations.skill import SKILL

    write_output(SKILL)


@skill.command()
def install(
    claude: Annotated[bool, typer.Option("--claude", help="For Claude Code: .claude/skills.")] = False,
    codex: Annotated[
        bool, typer.Option("--codex", help="For Codex and others that follow the standard: .agents/skills.")
    ] = False,
    cursor: Annotated[bool, typer.Option("--cursor", help="For Cursor: .cursor/skills.")] = False,
    folder: Annotated[str, typer.Option("--folder", metavar="FOLDER", help="The project's folder.")] = ".",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
) -> None:
    """Install the skill into a project; without an option for all three agents."""
    from nndoctor.integrations.skill import FOLDERS, SKILL, skill_path

    wanted = [name for name, chosen in (("claude", claude), ("codex", codex), ("cursor", cursor)) if chosen]
    paths = [skill_path(agent, Path(folder)) for agent in wanted or FOLDERS]
    if not Path(folder).is_dir():
        raise UsageError(f"--folder {folder} is not a folder; expected the folder of a project")
    for path in filter(Path.exists, paths):  # the folder of a new file is made below
        check(str(path), [], force=force or (path.is_file() and path.read_text(encoding="utf-8") == SKILL))
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_output(SKILL, str(path))
        write_output(f"{path}\n")
