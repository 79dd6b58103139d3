"""The weights' part of a sample: gradients from the backward pass, and the actual update."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from nndoctor.recorder.gradients import Gradients, Pieces, on_one_device
from nndoctor.recorder.plan import ModelPlan, Weight
from nndoctor.recorder.window import PLACES_OF_WEIGHTS, dense, local, stretch

VIEW_LIFETIME = 8  # samples after which a weight's view is moved to another position; each new view costs an operation
SHARDED_TYPES = ("DTensor", "FlatParameter")
WATCHED_WEIGHTS = 3  # weights whose gradient's arrival shows that a backward pass runs


class Weights:
    """Watches the parameters of a plan over one step: `begin`, the backward pass, `before` and `after` the update."""

    def __init__(self, plan: ModelPlan, rng: random.Random) -> None:
        self.entries: list[Weight] = [w for w in plan.weights if _is_sampled(w.parameter)]
        self._sizes = [local(w.parameter).numel() for w in self.entries]
        self._matrices = [w.parameter.ndim >= 2 for w in self.entries]
        self.split = any(type(w.parameter).__name__ in SHARDED_TYPES for w in self.entries)
        """Whether each process holds a part of the weights only."""
        self.gradients: Gradients | None = None
        self.first_norms: Tensor | None = None
        self.passes = 0
        self.seconds = 0.0
        self._rng = rng
        self._views: list[Tensor] = []
        self._keys: list[tuple[int, torch.Size, torch.dtype]] = []
        self._count = 0
        self.old: Tensor | None = None
        """The stretches before the update, end to end."""
        self.new: Tensor | None = None
        """The same stretches after the update; None where no update was seen."""
        self._handles: list[RemovableHandle] = []
        self._queued = False
        self._marked: tuple[Tensor | None, int] = (None, -1)
        self._parts: list[Gradients] = []
        self.held: tuple[bool, ...] = ()
        """Which weights the recorded optimizers update; the others are not measured."""

    def hold(self, parameters: set[int]) -> None:
        """Set which parameters, by identity, the optimizers update; all of them if the optimizers hold flattened ones.

        Frozen parameters count as held: no other optimizer moves them.
        """
        ours = any(id(w.parameter) in parameters for w in self.entries)
        self.held = tuple(
            not ours or id(w.parameter) in parameters or not w.parameter.requires_grad for w in self.entries
        )

    def arm(self, failed: Callable[[BaseException], None], began: Callable[[], None]) -> None:
        """Get notified at the end of each backward pass; `began` is called at its first gradient."""
        self.disarm()
        self.gradients, self.passes, self.old, self.new = None, 0, None, None
        self._parts = []
        self.first_norms, self.seconds = None, 0.0
        trained = [w.parameter for w in self.entries if w.parameter.requires_grad and w.parameter.is_leaf]
        chosen = {id(p): p for p in (*trained[:1], *trained[-WATCHED_WEIGHTS + 1 :])}

        def arrived(_parameter: Tensor) -> None:
            if self._queued:
                return
            try:
                torch.autograd.Variable._execution_engine.queue_callback(done)  # noqa: SLF001 - as DDP does
                self._queued = True
                began()
            except Exception as error:  # noqa: BLE001 - no failure in here may reach the training
                failed(error)

        def done() -> None:
            self._queued = False
            began_at = time.perf_counter()
            try:
                self.take_gradients()
            except Exception as error:  # noqa: BLE001 - no failure in here may reach the training
                failed(error)
            self.seconds += time.perf_counter() - began_at

        self._queued = False
        for parameter in chosen.values():
            self._handles.append(parameter.register_post_accumulate_grad_hook(arrived))  # type: ignore[no-untyped-call]

    def disarm(self) -> None:
        """Remove every hook."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    @torch.no_grad()
    def take_gradients(self) -> None:
        """Keep the small gradients whole, the exact norms of the large ones, and stretches of those of matrices."""
        found = {row: gradient for row in range(len(self.entries)) if (gradient := self._gradient(row)) is not None}
        self._count_passes(list(found))
        self.gradients = self._compact(found)

    def _compact(self, found: dict[int, Tensor]) -> Gradients:
        """What is kept of the gradients, by the row of its weight."""
        small = {row: gradient for row, gradient in found.items() if gradient.numel() <= PLACES_OF_WEIGHTS}
        large = {row: gradient for row, gradient in found.items() if row not in small}
        matrices = [row for row in large if self._matrices[row]]
        values = _whole([gradient.reshape(-1) for gradient in small.values()])
        stretches = _whole([stretch(large[row], self._rng) for row in matrices])
        return Gradients(
            Pieces([*small], [gradient.numel() for gradient in small.values()], values),
            Pieces([*large], [1] * len(large), _norms([*large.values()])),
            Pieces(matrices, [PLACES_OF_WEIGHTS] * len(matrices), stretches),
        )

    def _gradient(self, row: int) -> Tensor | None:
        """The gradient of a parameter; of a sparse one the values that it holds."""
        grad = self.entries[row].parameter.grad
        if grad is None or not grad.is_sparse:
            return None if grad is None else local(grad)
        values: Tensor = grad.coalesce().values()
        return values if values.numel() else None

    def _count_passes(self, rows: list[int]) -> None:
        """Count accumulated passes; a gradient reset between two (a GAN, a closure) starts over."""
        grad = self.entries[rows[0]].parameter.grad if rows else None
        version = -1 if grad is None else grad._version  # noqa: SLF001 - each addition counts it up by one
        if self.passes and (grad is not self._marked[0] or version != self._marked[1] + 1):
            self.passes, self.first_norms = 0, None
        if self.passes == 1 and self.gradients is not None:
            self.first_norms = self.gradients.whole()
        self.passes += 1
        self._marked = (grad, version)

    @torch.no_grad()
    def settle(self, parameters: set[int]) -> None:
        """Keep the gradients of one of several optimizers at its update, as another pass may change them."""
        rows = {k for k, w in enumerate(self.entries) if id(w.parameter) in parameters}
        if self.gradients is None:  # it steps within the backward pass
            self.take_gradients()
        if self.gradients is not None:
            self._parts.append(self.gradients.of(rows))
        if torch._C._current_graph_task_id() != -1:  # noqa: SLF001 - the one way to ask whether a backward pass runs
            self.gradients = None

    @torch.no_grad()
    def before(self) -> None:
        """Remember stretches of all weights as they are before the update."""
        self._marked = (None, -1)
        self._refresh()
        self.old = _whole(self._views)

    @torch.no_grad()
    def after(self) -> None:
        """The same stretches after the update."""
        if self._parts:
            self.gradients = Gradients.joined(self._parts)
        if self.gradients is None:  # no hook reported a backward pass: the update used the gradients that are present
            self.take_gradients()
        if self.old is not None:
            self.new = _whole(self._views)

    @property
    def lengths(self) -> list[int]:
        """The length of each weight's stretch, in the order of the entries; none where no update was seen."""
        return [] if self.old is None else [min(size, PLACES_OF_WEIGHTS) for size in self._sizes]

    def _refresh(self) -> None:
        """Update the views on all weights: one in eight is moved each time, and those whose storage changed."""
        self._count += 1
        for k, weight in enumerate(self.entries):
            parameter = local(weight.parameter)
            key = (parameter.data_ptr(), parameter.shape, parameter.dtype)
            if k >= len(self._views):
                self._views.append(stretch(parameter, self._rng))
                self._keys.append(key)
            elif self._keys[k] != key or (k + self._count) % VIEW_LIFETIME == 0:
                self._views[k], self._keys[k] = stretch(parameter, self._rng), key


def _is_sampled(parameter: Tensor) -> bool:
    """Whether this process holds values of a parameter, side by side in memory."""
    part = local(parameter.detach())
    return part.numel() > 0 and dense(part)


def _whole(pieces: list[Tensor]) -> Tensor | None:
    """Tensors as one, on one device; None for none."""
    return torch.cat(on_one_device(pieces)) if pieces else None


def _norms(gradients: list[Tensor]) -> Tensor | None:
    """The norm of each gradient, shape (n,); None for none."""
    if not gradients:
        return None
    return torch.stack(on_one_device(list(torch._foreach_norm(gradients))))  # noqa: SLF001 - torch's own clipping calls it
