"""Windows and macOS, simulated: what they lack is taken away, and what they do differently is done to nndoctor."""

from __future__ import annotations

import ctypes
import errno
import io
import ntpath
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nndoctor.cli import out, terminal_style
from nndoctor.cli.entry import run
from nndoctor.core import files, shell
from nndoctor.diagnosis import cache, workers
from nndoctor.readers import is_log
from nndoctor.readers.io import find
from nndoctor.readers.io.address import SCHEMES, is_address
from nndoctor.readers.io.remote import is_remote
from nndoctor.reporters import entries

ROOT = Path(__file__).resolve().parents[1]
FALL = [2.0 * 0.85**k + 0.05 for k in range(30)]
LOG = "epoch,train_loss,val_loss\n" + "".join(f"{k},{v:.4f},{v + 0.02:.4f}\n" for k, v in enumerate(FALL))


def on_windows(monkeypatch, *modules, **changes):
    """Let modules see an `os` that is Windows'; pathlib and all others keep the real one."""
    for module in modules:
        monkeypatch.setattr(module, "os", SimpleNamespace(**{**vars(os), "name": "nt", **changes}))


@pytest.fixture
def logs(tmp_path, monkeypatch):
    """Two runs in the current folder."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(LOG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Busy:
    """`os.replace` of a file that another program has open for its first calls."""

    def __init__(self, times):
        self.left = times

    def __call__(self, source, target):
        """Fail, or replace."""
        self.left -= 1
        if self.left >= 0:
            raise PermissionError(errno.EACCES, "Access is denied")
        Path(source).replace(target)


@pytest.mark.parametrize("times", [1, files.TRIES - 1])
def test_a_file_that_is_open_is_replaced_once_it_is_closed(tmp_path, monkeypatch, times):
    """Windows refuses to rename over an open file."""
    monkeypatch.setattr(files, "PAUSE", 0)
    on_windows(monkeypatch, files, replace=Busy(times))
    target = tmp_path / "report.json"
    target.write_text("old", encoding="utf-8")
    files.write_whole(target, lambda file: file.write(b"new"), durable=True)
    assert target.read_text(encoding="utf-8") == "new"


def test_a_report_that_stays_open_is_named(logs, monkeypatch, capsys):
    """After the last try one line says which file it is, and nothing is left beside it."""
    monkeypatch.setattr(files, "PAUSE", 0)
    on_windows(monkeypatch, files, replace=Busy(99))
    assert run(["diagnose", "a.csv", "--format", "json", "--output", "report.json"]) == 2
    assert "report.json: Access is denied" in capsys.readouterr().err
    assert sorted(path.name for path in logs.iterdir()) == ["a.csv", "b.csv"]


def test_elsewhere_a_refusal_is_final(tmp_path, monkeypatch):
    """On other systems a permission that is missing does not come back by itself."""
    busy = Busy(1)
    monkeypatch.setattr(files, "os", SimpleNamespace(**{**vars(os), "replace": busy, "name": "posix"}))
    (tmp_path / "new").write_text("x", encoding="utf-8")
    with pytest.raises(PermissionError):
        files.move(tmp_path / "new", tmp_path / "old")
    assert busy.left == 0


COMMANDS = [
    ["diagnose", "a.csv"],
    ["diagnose", "a.csv", "--full"],
    ["diagnose", "a.csv", "b.csv"],
    ["compare", "a.csv", "b.csv"],
    ["watch", "a.csv", "--once"],
    ["explain", "overtraining"],
    ["explain", "vanishing-gradient"],
    ["rules"],
    ["formats"],
    ["convert", "a.csv"],
    ["settings"],
    ["--help"],
    ["diagnose", "--help"],
]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.usefixtures("logs")
def test_a_console_without_unicode_gets_every_page(monkeypatch, words, encoding):
    """Box characters, Braille and arrows are replaced by what the encoding has."""
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", console)
    assert run(words) == 0
    console.flush()
    assert len(console.buffer.getvalue().decode(encoding)) > 40


class Gone(io.StringIO):
    """A pipe whose reader has gone, as Windows shows it."""

    def flush(self):
        """Fail as such a pipe does."""
        raise OSError(errno.EINVAL, "Invalid argument")


def test_a_closed_pipe_ends_quietly(monkeypatch):
    """Windows calls it an invalid argument, which anywhere else is an error."""
    silenced = []
    monkeypatch.setattr(out, "silence", silenced.append)
    monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises(OSError, match="Invalid argument"):
        out.write_output("text")
    on_windows(monkeypatch, out)
    out.write_output("text")
    assert silenced == [sys.stdout]


class Console:
    """The part of Windows' kernel that sets up a console; a console of Windows 7 knows no escape sequences."""

    def __init__(self, *, old):
        self.old, self.mode = old, 3

    def GetStdHandle(self, number):  # noqa: N802 - Windows' names
        """The handle of a stream."""
        return number

    def GetConsoleMode(self, _console, mode):  # noqa: N802
        """Fill in the mode."""
        mode._obj.value = self.mode
        return 1

    def SetConsoleMode(self, _console, mode):  # noqa: N802
        """Take on a mode, where it is known."""
        self.mode = self.mode if self.old else mode
        return not self.old


