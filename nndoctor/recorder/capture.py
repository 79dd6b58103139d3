"""The forward side of a sample: hooks on, one forward pass seen, hooks off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nndoctor.recorder.functions import Functions
from nndoctor.recorder.hidden import ALWAYS_CALLED, HOOKS, PRE_HOOKS, HiddenHook
from nndoctor.recorder.kinds import Role, activation_of, units_first
from nndoctor.recorder.outputs import first_tensor, holds_values, own_loss
from nndoctor.recorder.plan import ModelPlan, compiled_in_place
from nndoctor.recorder.slots import MAX_CALLS, Slots

FUNCTION_SAMPLES = 2  # samples in which functional activations are looked for; afterwards only in models that call some
Failed = Callable[[BaseException], None]
Hook = Callable[[nn.Module, object, object], None]


class Capture:
    """Watches the first forward pass in training mode after `arm`; every hook is gone after `disarm`.

    The hooks are hidden ones: between `arm` and `disarm` the model can be copied, pickled, scripted and exported as
    without them. Passes in other threads, traces and evaluations are not the training's and are left alone.
    """

    def __init__(self, plan: ModelPlan, slots: Slots, failed: Failed) -> None:
        self.plan = plan
        self.slots = slots
        self.loss: Tensor | None = None
        """The loss that the model itself returned in the sampled pass."""
        self._failed = failed
        self._hooks: list[HiddenHook] = []
        self._function_hooks: list[HiddenHook] = []
        self._active: list[HiddenHook] = []
        self._calls: dict[str, int] = {}
        self._functions: Functions | None = None
        self._functional = False
        """Whether the model calls activations as functions: looked for in the first samples."""
        self._looks = 0
        self._open = False
        self._passes = 0
        self._inside = 0
        self._thread: int | None = None
        self._pass_in: int | None = None
        self.seconds = 0.0

    def arm(self, thread: int | None = None) -> None:
        """Set the hooks for the coming forward pass; of all threads, or of the one given."""
        self.disarm()
        self.slots.clear()
        self._calls.clear()
        self.seconds, self.loss = 0.0, None
        self._open, self._passes, self._inside, self._thread = True, 0, 0, thread
        if not self._hooks:
            self._make_hooks()
        self._active = [*self._hooks]
        if (self._functional or self._looks < FUNCTION_SAMPLES) and not self.plan.compiled:
            self._active += self._function_hooks
            self._functions = Functions(self._take_function)
        for hook in self._active:
            hook.add(self)

    def _make_hooks(self) -> None:
        root = self.plan.root
        for path, module in self.plan.modules.items():
            self._hooks.append(HiddenHook(module, HOOKS, self._hook(path, module)))
            if self.plan.roles[path] is Role.ACTIVATION and module is not root:
                self._function_hooks.append(HiddenHook(module, PRE_HOOKS, self._entering))
        if not compiled_in_place(root):
            self._hooks.append(HiddenHook(root, PRE_HOOKS, self._begin))
            self._hooks.append(HiddenHook(root, ALWAYS_CALLED, True))
            if root not in self.plan.modules.values():
                self._hooks.append(HiddenHook(root, HOOKS, self._end))

    def disarm(self) -> None:
        """Remove every hook."""
        for hook in self._active:
            hook.remove(self)
        self._active = []
        self._open = False
        if self._functions is not None:
            self._functions.leave()
            self._looks += bool(self._passes)
            self._functional |= self._functions.found
            self._functions = None

    @property
    def seen(self) -> bool:
        """Whether anything of the sampled forward pass was seen."""
        return bool(self._passes or self._calls)

    def stop_seeing(self) -> None:
        """Stop observing this step, as the backward pass has begun."""
        self._open = False

    def _begin(self, module: nn.Module, _args: object) -> None:
        if torch.compiler.is_compiling():
            return
        if self._sees(module, self.plan.root) and not self._passes:
            self._pass_in, self._inside = threading.get_ident(), 0
            if self._functions is not None:
                self._functions.enter()

    def _end(self, _module: nn.Module, _args: object, output: object) -> None:
        if torch.compiler.is_compiling() or self._pass_in != threading.get_ident():
            return
        self._pass_in = None
        if self._functions is not None:
            self._functions.leave()
        found = first_tensor(output)
        if self._open and (found is None or holds_values(found)):
            self.loss = own_loss(output)
            self._passes += 1
            self._open = False

    def _entering(self, _module: nn.Module, _args: object) -> None:
        if not torch.compiler.is_compiling() and self._pass_in == threading.get_ident():
            self._inside += 1

    def _hook(self, path: str, module: nn.Module) -> Hook:
        role, activation, first = self.plan.roles[path], activation_of(module), units_first(module)
        if isinstance(module, nn.RNN) and module.nonlinearity == "tanh":
            activation = "tanh"
        is_root = module is self.plan.root
        counted = role is Role.ACTIVATION and not is_root

        def hook(called: nn.Module, args: object, output: object) -> None:
            if torch.compiler.is_compiling():
                return
            if self._sees(called, module):
                self._take(path, role, activation, output, first=first)
            if counted and self._functions is not None and self._pass_in == threading.get_ident():
                self._inside -= 1
            if is_root:
                self._end(called, args, output)

        return hook

    def _take(self, path: str, role: Role, activation: str, output: object, *, first: bool | None) -> None:
        """Sample one output; the second call of a module within the pass is the layer `path#2`."""
        began = time.perf_counter()
        try:
            found = first_tensor(output)
            if found is None or not holds_values(found):
                return
            calls = self._calls[path] = self._calls.get(path, 0) + 1
            if calls > MAX_CALLS or not found.is_floating_point() or not found.numel():
                return
            name = path if calls == 1 else f"{path}#{calls}"
            if self._functions is None and type(found) is Tensor:
                self.slots.fill(name, role, activation, found.detach(), first=first)
                return
            with torch._C.DisableTorchFunction():  # noqa: SLF001 - what happens in here is not the model's
                self.slots.fill(name, role, activation, found.detach(), first=first)
        except Exception as error:  # noqa: BLE001 - no failure in here may reach the training
            self._open = False
            self._failed(error)
        finally:
            self.seconds += time.perf_counter() - began

    def _take_function(self, kind: str, output: object) -> None:
        """Sample the output of an activation that was called as a function: the layer `<layer before>.relu`."""
        if not self._inside and self._sees(self.plan.root, self.plan.root):
            if self._functions is not None:
                self._functions.found = True
            before = self.slots.last.name if self.slots.last is not None else ""
            name = f"{before}.{kind}" if before else kind
            self._take(name, Role.ACTIVATION, kind, output, first=None)

    def _sees(self, called: nn.Module, module: nn.Module) -> bool:
        """Whether a call is part of the training's forward pass: of the module itself, not of a copy that shares its hooks."""
        if not self._open or not (called is module or getattr(called, "_is_replica", False)):
            return False
        thread = threading.get_ident()
        if self._thread is not None and self._thread != thread:
            return False
        if not torch.is_grad_enabled() and self._pass_in != thread:  # reentrant checkpointing runs a pass without
            return False
        return self.plan.root.training and not transformed()


def transformed() -> bool:
    """Whether a call is part of a backward pass (checkpointing runs forward in it), of a trace or of torch.func."""
    return (
        torch._C._current_graph_task_id() != -1  # noqa: SLF001 - there is no public way to ask, nor for the others
        or torch._C._get_tracing_state() is not None  # noqa: SLF001
        or torch._C._functorch.peek_interpreter_stack() is not None  # noqa: SLF001
    )
