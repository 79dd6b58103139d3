"""What is remembered of a line's shape says of the next line of that shape what reading it anew would."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

import nndoctor
from nndoctor.core.bounded import Bounded
from nndoctor.readers.io.source import Source
from nndoctor.readers.text import shapes as text_shapes
from nndoctor.readers.text.pairs import parse as anew
from tests.readers.wild import LOSSES, N, each

SHAPES = (
    "2026-03-01 10:#0:0#,1## - INFO - epoch ## step ### | train loss #.#### | lr #.###e-0# | val acc ##.#%",
    "Epoch: [##][ ##/###]\tLoss #.#### (#.####)\tAcc@1 ##.# (##.#)\tAcc@5 ##.# (##.#)",
    "top1 #.## top5 #.##",
    "top5 #.## top1 #.##",
    "Epoch ##: train=#.### valid=#.### lr=0.1",
    "Epoch ##, Loss: #.##, Train: #.##, Val: #.##",
    "##/## [====] - loss: #.## - acc: #.##",
    "step ## dice [0.#, 0.#] acc ###/1000",
    "iter ### loss nan val loss 1#.## ## %",
    "[#] validation_0-logloss:#.## validation_1-logloss:#.##",
    "##,### tokens loss #,###.#",
    "epoch #.## train loss/acc: #.##/#.##",
    "第##轮 train loss #.##",
    "no number",
)
LINES = st.tuples(st.sampled_from(SHAPES), st.lists(st.sampled_from("0123456789"), min_size=40, max_size=40))


def spelled(shape: str, digits: list[str]) -> str:
    """The shape with these digits at its places."""
    given = iter(digits)
    return "".join(next(given) if character == "#" else character for character in shape)


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES, min_size=3, max_size=12), st.sampled_from(["", "val"]))
def test_a_line_says_what_it_says_when_it_is_read_for_itself(lines, under):
    """In whatever order lines of the same and of other shapes come."""
    for line in (spelled(*line) for line in lines):
        assert text_shapes.parse(line, under) == anew(line, under)


def test_names_that_differ_in_their_digits_alone_are_kept_apart():
    """acc1 and acc5 have one shape, and are two names."""
    lines = [f"acc{1 + 4 * (k % 2)} 0.{k}{k}" for k in range(9)]
    assert [list(text_shapes.parse(line).pairs) for line in lines] == [["acc1"], ["acc5"]] * 4 + [["acc1"]]


def test_many_shapes_take_bounded_memory(monkeypatch):
    """What is remembered is forgotten before it is too much, and what is read stays right."""
    monkeypatch.setattr(text_shapes, "_PLANS", Bounded(4))
    log = each("Epoch {n}: train loss {a} val loss {b}" + " ." * N + "\n").encode()
    (run,) = nndoctor.read(Source("log.txt", log))
    assert {name: run.series[name].values.tolist() for name in LOSSES} == LOSSES
    assert len(text_shapes._PLANS) <= 4


def test_a_log_in_digits_of_another_script_is_read_too(tmp_path):
    """They are numbers, and no marks of where numbers stand."""
    log = tmp_path / "log.txt"
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    log.write_text(each("epoch {n} train loss {a} val loss {b}\n").translate(arabic), encoding="utf-8")
    (run,) = nndoctor.read(str(log))
    assert run.series["train/loss"].values.tolist() == LOSSES["train/loss"]
