"""Compressed logs, archives of logs, and logs that lie elsewhere."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

import nndoctor
from nndoctor.core.errors import MissingExtra, UnreadableLog
from nndoctor.readers import is_log
from nndoctor.readers.io import archives as packed
from nndoctor.readers.io import remote
from nndoctor.readers.io.source import Source

LOG = b"epoch,loss,val_loss\n" + b"".join(b"%d,%.4f,%.4f\n" % (k, 2 * 0.8**k, 2 * 0.8**k + 0.1) for k in range(40))
JSON = b"".join(b'{"step": %d, "loss": %.3f}\n' % (k, 3 - k / 9) for k in range(9))


def zipped(members, mode=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", mode) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


def tarred(members, mode="w"):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:
        for name, data in members.items():
            part = tarfile.TarInfo(name)
            part.size = len(data)
            archive.addfile(part, io.BytesIO(data))
    return held.getvalue()


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_compressed_log_is_that_log(ending, tmp_path):
    """Series and lines are those of the plain file, from a path and from memory."""
    path = tmp_path / f"run.csv.{ending}"
    path.write_bytes(PACKERS[ending](LOG))
    (plain,) = nndoctor.read(Source("run.csv", LOG))
    for source in (path, Source("-", path.read_bytes())):
        (run,) = nndoctor.read(source)
        assert run.series["train/loss"].values.tolist() == plain.series["train/loss"].values.tolist()
        assert run.series["train/loss"].lines.tolist() == plain.series["train/loss"].lines.tolist()
    assert is_log(Source(str(path)))


def test_a_zst_log(tmp_path):
    """Zstandard needs its package: without it the extra is named."""
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "run.csv.zst"
    path.write_bytes(zstandard.compress(LOG))
    assert len(nndoctor.read(path)[0].series["train/loss"]) == 40


def test_a_zst_log_without_the_package(tmp_path, monkeypatch):
    """One line says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    path = tmp_path / "run.csv.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"0" * 50)
    with pytest.raises(MissingExtra, match=r"nndoctor\[zst\]"):
        nndoctor.read(path)
    assert not is_log(Source(str(path)))


def test_a_compressed_log_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    """A writer that was killed leaves half a stream: what it holds counts, with a note."""
    path = tmp_path / "run.csv.gz"
    path.write_bytes(gzip.compress(LOG)[:-60])
    (run,) = nndoctor.read(path)
    assert 3 < len(run.series["train/loss"]) <= 40
    assert any("truncated" in note for note in run.notes)


@pytest.mark.parametrize(
    "pack",
    [
        zipped,
        tarred,
        lambda m: tarred(m, "w:gz"),
        lambda m: tarred(m, "w:xz"),
        lambda m: zipped(m, zipfile.ZIP_STORED),
    ],
)
def test_every_run_of_an_archive(pack, tmp_path):
    """Members are named within the archive; weights and pictures are left where they are."""
    path = tmp_path / "runs.pack"
    path.write_bytes(
        pack({"a/run.csv": LOG, "b/log.jsonl": JSON, "b/c/run.csv.gz": gzip.compress(LOG), "b/model.pt": b"0" * 99})
    )
    runs = nndoctor.read(path)
    assert [run.source for run in runs] == [f"{path}/a/run.csv", f"{path}/b/log.jsonl", f"{path}/b/c/run.csv.gz"]
    assert all("train/loss" in run.series for run in runs)


def test_a_folder_that_is_a_run_within_an_archive(tmp_path):
    """MLflow's folders are runs there, too."""
    points = b"".join(b"1700000000000 %.3f %d\n" % (3 - k / 9, k) for k in range(6))
    path = tmp_path / "mlruns.zip"
    path.write_bytes(zipped({"mlruns/0/abc/metrics/train_loss": points, "mlruns/0/abc/meta.yaml": b"x: 1\n"}))
    (run,) = nndoctor.read(path)
    assert run.format == "mlflow"
    assert run.source == f"{path}/mlruns/0/abc"


def test_members_that_lead_out_of_the_archive_are_left_out():
    """Nothing is written outside the passing folder, no link is followed, and the folder is gone afterwards."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name in ("../out.csv", "/out.csv", "in/run.csv"):
            part = tarfile.TarInfo(name)
            part.size = len(LOG)
            archive.addfile(part, io.BytesIO(LOG))
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    source = Source("x.tar", held.getvalue())
    with packed.unpacked_archive(source) as (folder, _):
        assert [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()] == ["in/run.csv"]
    assert not folder.exists()
    assert not (folder.parent / "out.csv").exists()


@pytest.mark.parametrize(
    "pack", [gzip.compress, lzma.compress, lambda d: zipped({"run.csv": d}), lambda d: tarred({"run.csv": d}, "w:gz")]
)
def test_what_unpacks_without_bound_is_refused(pack, monkeypatch):
    """A bomb is refused once the bound is passed, before it fills the memory."""
    monkeypatch.setattr(packed, "ALWAYS_ALLOWED", 1 << 20)
    monkeypatch.setattr(packed, "MAX_RATIO", 3)
    with pytest.raises(UnreadableLog, match="decompresses to over 1 MB"):
        nndoctor.read(Source("bomb", pack(b"epoch,loss\n" + b"0" * (3 << 20))))


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b rubbish",
        b"BZh91AY rubbish",
        b"\xfd7zXZ\x00 rubbish",
        b"PK\x03\x04 rubbish",
        b"0" * 257 + b"ustar" + b"0" * 300,
    ],
)
def test_rubbish_with_the_right_beginning_is_refused_in_words(data):
    """One line, whatever the unpacker raised."""
    with pytest.raises(UnreadableLog) as caught:
        nndoctor.read(Source("x.bin", data))
    assert "\n" not in str(caught.value)


def test_an_archive_without_logs_is_refused(tmp_path):
    """The line names the archive, not the folder it was unpacked to."""
    path = tmp_path / "model.zip"
    path.write_bytes(zipped({"weights.pt": b"1", "README": b"hello"}))
    with pytest.raises(UnreadableLog, match=r"model\.zip"):
        nndoctor.read(path)


def test_a_log_elsewhere_is_fetched():
    """Any file system that fsspec knows: a file, a compressed one, a folder of runs."""
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.pipe({"/runs/a.csv": LOG, "/runs/b.csv.gz": gzip.compress(LOG)})
    assert len(nndoctor.read("memory://runs/a.csv")[0].series["train/loss"]) == 40
    assert nndoctor.read("memory://runs/b.csv.gz")[0].source == "memory://runs/b.csv.gz"
    assert [run.source for run in nndoctor.read("memory://runs")] == ["memory://runs/a.csv", "memory://runs/b.csv.gz"]
    with pytest.raises(UnreadableLog, match="nothing found"):
        nndoctor.read("memory://elsewhere/a.csv")


def test_what_is_missing_for_a_path_elsewhere_is_named(monkeypatch):
    """An unknown protocol and a missing fsspec are one line each."""
    pytest.importorskip("fsspec")
    with pytest.raises(UnreadableLog, match="nosuch"):
        nndoctor.read("nosuch://bucket/run.csv")
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"nndoctor\[remote\]"):
        nndoctor.read("s3://bucket/run.csv")


@pytest.mark.parametrize("path", ["run.csv", "C:\\logs\\run.csv", "/a/b:c/run.csv", "a:/b.csv"])
def test_paths_of_this_machine_are_never_fetched(path):
    """Only a protocol says that a log lies elsewhere."""
    assert not remote.is_remote(path)
