"""Accelerate: `Accelerator(log_with=nndoctor.integrations.accelerate.Tracker("run"))`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.core.report import Report
from nndoctor.integrations.curves import CurveRecorder
from nndoctor.integrations.live import LiveTraining
from nndoctor.integrations.options import CallbackOptions

try:
    from accelerate.tracking import GeneralTracker
except ImportError as error:
    raise UsageError("Accelerate is not installed; pip install 'nndoctor[transformers]'") from error

SETTINGS = "hparams.json"  # which is read with the log


class Tracker(GeneralTracker):  # type: ignore[misc]  # Accelerate ships no types
    """Writes what `accelerator.log` is given, judges the run, prints the verdict at `accelerator.end_training()`.

    `folder` is the run folder; `stop_on` ("error", "warning") sets `should_stop` once such a finding persists, for the
    loop to ask. `select`, `ignore` and `config` are those of `nndoctor diagnose`. `report` holds the latest report. To
    record layers as well, use `nndoctor.Recorder(model, optimizer)` in the loop.
    """

    name = "nndoctor"
    requires_logging_directory = False

    def __init__(
        self,
        folder: str | os.PathLike[str] = "nndoctor",
        *,
        stop_on: str | None = None,
        show: bool = True,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        config: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        self._live = LiveTraining(
            CallbackOptions.of(folder, "auto", stop_on, show=show, select=select, ignore=ignore, config=config)
        )
        self._step: int | None = None
        self.should_stop = False

    @property
    def tracker(self) -> LiveTraining:
        """What follows the run."""
        return self._live

    @property
    def report(self) -> Report | None:
        """The latest report on the run."""
        return self._live.report

    def start(self) -> None:
        """The process group is up: make the run folder."""
        with self._live.guarded():
            self._live.follow(CurveRecorder(self._live.place(".")))

    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        """The settings, for `compare` and `sweep`."""
        with self._live.guarded():
            if self._live.recorder is not None:
                plain = {name: v for name, v in values.items() if isinstance(v, (bool, int, float, str))}
                (self._live.recorder.folder / SETTINGS).write_text(json.dumps(plain), encoding="utf-8")

    def log(self, values: Mapping[str, Any], step: int | None = None, **_: Any) -> None:
        """Values of a step; those of one step may come in several calls."""
        recorder = self._live.recorder
        if recorder is None:
            return
        if step is None or step != self._step:
            if step is not None and isinstance(recorder, CurveRecorder):
                recorder.next_step = step
            self._step = step
            self._live.step()
        self._live.log(values)
        self.should_stop = self._live.should_stop()

    def finish(self) -> None:
        """Write everything and print the verdict."""
        self._live.finish()