@pytest.mark.parametrize("old", [False, True])
def test_colors_are_turned_on_in_consoles_that_know_them(monkeypatch, old):
    """Elsewhere escape sequences would be printed as they are."""
    console = Console(old=old)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=console), raising=False)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True, encoding="utf-8"))
    on_windows(monkeypatch, terminal_style, environ={"COLUMNS": "80"})
    assert terminal_style.terminal_style().color is not old
    assert console.mode == (3 if old else 7)


def test_paths_with_a_drive_are_no_addresses():
    """Not even where a drive is called as a service is."""
    for path in (r"C:\logs\run.csv", "C:/logs/run.csv", r"w:\run.csv", r"\\server\share\run.csv", "Z:run.csv"):
        assert not is_address(path)
        assert not is_remote(path)
    assert all(len(scheme) > 1 for scheme in SCHEMES)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (r"C:\repo\runs\a.csv", "runs/a.csv"),
        (r"c:\REPO\runs\a.csv", "runs/a.csv"),
        (r"C:\repository\a.csv", "C:/repository/a.csv"),
        (r"D:\a.csv", "D:/a.csv"),
    ],
)
def test_places_in_reports_for_ci_have_slashes(monkeypatch, path, shown):
    """Relative to the repository where they lie in it, whatever the case of their letters."""
    on_windows(monkeypatch, entries, path=ntpath, sep="\\")
    assert entries.relative(path, r"C:\repo") == shown


def test_a_log_named_in_two_spellings_is_one_log(tmp_path, monkeypatch):
    """Where the file system does not tell upper case from lower case."""
    for name in ("A.csv", "a.csv"):
        (tmp_path / name).write_text(LOG, encoding="utf-8")
    words = [str(tmp_path / "A.csv"), str(tmp_path / "a.csv")]
    assert len(find.survey(words, is_log).sources) == 2
    monkeypatch.setattr(os.path, "normcase", str.lower)
    assert len(find.survey(words, is_log).sources) == 1


def test_commands_in_advice_can_be_pasted(monkeypatch):
    """In double quotes on Windows, whose shell knows no single ones."""
    assert shell.quoted_word("my runs/a.csv") == "'my runs/a.csv'"
    on_windows(monkeypatch, shell)
    assert shell.quoted_word(r"C:\my runs\a.csv") == r'"C:\my runs\a.csv"'
    assert shell.quoted_word(r"C:\runs\a.csv") == r"C:\runs\a.csv"


def test_a_backslash_in_a_command_is_part_of_a_path(monkeypatch):
    """For --stop-command and --notify of `watch`."""
    on_windows(monkeypatch, shell)
    assert shell.words_of(r'"C:\my tools\stop.exe" /PID {pid}') == [r"C:\my tools\stop.exe", "/PID", "{pid}"]


@pytest.mark.parametrize("platform", ["win32", "darwin", "linux"])
def test_processes_start_fresh_where_threads_cannot_be_counted(monkeypatch, tmp_path, platform):
    """Neither macOS nor Windows has /proc, and a fork of a process with threads may hang."""
    monkeypatch.setattr(workers, "Path", lambda name: tmp_path / name.lstrip("/"))
    monkeypatch.setattr(workers.sys, "platform", platform)
    assert workers._start_method() == "spawn"


def test_one_pool_has_no_more_processes_than_windows_can_wait_for():
    """ProcessPoolExecutor refuses more than 61 there."""
    assert workers.MAX_POOL <= 61


@pytest.mark.parametrize(("platform", "inside"), [("darwin", "Library/Caches"), ("win32", "nndoctor/Cache")])
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, platform, inside):
    """Not in a hidden folder of another system's."""
    monkeypatch.delenv(cache.FOLDER, raising=False)
    monkeypatch.setattr(cache.sys, "platform", platform)
    assert inside in cache.cache_folder().as_posix()


BARE = """
import os, signal, sys
import matplotlib.backends.backend_svg, multiprocessing.util, numpy, pandas, rich.console, typer  # they know all systems
for name in ("fork", "forkpty", "getuid", "geteuid", "getgid", "uname", "sysconf", "mkfifo", "chown", "fchmod", "nice",
             "sched_getaffinity", "statvfs", "killpg", "setsid", "getpgid", "wait3", "wait4", "O_NOFOLLOW", "posix_spawn"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGALRM", "SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE", "SIGWINCH", "SIGPROF",
             "setitimer", "alarm", "pause", "sigwait", "ITIMER_REAL"):
    if hasattr(signal, name):
        delattr(signal, name)
for name in ("fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog", "readline"):
    sys.modules[name] = None  # importing it raises ImportError
from nndoctor.cli.entry import run
for words in COMMANDS:
    code = run(words)
    if code:
        sys.exit(f"{words} exited with {code}")
"""


@pytest.mark.slow
def test_no_command_needs_what_only_posix_has(logs):
    """Forks, alarms, owners and the modules behind them."""
    written = [["plot", "a.csv", "-o", "a.svg"], ["report", "a.csv", "b.csv", "-o", "r.html"]]
    written += [["baseline", "save", "a.csv", "b.csv", "-o", "good.json"]]
    code = BARE.replace("COMMANDS", repr([*COMMANDS, *written]))
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=logs, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
