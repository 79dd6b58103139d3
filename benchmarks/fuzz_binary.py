"""Coverage-guided fuzzing of the binary readers: `python -m benchmarks.fuzz_binary FOLDER -max_total_time=600`.

Wants atheris (`pip install atheris`; Linux and macOS), which is no extra of nndoctor. Event files, W&B files and SQLite
databases below FOLDER are the seeds; what makes a reader raise anything but an NNDoctorError is written to the current
folder. Options with one hyphen are libFuzzer's.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

try:
    atheris = importlib.import_module("atheris")
except ImportError:
    sys.exit("benchmarks.fuzz_binary needs atheris: pip install atheris")

with atheris.instrument_imports(include=["nndoctor.readers"]):
    from nndoctor.core.errors import NNDoctorError
    from nndoctor.readers import read
    from nndoctor.readers.io.source import Source

NAMES = {
    b"\x00": "events.out.tfevents.1700000000.host",
    b"\x01": "run-fuzz.wandb",
    b"\x02": "mlflow.db",
}
FOLDER = Path(tempfile.mkdtemp(prefix="nndoctor-fuzz-"))


def one(data: bytes) -> None:
    """Read one input; its first byte says what kind of file it is."""
    path = FOLDER / NAMES.get(data[:1], NAMES[b"\x00"])
    path.write_bytes(data[1:])
    try:
        read(Source(str(path)))
    except NNDoctorError:
        pass
    finally:
        path.unlink()


def seeds(folder: Path) -> Path:
    """The files of these kinds below a folder, each with the byte of its kind in front."""
    corpus = FOLDER / "seeds"
    corpus.mkdir()
    kinds = {"*tfevents*": b"\x00", "*.wandb": b"\x01", "*.db": b"\x02"}
    for pattern, kind in kinds.items():
        for number, path in enumerate(sorted(folder.rglob(pattern))):
            if path.is_file():
                (corpus / f"{kind.hex()}-{number}").write_bytes(kind + path.read_bytes())
    return corpus


def main() -> None:
    """Fuzz until the time is up or something breaks."""
    given = [word for word in sys.argv[1:] if not word.startswith("-")]
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    corpus = [str(seeds(Path(given[0])))] if given else []
    atheris.Setup([sys.argv[0], *options, *corpus], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
