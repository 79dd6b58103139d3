"""skorch: `NeuralNet(..., callbacks=[nndoctor.integrations.skorch.Doctor()])`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.integrations.callback import JudgedCallback
from nndoctor.integrations.live import LiveTraining

try:
    from skorch.callbacks import Callback
except ImportError as error:
    raise UsageError("skorch is not installed; pip install 'nndoctor[torch]' skorch") from error

LEFT_OUT = ("epoch", "train_loss", "dur", "train_batch_count", "valid_batch_count")


class Doctor(JudgedCallback, Callback):  # type: ignore[misc]  # skorch ships no types
    """Records a net's layers, losses and learning rate, judges the run, prints the verdict at the end.

    `stop_on` ("error", "warning") ends the training as skorch does it on Ctrl-C: the net stays fitted as it is.
    `folder`, `every`, `select`, `ignore` and `config` as in the other callbacks; `report` holds the latest report.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        every: int | str = "auto",
        stop_on: str | None = None,
        show: bool = True,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        config: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(folder, every=every, stop_on=stop_on, show=show, select=select, ignore=ignore, config=config)
        self.folder, self.every, self.stop_on, self.show = folder, every, stop_on, show  # by which skorch copies it
        self.select, self.ignore, self.config = select, ignore, config

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:  # noqa: N803 - skorch's own name
        """The module and the optimizer are there."""
        self._live = LiveTraining(self._choices)
        self._live.start(net.module_, net.optimizer_, ".", facts={"batch_size": net.batch_size})

    def on_batch_end(self, net: Any, batch: Any = None, training: bool | None = None, **given: Any) -> None:
        """One step is done, in training."""
        if self._live is None or not training:
            return
        self._live.step(float(given["loss"]))
        if self._live.should_stop():
            raise KeyboardInterrupt

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """The validation's loss and scores."""
        if self._live is not None:
            row = net.history[-1]
            self._live.log({name: v for name, v in row.items() if name not in LEFT_OUT and not name.endswith("_best")})

    def on_train_end(self, net: Any, **_: Any) -> None:
        """Write everything and print the verdict."""
        if self._live is not None:
            self._live.finish()
