"""The work of `nndoctor watch`: poll, show, run the user's commands, and give the exit code."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.notify import is_address, notifier
from nndoctor.cli.out import say, write_output
from nndoctor.cli.output_formats import OutputFormat
from nndoctor.cli.request import DiagnoseRequest, FailOn
from nndoctor.cli.run_diagnose import carry_out
from nndoctor.cli.terminal_style import Color, terminal_style
from nndoctor.core.errors import UsageError, nearest
from nndoctor.core.shell import words_of
from nndoctor.diagnosis.request import SessionOptions

if TYPE_CHECKING:
    from rich.live import Live

    from nndoctor.core.finding import Finding
    from nndoctor.diagnosis.watch import Watch

FIELDS = ("pid", "code", "name", "severity", "message", "source")


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """The arguments and options of `nndoctor watch`."""

    logs: tuple[str, ...]
    every: float
    until_finding: bool = False
    seconds: float | None = None
    stop_command: str | None = None
    pid: int | None = None
    notify: str | None = None
    fail_on: FailOn | None = None
    maps: tuple[str, ...] = ()
    config: str | None = None
    isolated: bool = False
    color: Color = Color.auto


def poll_once(request: WatchRequest, format: str) -> int:
    """Read and judge the logs once, as `diagnose` does."""
    if format not in list(OutputFormat):
        raise UsageError(
            f"--format {format} is unknown{nearest(format, OutputFormat)}; expected one of {', '.join(OutputFormat)}"
        )
    return carry_out(
        DiagnoseRequest(
            request.logs, format=OutputFormat(format), fail_on=request.fail_on, maps=request.maps, color=request.color,
            config=request.config, isolated=request.isolated,
        )
    )  # fmt: skip


def poll_repeatedly(request: WatchRequest) -> int:
    """Watch until Ctrl-C, the time given, or the finding waited for. Raises UsageError for a command that makes no sense."""
    from nndoctor.diagnosis.session import Session
    from nndoctor.diagnosis.watch import Watch

    fail_on = None if request.fail_on is None else str(request.fail_on)
    options = SessionOptions(maps=request.maps, fail_on=fail_on, config=request.config, isolated=request.isolated)
    session = Session(options)
    request = replace(request, fail_on=FailOn(session.settings(request.logs[0]).fail_on or FailOn.error))
    commands = _Commands(request)
    watch = Watch(request.logs, session)
    screen = _Screen(request, watch)
    began = time.monotonic()
    try:
        with screen.shown():
            while True:
                changed = watch.poll()
                screen.draw(changed=changed)
                commands.run(watch)
                if request.until_finding and commands.failing_findings(watch):
                    break
                left = request.every if request.seconds is None else began + request.seconds - time.monotonic()
                if left <= 0:
                    break
                time.sleep(min(max(request.every, watch.pause), max(left, request.every)))
    except KeyboardInterrupt:
        pass  # the ordinary end
    return screen.end()


@dataclass(slots=True)
class _Screen:
    """The view: redrawn over the whole terminal, or printed line by line if output is not a terminal."""

    request: WatchRequest
    watch: Watch
    live: Live | None = None
    shown_diagnoses: dict[str, str] = field(default_factory=dict)

    def shown(self) -> AbstractContextManager[object]:
        """The screen, for as long as it is watched."""
        if not sys.stdout.isatty():
            return nullcontext()
        from rich.console import Console
        from rich.live import Live

        self.live = Live(console=Console(), screen=True, auto_refresh=False)
        return self.live

    def draw(self, *, changed: bool) -> None:
        """The current view."""
        if self.live is None:
            if changed:
                self._lines()
            return
        from rich.text import Text

        from nndoctor.reporters.live import render

        height = shutil.get_terminal_size((80, 24)).lines
        text = render(
            self.watch.all(),
            terminal_style(self.request.color),
            height=height - 1,
            waiting=self.watch.waiting,
            status=self._status(),
        )
        self.live.update(Text.from_ansi(text, no_wrap=True, overflow="crop"), refresh=True)

    def end(self) -> int:
        """The full page of what was seen last, and the exit code."""
        from nndoctor.core.finding import Severity
        from nndoctor.reporters.terminal import render

        reports = self.watch.all()
        if self.live is not None and reports:
            write_output(render(reports, terminal_style(self.request.color)))
        for message in self.watch.waiting.values():
            say(message)
        if not reports or self.watch.waiting:
            return Exit.TROUBLE
        if self.request.fail_on in (None, FailOn.never):
            return Exit.CLEAN
        wanted = Severity(self.request.fail_on)
        return Exit.FINDINGS if any(report.at_least(wanted) for report in reports) else Exit.CLEAN

    def _lines(self) -> None:
        """A line for each run whose verdict has changed."""
        from nndoctor.core.verdict import verdict
        from nndoctor.reporters.live import line

        for report in self.watch.all():
            diagnosis = report.primary.name if report.primary else verdict(report)[1]
            if self.shown_diagnoses.get(report.source) != diagnosis:
                self.shown_diagnoses[report.source] = diagnosis
                write_output(f"{line(report)}\n")

    def _status(self) -> str:
        changed = self.watch.last_change
        ago = f"last change {_ago(time.time() - changed)} ago" if changed else "no data yet"
        return f"watching {' '.join(self.request.logs)}   {ago}   stop with Ctrl-C"


@dataclass(slots=True)
class _Commands:
    """The user's commands: each finding notifies once, the stop command runs once."""

    request: WatchRequest
    notified: set[tuple[str, str]] = field(default_factory=set)
    stopped: bool = False
    send: Callable[[Finding, str], None] | None = None

    def __post_init__(self) -> None:
        if self.request.stop_command and "{pid}" in self.request.stop_command and self.request.pid is None:
            raise UsageError("--stop-command uses {pid}: name the process with --pid, as in --pid 4711")
        notify = self.request.notify
        if notify is not None and is_address(notify):
            self.send, notify = notifier(notify), None
        for option, command in (("--stop-command", self.request.stop_command), ("--notify", notify)):
            if command is not None:
                _filled(option, command, dict.fromkeys(FIELDS, "x"))

    def failing_findings(self, watch: Watch) -> list[Finding]:
        """The standing findings at or above --fail-on."""
        from nndoctor.core.finding import Severity

        return [] if self.request.fail_on in (None, FailOn.never) else watch.worst(Severity(self.request.fail_on))

    def run(self, watch: Watch) -> None:
        """Run the commands that are due for the confirmed findings."""
        for (source, code), finding in watch.confirmed.items():
            if self.request.notify and (source, code) not in self.notified and finding in self.failing_findings(watch):
                self.notified.add((source, code))
                if self.send is not None:
                    self.send(finding, source)
                else:
                    self._start("--notify", self.request.notify, finding, source)
            if self.request.stop_command and not self.stopped and finding in self.failing_findings(watch):
                self.stopped = True
                self._start("--stop-command", self.request.stop_command, finding, source)

    def _start(self, option: str, command: str, finding: Finding, source: str) -> None:
        values = {
            "pid": str(self.request.pid or ""),
            "code": finding.code,
            "name": finding.name,
            "severity": str(finding.severity),
            "message": finding.message,
            "source": source,
        }
        words = _filled(option, command, values)
        say(f"{source}: {finding.name}: running {words[0]}")
        try:
            done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - no shell; the user's own command
        except OSError as error:
            say(f"{option}: {words[0]} cannot be started: {error.strerror or error}")
            return
        if done.returncode:
            say(f"{option}: {words[0]} exited with {done.returncode}")


def _filled(option: str, command: str, values: dict[str, str]) -> list[str]:
    """The command's words, its fields filled in after they were split: a value never becomes two words."""
    try:
        words = [word.format_map(values) for word in words_of(command)]
    except (ValueError, KeyError, IndexError) as error:
        fields = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise UsageError(f"{option} '{command}' is invalid ({error}); available fields: {fields}") from error
    if not words:
        raise UsageError(f"{option} is empty; expected a command, as in 'kill {{pid}}'")
    return words


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
