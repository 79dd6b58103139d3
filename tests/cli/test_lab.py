"""`nndoctor lab`: its list, a lesson, a name that is none."""

from __future__ import annotations


def test_the_lab_lists_its_lessons_by_chapter(nndoctor):
    """Names and titles."""
    done = nndoctor("lab")
    assert done.code == 0
    for words in ("Initialization", "dead-relu", "ReLUs that never fire never learn"):
        assert words in done.out


def test_a_lesson_is_shown_with_its_twin_and_its_moral(nndoctor):
    """Curves and verdicts of both, what was confirmed, the takeaway."""
    done = nndoctor("lab", "lr-nan")
    assert done.code == 0
    for words in ("With learning rate 1e+06", "With learning rate 0.1", "confirmed", "takeaway", "NaN"):
        assert words in done.out


def test_a_lesson_that_is_not_there_is_reported_with_the_nearest(nndoctor):
    """Exit code 2."""
    done = nndoctor("lab", "dead-rely")
    assert done.code == 2
    assert "did you mean dead-relu?" in done.err
