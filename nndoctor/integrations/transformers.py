"""Transformers and TRL: `Trainer(..., callbacks=[nndoctor.integrations.transformers.Doctor()])`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.integrations.callback import JudgedCallback
from nndoctor.integrations.live import LiveTraining
from nndoctor.recorder import Recorder

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise UsageError("Transformers is not installed; pip install 'nndoctor[transformers]'") from error

BOOKKEEPING = ("epoch", "learning_rate", "total_flos", "step", "num_input_tokens_seen")
TIMES = ("_runtime", "_per_second", "_jit_compilation_time", "_preparation_time")


class Doctor(JudgedCallback, TrainerCallback):  # type: ignore[misc]  # Transformers ships no types
    """Records a Trainer's model, losses and learning rates, judges the run, prints the verdict at the end.

    `folder` is the run folder (default: `nndoctor` in the Trainer's output_dir); `every` is "auto" or a number of steps
    between two samples. `stop_on` ("error", "warning") sets `control.should_training_stop` once such a finding persists.
    `select`, `ignore` and `config` are those of `nndoctor diagnose`. `report` holds the latest report. The training is
    never changed; rank 0 writes.
    """

    _summed: bool | None = None

    def __getstate__(self) -> dict[str, object]:
        """Another process, or a copy, starts a new recording."""
        return {**self.__dict__, "_live": None}

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """Model and optimizer are ready, also in a resumed run."""
        if self._live is not None:  # a second training, or one that is tried again with a smaller batch
            self._live.finish()
        self._live, self._summed = LiveTraining(self._choices), None
        with self._live.guarded():
            facts = {
                "batch_size": args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
                "schedule": str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type)),
                "seed": args.seed,
            }
            optimizer = known.get("optimizer")
            if optimizer is not None:
                self._live.start(known["model"], optimizer, args.output_dir, step=state.global_step, facts=facts)

    def on_step_end(self, args: Any, state: Any, control: Any, **known: Any) -> Any:
        """An optimizer step, of one or several accumulated batches, is done."""
        if self._live is not None:
            self._live.step()
            if self._live.should_stop():
                control.should_training_stop = True
        return control

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, object] | None = None, **known: Any
    ) -> None:
        """What the Trainer logs is written to the row of its step: the mean loss since the last log, and evaluations."""
        if self._live is None or not logs or "train_runtime" in logs:
            return
        kept = {name: v for name, v in logs.items() if name not in BOOKKEEPING and not name.endswith(TIMES)}
        loss = kept.get("loss")
        if isinstance(loss, (int, float)):
            if self._summed is None:
                self._summed = self._sums(loss, args.gradient_accumulation_steps)
            kept["loss"] = loss / args.gradient_accumulation_steps if self._summed else loss
        self._live.log(kept)

    def _sums(self, logged: float, passes: int) -> bool:
        """Whether the Trainer logs the sum of the accumulated batches' losses.

        It does where a model's loss is a mean over its own batch, regardless of the number of examples that the Trainer passes to it.
        """
        recorder = self._live.recorder if self._live is not None else None
        if passes < 2 or not isinstance(recorder, Recorder) or recorder.own_loss is None:
            return False
        first, mean = recorder.own_loss
        return mean and first > 0 and logged / first > passes**0.5

    def on_train_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """Write everything and print the verdict."""
        if self._live is not None:
            self._live.finish()
