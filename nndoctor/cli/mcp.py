"""`nndoctor mcp`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nndoctor.core.errors import UsageError


def mcp(
    root: Annotated[
        str, typer.Option("--root", metavar="FOLDER", help="Folder that paths in requests must be in.")
    ] = ".",
    allow_run: Annotated[
        bool, typer.Option("--allow-run", help="Also offer sanity, which runs the code of a model file.")
    ] = False,
    allow_addresses: Annotated[
        bool, typer.Option("--allow-addresses", help="Also read addresses such as wandb:ME/NETS/RUN over the network.")
    ] = False,
) -> None:
    """Serve nndoctor to coding agents over MCP (standard input and output).

    Tools: diagnose, prognosis, compare, sweep, explain. Read-only. Answers have at most 2,000 bytes; more by paging.
    """
    folder = Path(root).resolve()
    if not folder.is_dir():
        raise UsageError(f"--root {root} is not a folder")
    from nndoctor.integrations.mcp_server import server

    server(folder, allow_run=allow_run, allow_addresses=allow_addresses).run("stdio")
