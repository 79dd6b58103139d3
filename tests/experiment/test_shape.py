"""The shape of one example, however it is written."""

import pytest

from nndoctor.core.errors import UsageError
from nndoctor.experiment.shape import shape_of


@pytest.mark.parametrize("text", ["3x32x32", "3,32,32", "3×32×32", "(3, 32, 32)", "3X32X32", "3 32 32"])
def test_every_usual_way_of_writing_is_read(text):
    """The same three sizes."""
    assert shape_of(text) == (3, 32, 32)


@pytest.mark.parametrize("text", ["3xx", "", "0x3", "-1", "three"])
def test_anything_else_is_refused(text):
    """With an example of what is right."""
    with pytest.raises(UsageError, match="3x32x32"):
        shape_of(text)
