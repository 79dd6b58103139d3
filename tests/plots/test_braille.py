"""The canvas of braille characters."""

from __future__ import annotations

import pytest

from nndoctor.plots.braille import Canvas, merged


@pytest.mark.parametrize(("x", "y", "character"), [(0, 0, "⡀"), (1, 0, "⢀"), (0, 1, "⠄"), (0, 3, "⠁"), (1, 3, "⠈")])
def test_a_dot_sets_its_bit(x, y, character):
    """Dots count from the lower left, as the Unicode standard numbers them."""
    canvas = Canvas(1, 1)
    canvas.dot(x, y)
    assert list(canvas.rows()) == [character]


def test_a_full_cell_is_all_eight_dots():
    """Two columns of four dots fill a character."""
    canvas = Canvas(1, 1)
    canvas.column(0, 0, 3)
    canvas.column(1, 0, 3)
    assert list(canvas.rows()) == ["⣿"]


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (4, 0), (0, 8)])
def test_what_is_outside_is_left_out(x, y):
    """A dot off the canvas changes nothing."""
    canvas = Canvas(2, 2)
    canvas.dot(x, y)
    assert list(canvas.rows()) == ["  ", "  "]


def test_two_curves_in_one_cell_keep_all_their_dots():
    """Braille joins braille; a blank leaves what is below; another character covers it."""
    assert merged("⠁", "⡀") == "⡁"
    assert merged("⠁", " ") == "⠁"
    assert merged("*", "o") == "o"
