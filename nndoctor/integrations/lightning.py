"""Lightning: `Trainer(callbacks=[nndoctor.integrations.lightning.Doctor()])`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import Tensor

from nndoctor.core.errors import UsageError
from nndoctor.integrations.callback import JudgedCallback
from nndoctor.integrations.live import LiveTraining
from nndoctor.recorder import Recorder

PACKAGES = ("lightning.pytorch", "pytorch_lightning")


def _bases() -> tuple[type, ...]:
    """The Callback of the package that is in use: the new one, the old one, or both."""
    names = [name for name in PACKAGES if name in sys.modules]
    names = names or [name for name in PACKAGES if find_spec(name.partition(".")[0]) is not None][:1]
    if not names:
        raise UsageError("Lightning is not installed; pip install 'nndoctor[lightning]'")
    return tuple(dict.fromkeys(import_module(name).Callback for name in names))


class Doctor(JudgedCallback, *_bases()):  # type: ignore[misc]  # Lightning ships no types, and which of its two packages is in use shows at run time
    """Records a LightningModule's layers, losses and learning rates, judges the run, prints the verdict at the end.

    `folder` is the run folder (default: `nndoctor` in the logger's folder); `every` is "auto" or a number of steps
    between two samples. `stop_on` ("error", "warning") sets `trainer.should_stop` once such a finding persists. `select`,
    `ignore` and `config` are those of `nndoctor diagnose`. `report` holds the latest report. The training is never
    changed; rank 0 writes.
    """

    _steps, _looked = 0, False

    def __getstate__(self) -> dict[str, object]:
        """Another process, or a copy, starts a new recording."""
        return {**self.__dict__, "_live": None}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Weights and optimizers are as they will be trained, also in a resumed run."""
        self._live = LiveTraining(self._choices)
        with self._live.guarded():
            self._steps, self._looked = trainer.global_step, False
            loader = trainer.train_dataloader
            folder = trainer.log_dir or trainer.default_root_dir  # on every rank: Lightning broadcasts it
            self._live.start(
                pl_module,
                trainer.optimizers,
                folder,
                step=trainer.global_step,
                scaler=getattr(trainer.precision_plugin, "scaler", None),
                facts={"batch_size": getattr(loader, "batch_size", None), "precision": str(trainer.precision)},
            )

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Tensor) -> None:
        """The first loss has its graph here, which shows its kind and the number of classes."""
        recorder = None if self._live is None else self._live.recorder
        if isinstance(recorder, Recorder) and not self._looked:
            self._looked = True
            scale = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            recorder.look_at(loss if scale == 1 else loss * scale)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Take in the batch's loss, as the user's training_step returned it, and close the row of an optimizer step."""
        if self._live is None:
            return
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor):
            scale = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            self._live.loss(loss if scale == 1 else loss.detach() * scale)
        if trainer.global_step != self._steps:
            self._steps = trainer.global_step
            self._live.step()
            if self._live.should_stop():
                trainer.should_stop = True

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Validation metrics are written to the row of the latest step."""
        if self._live is not None and not trainer.sanity_checking:
            self._live.log({name: value for name, value in trainer.callback_metrics.items() if _is_validation(name)})

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """The training's own metrics, such as accuracy, over the epoch; its loss has been recorded for each step."""
        if self._live is not None:
            metrics = trainer.callback_metrics.items()
            self._live.log({name: value for name, value in metrics if not _is_validation(name) and "loss" not in name})

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Write everything and print the verdict."""
        self._finish()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """A training that fails has its verdict, too."""
        self._finish()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Remove the recorder, however the run ended."""
        self._finish()

    def _finish(self) -> None:
        if self._live is not None:
            self._live.finish()


def _is_validation(name: str) -> bool:
    return name.lower().startswith(("val", "valid", "test", "eval", "dev"))
