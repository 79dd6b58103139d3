"""What tests of readers share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndoctor.core.run import Run
from nndoctor.readers import read


@pytest.fixture
def pasted(tmp_path: Path) -> Callable[[str], Run]:
    """Reads a text as a log that holds one run."""

    def write(text: str) -> Run:
        path = tmp_path / "paste.log"
        path.write_text(text, encoding="utf-8")
        (run,) = read(path)
        return run

    return write
