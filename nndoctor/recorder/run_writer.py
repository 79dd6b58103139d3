"""The writer of a run: collects rows, samples and facts, and flushes them to the run folder from time to time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from nndoctor.core.run_folder import is_folder
from nndoctor.core.shell import quoted_word
from nndoctor.recorder import facts
from nndoctor.recorder.analysis import COLUMN, Analysis, Sample
from nndoctor.recorder.folder import Folder, Row, last_step, latest, say
from nndoctor.recorder.losses import is_on_accelerator
from nndoctor.recorder.noise import Noise
from nndoctor.recorder.pool import Pool
from nndoctor.recorder.probe import Probe
from nndoctor.recorder.ranks import Ranks
from nndoctor.recorder.raw import Raw
from nndoctor.recorder.rows import Rows

FLUSH_SECONDS = 5.0  # seconds between two flushes
MAX_ROWS = 512  # rows kept between two flushes
HINT = ": dead and saturated units cannot be detected; train 50 steps without torch.compile to record them"
SIDES = (("nonfinite_weight", "weight"), ("nonfinite_output", "forward"), ("nonfinite_grad", "gradient"))


class RunWriter:
    """Collects everything that is recorded; only rank 0 has a folder, the others pass their samples to it."""

    def __init__(
        self, path: Path, known: dict[str, object], ranks: Ranks, *, resume: bool, first_step: int | None
    ) -> None:
        self.lost = False
        """Whether among the losses seen with the latest row is the first that is not finite."""
        self.ranks = ranks.count
        """How many processes train."""
        self._ranks = ranks
        self._noise = Noise()
        self._folder = Folder(path, known, resume=resume) if ranks.rank == 0 else None
        self.rows = Rows(self._folder.rows if self._folder is not None else None)
        self.path = self._folder.path if self._folder is not None else latest(path) if resume else path
        known_run = self._folder.resumed if self._folder is not None else resume and is_folder(self.path)
        last = last_step(self.path) if known_run else -1  # every rank reads it: all sample the same steps
        self.step = last + 1 if first_step is None else first_step
        self._flushed = time.perf_counter()
        self.scale: float | None = None
        self._skipped = 0
        self._taken = self._setups = self._sightless = 0
        self._pool = Pool()
        self._layers: tuple[str, ...] = ()
        self._late: list[tuple[int, Sample, float | None]] = []
        self._seen_loss = self._first_waits = False

    def describe(self, probe: Probe) -> None:
        """Write the facts about model and optimizer, and create the folder."""
        if self._folder is None:
            return
        self._write_facts(probe)
        self._folder.fact("processes", self._ranks.count)
        if probe.plan.compiled:
            self._folder.fact("not_seen", f"activations inside torch.compile ({', '.join(probe.plan.compiled)}){HINT}")
        self._folder.flush()

    def _write_facts(self, probe: Probe) -> None:
        self._setups = probe.setups
        for name, value in probe.facts().items():
            if self._folder is not None:
                self._folder.fact(name, value)

    def add_pending(self, loss: object, metrics: Mapping[str, float]) -> None:
        """Keep a loss that precedes its update: one of several backward passes, or of a loop that steps later."""
        if loss is not None:
            self.look_at(loss)
        self.rows.keep(loss, metrics)

    def skipped(self, scaler: torch.amp.GradScaler) -> bool:
        """Whether the scaler left the update out because of infinite gradients; detected from its scale, which then falls."""
        scale, old = float(scaler.get_scale()), self.scale
        self.scale = scale
        if old is None or scale >= old:
            return False
        self._skipped += 1
        self.rows.pending.clear()
        return True

    def row(
        self, step: int, loss: object, metrics: Mapping[str, float], lrs: Sequence[float | Tensor], seconds: float
    ) -> bool:
        """Add the row of one step with its learning rates; returns whether its loss jumped."""
        self.step = step
        self.add_pending(loss, metrics)
        self.rows.add(step, lrs, seconds)
        if self._folder is not None and len(self._folder.rows) >= MAX_ROWS:
            self.flush()
        jumped, self.lost = self.rows.take_events()
        return jumped

    def take_seconds(self) -> float:
        """Seconds spent on computing samples since the last call."""
        seconds, self._pool.seconds = self._pool.seconds, 0.0
        return seconds

    def log(self, step: int, metrics: Mapping[str, float], *, to_come: bool) -> None:
        """Metrics of a step, in its row or in one of their own."""
        if self._folder is not None:
            self.rows.log(step, metrics, to_come=to_come)

    def sample(self, step: int, analysis: Analysis, raw: Raw, probe: Probe) -> None:
        """A sampled step; its numbers are computed later, together with those of others."""
        self._taken += 1
        self.scale = raw.loss_scale
        if self._folder is not None:
            self._folder.fact("skipped_steps", self._skipped)
            self._folder.fact("unreached", list(raw.unreached))
            if probe.setups != self._setups:
                self._write_facts(probe)
            if probe.replaced:
                self._folder.fact("replaced_modules", probe.replaced)
            self._check_sight(self._folder, probe)
        if self._pool.add(step, analysis, raw) or self._ranks.count > 1:
            self._compute()
        if self._folder is not None and (time.perf_counter() - self._flushed > FLUSH_SECONDS or self._taken == 1):
            self.flush()

    def _check_sight(self, folder: Folder, probe: Probe) -> None:
        """After 2, 4, 8 … samples: whether the forward passes were seen, and which layers nothing ever moves."""
        self._sightless += not probe.capture.seen
        if self._taken < 2 or self._taken & (self._taken - 1):
            return
        if folder.facts.get("not_in_optimizer"):
            folder.fact("not_in_optimizer", probe.missed())
        if self._sightless == self._taken and "not_seen" not in folder.facts:
            folder.fact("not_seen", f"activations, as the model runs inside a compiled function{HINT}")

    def _compute(self) -> None:
        for one, sample in self._pool.compute():
            self._settle(one.step, sample, one.memory)

    def _settle(self, step: int, sample: Sample, memory: float | None) -> None:
        """A sample's numbers; with several processes joined a sample later, when the others' have arrived."""
        if self._folder is None:
            self._ranks.publish(step, sample)
            return
        if not sample.split or self._ranks.count == 1:
            self.rows.update(step, self._run_numbers(sample, memory))
        if self._ranks.count > 1:
            self._late.append((step, sample, memory))
            self._join(all_but=1)
        else:
            self._keep(step, sample)

    def flush(self) -> None:
        """Write everything to disk."""
        if self._folder is None:
            return
        self._compute()
        first = self.rows.fetch()
        if first is not None and self._first_waits:
            self._first_waits = False
            self._folder.fact("initial_loss", first)
        self._folder.fact("layers", list(self._layers) or self._folder.facts.get("layers", []))
        self._folder.flush()
        self._flushed = time.perf_counter()

    def close(self, *, quiet: bool) -> None:
        """The last flush, and a line with the command that diagnoses the folder."""
        self._join(all_but=0)
        self.flush()
        if self._folder is not None and not quiet:
            say(f"diagnose with: nndoctor diagnose {quoted_word(str(self.path))}")

    def save_after_failure(self, reason: str, error: BaseException) -> None:
        """The recorder failed: keep what there is, unless it is the folder that cannot be written."""
        if self._folder is None or isinstance(error, OSError):
            return
        self._folder.fact("recorder_failed", reason)
        for _ in range(2):  # a device that is lost fails again, once
            with suppress(Exception):  # the failure itself has been reported
                self.flush()

    def _join(self, all_but: int) -> None:
        while len(self._late) > all_but:
            step, sample, memory = self._late.pop(0)
            joined, strayed, layer = self._ranks.gather(step, sample)
            if sample.split:
                self.rows.update(step, self._run_numbers(joined, memory))
            if strayed and self._folder is not None and "ranks_strayed" not in self._folder.facts:
                self._folder.fact("ranks_strayed", {"step": step, "ranks": list(strayed), "layer": layer})
            self._keep(step, joined)

    def _keep(self, step: int, sample: Sample) -> None:
        if self._folder is None:
            return
        self._layers = sample.layers
        self._folder.samples.append((step, sample))
        if "nonfinite" not in self._folder.facts:
            birth = _first_nonfinite(sample)
            if birth is not None:
                self._folder.fact("nonfinite", {"step": step, **birth})

    def _run_numbers(self, sample: Sample, memory: float | None) -> Row:
        row: Row = {} if memory is None else {"peak_memory": memory}
        if not math.isnan(sample.grad_norm):
            row["grad_norm"] = sample.grad_norm
        noise = (
            self._noise.add(sample.first_grad_norm, sample.grad_norm, sample.passes) if self._ranks.count == 1 else None
        )
        if noise is not None:
            row["noise_scale"] = noise
        return row

    def look_at(self, loss: object, *, valued: bool = True) -> None:
        """What the first loss of a run shows: its kind, its classes and, where `valued`, its value at initialization."""
        if self._seen_loss:
            return
        self._seen_loss = True
        if self._folder is None or self._folder.resumed or not isinstance(loss, Tensor):
            return
        for name, value in facts.of_loss(loss).items():
            if name not in self._folder.facts:
                self._folder.fact(name, value)
        self._first_waits = valued and is_on_accelerator(loss)
        if valued and not self._first_waits:
            self._folder.fact("initial_loss", float(loss.detach().float().mean()))


def _first_nonfinite(sample: Sample) -> dict[str, object] | None:
    """The layer where numbers first became non-finite: in the weights, the forward outputs or the backward gradients."""
    for column, side in SIDES:
        bad = [k for k in range(len(sample.layers)) if sample.values[k, COLUMN[column]] > 0]
        if bad:
            first = bad[-1] if side == "gradient" else bad[0]
            return {"layer": sample.layers[first], "side": side, "layers": len(bad)}
    return None
