"""One optimizer step: rate, precision, loss, penalties, clipping, update."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.model_file import user_code
from nndoctor.experiment.steps import StepResult, step_result
from nndoctor.training.optimizers import factor, optimizer
from nndoctor.training.options import ScheduleName, TrainingOptions

AUTOCAST_TYPE = {"cuda": torch.float16}  # what mixed precision computes in; elsewhere bfloat16


class Stepper:
    """Takes steps. `description` names its optimizer, for people; raises UsageError if it cannot be created."""

    def __init__(
        self, experiment: Experiment, options: TrainingOptions, device: torch.device, total: int | None
    ) -> None:
        self._experiment, self._options, self._device, self._total = experiment, options, device, total
        self.optimizer, self.description = optimizer(experiment, options)
        self.lr = float(self.optimizer.param_groups[0]["lr"])
        self._scheduled = options.schedule is not ScheduleName.constant or options.warmup > 0
        self._peaks = [float(group["lr"]) for group in self.optimizer.param_groups]
        self._weights = [p for p in experiment.model.parameters() if p.dim() > 1 and p.requires_grad]
        self.scaler = torch.amp.GradScaler(device.type, enabled=options.amp and device.type == "cuda")

    def take(self, batch: object, step: int) -> StepResult | None:
        """One step on a batch, the outcome without the penalties; None where the user's own step gives no loss."""
        if self._total is not None and self._scheduled:  # else a schedule of the user's own may be at work
            rate = factor(self._options.schedule, step, self._total, self._options.warmup)
            for group, peak in zip(self.optimizer.param_groups, self._peaks, strict=True):
                group["lr"] = peak * rate
        self.lr = float(self.optimizer.param_groups[0]["lr"])
        if self._experiment.train_step is not None:
            with user_code(self._experiment.path, "taking a step"):
                loss = self._experiment.train_step(self._experiment.model, batch, self.optimizer)
            return StepResult(loss) if isinstance(loss, Tensor) and loss.numel() == 1 else None
        self.optimizer.zero_grad(set_to_none=True)
        with user_code(self._experiment.path, "computing its loss"), self._precision():
            found = step_result(self._experiment, batch)
        with user_code(self._experiment.path, "computing the gradient of its loss"):
            self.scaler.scale(self._penalized(found.loss)).backward()  # type: ignore[no-untyped-call]
        if self._options.clip is not None:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self._experiment.model.parameters(), self._options.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return found

    def _precision(self) -> torch.autocast:
        kind = self._device.type
        return torch.autocast(kind, dtype=AUTOCAST_TYPE.get(kind, torch.bfloat16), enabled=self._options.amp)

    def _penalized(self, loss: Tensor) -> Tensor:
        if self._options.l1:
            loss = loss + self._options.l1 * torch.stack([p.abs().sum() for p in self._weights]).sum()
        if self._options.l2:
            loss = loss + self._options.l2 * torch.stack([p.square().sum() for p in self._weights]).sum()
        return loss
