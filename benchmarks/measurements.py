"""The benchmarks that `python -m benchmarks` runs: their commands, their pages and how the pages are read."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import figures

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Measurement:
    """One benchmark: `module` writes `<name>.md`.

    `quick` are the words that shorten it, `minutes` what it takes at full length on two idle cores. `asked` ones run only with
    `--only`: they train the shipped model again, or install packages.
    """

    name: str
    title: str
    read: figures.Read
    minutes: float
    module: str = ""
    words: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    asked: bool = False

    @property
    def page(self) -> Path:
        """What the benchmark writes."""
        return HERE / f"{self.name}.md"

    @property
    def exists(self) -> bool:
        """Whether this checkout has the benchmark."""
        path = HERE / Path(*self.dotted.split(".")[1:])
        return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()

    @property
    def dotted(self) -> str:
        """The module to run."""
        return self.module or f"benchmarks.{self.name}"

    def command(self, *, quick: bool) -> list[str]:
        """The process to start."""
        return [sys.executable, "-m", self.dotted, *self.words, *(self.quick if quick else ())]


ALL: Sequence[Measurement] = (
    Measurement("speed", "Start-up and reading", figures.side_by_side, 3, quick=("--rounds", "1")),
    Measurement("dependencies", "Dependencies", figures.dependencies, 0.5),
    Measurement("formats", "Formats and folders", figures.formats, 12, quick=("--rounds", "1", "--runs", "500")),
    Measurement("fleets", "Fleets", figures.fleets, 15),
    Measurement("recorder", "Recorder", figures.recorder, 5, quick=("--rounds", "1")),
    Measurement("sanity", "Sanity checks", figures.sanity, 8, quick=("--turns", "1")),
    Measurement("train", "Training", figures.train, 3),
    Measurement("pictures", "Pictures", figures.pictures, 1),
    Measurement("accuracy", "Accuracy", figures.accuracy, 10, words=("--write",)),
    Measurement("faults", "Faulty programs", figures.faults, 20),
    Measurement("treat", "Treatments", figures.treat, 75, words=("--results", os.devnull), quick=("--budget", "30")),
    Measurement("prognosis", "Prognosis", figures.prognosis, 60, words=("--train",), asked=True),
    Measurement(
        "linters",
        "Other log linters",
        figures.linters,
        30,
        "benchmarks.accuracy.linters",
        ("--write", "--environments", ".benchmarks"),
        asked=True,
    ),
)
