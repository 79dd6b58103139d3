"""`nndoctor watch LOG`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.options import (
    ColorOption,
    ConfigOption,
    IsolatedOption,
    MapOption,
    NoColorOption,
    color_choice,
    optional,
)
from nndoctor.cli.request import FailOn
from nndoctor.cli.terminal_style import Color


def watch(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG…", help="Logs or folders; waits for files that do not exist yet.", show_default=False
        ),
    ],
    every: Annotated[float, typer.Option("--every", min=0.1, metavar="SECONDS", help="Polling interval.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Check once and exit; with --format json for scripts.")] = False,
    format: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help="Output format with --once, as in diagnose.")
    ] = "terminal",
    until_finding: Annotated[
        bool, typer.Option("--until-finding", help="Exit at the first persistent finding at or above --fail-on.")
    ] = False,
    for_seconds: Annotated[
        float | None, optional("--for", min=0, metavar="SECONDS", help="Exit after this time.")
    ] = None,
    stop_command: Annotated[
        str | None,
        optional(
            "--stop-command",
            metavar="COMMAND",
            help="Run once at such a finding, such as 'kill {pid}'. Fields: {pid}, {code}, {name}, {source}.",
        ),
    ] = None,
    pid: Annotated[int | None, optional("--pid", min=1, metavar="PID", help="PID substituted for {pid}.")] = None,
    notify: Annotated[
        str | None,
        optional(
            "--notify",
            metavar="COMMAND",
            help="At each new finding, run this, such as 'notify-send {name} {message}', or send a message to an address of Apprise, such as ntfy://topic.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        optional(
            "--fail-on",
            metavar="SEVERITY",
            help="Severity that counts: error, warning, info or never. [default: error]",
        ),
    ] = None,
    map: MapOption = None,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Follow logs as they grow: curves, the verdict so far and a forecast. Stop with Ctrl-C.

    A finding is persistent if two checks in a row had it; commands run only then, without a shell.
    The exit code is that of the last check, as in diagnose.
    """
    from nndoctor.cli.run_watch import WatchRequest, poll_once, poll_repeatedly

    request = WatchRequest(
        tuple(logs),
        every=every,
        until_finding=until_finding,
        seconds=for_seconds,
        stop_command=stop_command,
        pid=pid,
        notify=notify,
        fail_on=fail_on,
        maps=tuple(map or ()),
        config=config,
        isolated=isolated,
        color=color_choice(color, no_color),
    )
    if once:
        raise typer.Exit(poll_once(request, format))
    raise typer.Exit(poll_repeatedly(request))
