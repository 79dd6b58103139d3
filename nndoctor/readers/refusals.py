"""Refusals: one line that says why a file cannot be read as a run log, and what to do instead."""

from __future__ import annotations

import re
from pathlib import PurePath

from nndoctor.readers.io.source import HEAD, Source
from nndoctor.readers.semantics.assemble import printable_name
from nndoctor.readers.tables.layout import is_number
from nndoctor.readers.vocabulary.names import meaning_of

JSON_INSTEAD = "which is not opened because unpickling can run code; use json.dump(history.history, file) instead"
NO_LOG = {
    b"\x89HDF": "an HDF5 file of weights or arrays",
    b"\x93NUMPY": "a NumPy array without column names",
    b"\x89PNG": "an image; nndoctor needs the numbers",
    b"\xff\xd8\xff": "an image; nndoctor needs the numbers",
    b"%PDF": "a PDF; nndoctor needs the numbers",
}
KERAS = "save the history with json.dump(history.history, file) or the CSVLogger callback, and diagnose that file"
CHECKPOINT = "it holds weights, not the history of the run; diagnose the run's log instead"
MODELS = {
    ".py": "is a Python file; to check a model use: nndoctor sanity {path}; to diagnose a run, name its log",
    ".keras": f"is a Keras model without a training history; {KERAS}",
    ".h5": f"is an HDF5 file of weights or arrays; {KERAS}",
    ".hdf5": f"is an HDF5 file of weights or arrays; {KERAS}",
    ".pt": f"is a PyTorch checkpoint: {CHECKPOINT}",
    ".pth": f"is a PyTorch checkpoint: {CHECKPOINT}",
    ".ckpt": f"is a checkpoint: {CHECKPOINT}",
    ".safetensors": f"is a file of weights: {CHECKPOINT}",
    ".onnx": f"is an ONNX model: {CHECKPOINT}",
}
"""Files of models and code by their ending, and what to do instead."""
PICKLED = re.compile(rb"\x80[\x02-\x05]|\(dp\d|\(lp\d|ccopy_reg|c__builtin__")
TRACEBACK = "Traceback (most recent call last)"
RAISED = re.compile(
    r"^(?:\[?rank\d+\]?:\s*)?((?:[A-Za-z_][\w.]*)?(?:Error|Exception|Interrupt|Exit|Warning)\b.{0,120})", re.MULTILINE
)


WANTED = "expected CSV, TSV, JSON, JSON lines, TensorBoard files or captured output (see 'nndoctor formats')"


def model_file(path: str) -> str | None:
    """The line for a file of a model or of code; None for any other name."""
    reason = MODELS.get(PurePath(path).suffix.lower())
    return None if reason is None else f"{path} {reason.format(path=path)}"


def unrecognised(source: Source) -> str:
    """The line for a source that no reader takes."""
    path, head = source.path, source.head
    if source.is_dir:
        return f"{path} is a folder and not itself a run; name one of the logs in it"
    if PICKLED.match(head):
        return f"{path} is a pickle, {JSON_INSTEAD}"
    kind = next((what for magic, what in NO_LOG.items() if head.startswith(magic)), None)
    if kind is not None:
        return f"{path} is {kind}; {WANTED}"
    if head and not head.strip(b"\0"):
        return f"{path} holds only NUL bytes: its content was never written, as a crash of the machine leaves it"
    if not source.is_text:
        return f"{path} is a binary file of an unknown format; {WANTED}"
    return _crashed(source) or _one_row(source) or _no_table(source)


def _crashed(source: Source) -> str | None:
    """The error with which a run ended before it had logged anything."""
    text = source.start if TRACEBACK in source.start else source.beginning(HEAD * 16)
    if TRACEBACK not in text:
        return None
    raised = RAISED.findall(text[text.index(TRACEBACK) :])
    if raised and raised[-1].startswith("KeyboardInterrupt"):
        return f"{source.path} holds no curves: the run was interrupted before it logged two rows"
    what = f" ({printable_name(raised[-1].strip())})" if raised else ""
    return f"{source.path} holds no curves: the run ended with an error before it logged two rows{what}"


def _one_row(source: Source) -> str | None:
    """Of a printed log with a loss in one epoch or step alone, the line on which it is."""
    from nndoctor.readers.formats.text_lines import ENDLESS, LONG_LINE
    from nndoctor.readers.text.records import records

    lines = [
        ENDLESS.sub(" ? ", line) if len(line) > LONG_LINE else line for line in source.beginning(HEAD * 16).split("\n")
    ]
    found = [record for record in records(lines) if record.own and any(map(_is_loss, record.values))]
    if len(found) != 1:
        return None
    return f"{source.path} logs one epoch or step alone (line {found[0].line}); expected at least two"


def _is_loss(name: str) -> bool:
    return meaning_of(name).metric == "loss"


def _no_table(source: Source) -> str:
    first = next((line for line in source.start.splitlines() if line.strip()), "").strip()
    cells = [cell for cell in re.split(r"[,;\t| ]+", first) if cell]
    if first.startswith("[") and cells and is_number(cells[0].strip("[]")):
        return f'{source.path} is a list of numbers without a name; add one, as in {{"loss": [0.9, 0.7, 0.6]}}'
    if sum(map(is_number, cells)) > len(cells) / 2:
        return (
            f"{source.path} has no header: its first line is '{printable_name(first[:40])}'; "
            "add a line with column names, such as epoch,loss,val_loss"
        )
    return (
        f"{source.path} cannot be parsed as a training log (it begins with '{printable_name(first[:60])}'); "
        "expected a header and rows of numbers, JSON or JSON lines"
    )
