"""Commands in a printed log that start a training, and the learning rate that they give."""

from __future__ import annotations

import re

from nndoctor.core.run import Fact
from nndoctor.readers.io.source import LARGE_TEXT, Source

MAX_COMMANDS = 50  # of a log; one with more lists them for another purpose
COMMAND = re.compile(
    r"^\W{0,4}(?:\w+=\S+\s+)*(?:python[\d.]*|torchrun|accelerate\s+launch|deepspeed|srun|mpirun)\s.*?"
    r"\s--?(?:lr|learning[-_]rate)[\s=]+(?P<rate>\d[\d.]*(?:e[-+]?\d+)?)(?!\S)",
    re.IGNORECASE | re.MULTILINE,
)


def commanded_rates(source: Source) -> dict[str, Fact]:
    """The fact `commanded_rates`: the lines of such commands, counted from 1, and their rates, one after the other."""
    if source.size > LARGE_TEXT:
        return {}
    text = source.text()
    found = list(COMMAND.finditer(text)) if "--l" in text or " -l" in text else []
    if not 0 < len(found) <= MAX_COMMANDS:
        return {}
    said = [
        number for one in found for number in (text.count("\n", 0, one.start()) + 1, float(one["rate"].rstrip(".")))
    ]
    return {"commanded_rates": Fact(tuple(said))}
