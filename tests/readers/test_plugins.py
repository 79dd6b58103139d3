"""Readers of other packages, really installed: a module and its dist-info on the path."""

from __future__ import annotations

import sys

import pytest

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers import is_log, plugins, read
from nndoctor.readers.io.source import Source

MODULE = """
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import from_records

def rows(source):
    return [from_records([{"epoch": k, "train_loss": float(v)} for k, v in enumerate(source.text().split()[1:])], "beads")]

READER = Reader("beads", "beads on a string", lambda source: source.head.startswith(b"\\x02BEADS"), rows)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package with one module and one entry point for a test's length."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))

    def put(name: str, module: str, target: str) -> None:
        (place / f"{name}.py").write_text(module)
        info = place / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[nndoctor.readers]\n{name} = {target}\n")
        plugins.installed.cache_clear()

    yield put
    plugins.installed.cache_clear()
    for name in ("beads", "broken"):
        sys.modules.pop(name, None)


@pytest.fixture
def log(tmp_path):
    """A log that no reader of ours knows."""
    path = tmp_path / "run.beads"
    path.write_bytes(b"\x02BEADS\x02\x03\x04\x05\x06\x07\x0e " + b" ".join(b"%.2f" % (2 / (k + 1)) for k in range(12)))
    return str(path)


def test_an_installed_reader_reads_what_ours_do_not(install, log):
    """Without it the log is refused, with it read."""
    plugins.installed.cache_clear()
    assert not is_log(Source(log))
    install("beads", MODULE, "beads:READER")
    assert is_log(Source(log))
    (run,) = read(log)
    assert (run.format, len(run.series["train/loss"])) == ("beads", 12)


@pytest.mark.parametrize(
    ("module", "target", "says"),
    [
        ("raise RuntimeError('out of beads')", "broken:READER", "out of beads"),
        ("READER = 3", "broken:READER", "expected a Reader"),
        ("", "broken:READER", "broken"),
    ],
)
def test_a_broken_reader_is_one_line(install, log, module, target, says):
    """Others go on, and where nothing reads a log the line is part of why."""
    install("broken", module, target)
    install("beads", MODULE, "beads:READER")
    readers, broken = plugins.installed()
    assert [reader.name for reader in readers] == ["beads"]
    assert len(broken) == 1
    assert says in broken[0]
    assert len(read(log)) == 1
    with pytest.raises(UnreadableLog, match="broken"):
        read(Source("x.bin", b"\0\1\2\3"))


def test_ours_are_tried_first(install, tmp_path):
    """A plug-in that claims everything takes no log away."""
    install("beads", MODULE.replace('source.head.startswith(b"\\x02BEADS")', "True"), "beads:READER")
    path = tmp_path / "run.csv"
    path.write_text("epoch,loss\n0,2\n1,1\n")
    assert read(str(path))[0].format == "keras-csv"
