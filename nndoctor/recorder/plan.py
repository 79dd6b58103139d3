"""The plan of a model: which modules are watched, which parameters belong to which layer, and what cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from nndoctor.recorder.kinds import Role, own_parameters, role_of

ROOT = "model"  # the name of the outermost module, whose path is empty
WRAPPERS = ("DistributedDataParallel", "DataParallel", "DeepSpeedEngine", "_FabricModule")


@dataclass(slots=True)
class Weight:
    """A parameter and the layer that owns it; a tied one belongs to its first owner."""

    layer: str
    parameter: nn.Parameter


@dataclass(slots=True)
class ModelPlan:
    """What there is to watch: modules by their path, parameters with their layers, what is hidden by compilation."""

    root: nn.Module
    modules: dict[str, nn.Module] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    weights: list[Weight] = field(default_factory=list)
    compiled: list[str] = field(default_factory=list)
    ids: tuple[int, ...] = ()
    lazy: bool = False
    """Whether a parameter has no shape yet: its layer is taken in once it has."""

    @property
    def paths(self) -> list[str]:
        """The layers in the order of definition."""
        return list(self.roles)

    def add(self, path: str, module: nn.Module, *, own: bool, hidden: bool) -> None:
        """Take in a module and whether it has parameters of its own; `hidden` is one inside a compiled one."""
        if _is_compiled(module) and not hidden:
            self.compiled.append(path)
        role = _seen_role(module, hidden)
        if role is not None and not (hidden or compiled_in_place(module)):
            self.modules[path] = module
        if role is not None or own:
            self.roles[path] = role or Role.OTHER


def plan(model: nn.Module) -> ModelPlan:
    """Look through a model; wrappers of frameworks and for several devices are looked into, compiled modules are watched from outside."""
    root = unwrapped(model)
    found = ModelPlan(root, ids=fingerprint(model))
    seen: set[int] = set()
    for place, module, hidden in _walk(root):
        own = [p for p in own_parameters(module) if id(p) not in seen]
        seen.update(map(id, own))
        path = place or ROOT
        found.lazy |= any(map(is_lazy, own))
        found.weights += [Weight(path, p) for p in own if _is_trainable(p)]
        found.add(path, module, own=bool(own), hidden=hidden)
    return found


def _is_trainable(parameter: nn.Parameter) -> bool:
    """Whether a parameter can have a gradient: it holds real numbers, and has its shape."""
    return parameter.is_floating_point() and not is_lazy(parameter)


def _seen_role(module: nn.Module, hidden: bool) -> Role | None:
    """The role of a module; of a compiled one the output is seen, what it computes within is not."""
    opaque = _is_compiled(module) and hasattr(module, "_orig_mod") and not hidden
    return Role.OTHER if opaque else role_of(module)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model within DistributedDataParallel, a DeepSpeed engine or another wrapper."""
    while type(model).__name__ in WRAPPERS and isinstance(getattr(model, "module", None), nn.Module):
        model = model.module  # type: ignore[assignment]
    return model


def fingerprint(model: nn.Module) -> tuple[int, ...]:
    """The identities of all modules: another one means that a module was replaced."""
    return tuple(map(id, model.modules()))


def _walk(root: nn.Module) -> list[tuple[str, nn.Module, bool]]:
    """Path, module and whether it is inside a compiled one; each module once."""
    found: list[tuple[str, nn.Module, bool]] = []
    seen: set[int] = set()

    def visit(module: nn.Module, path: str, hidden: bool) -> None:
        if id(module) in seen:
            return
        seen.add(id(module))
        inner = getattr(module, "_orig_mod", None)
        if isinstance(inner, nn.Module):  # torch.compile(module): its paths are those of the module within
            found.append((path, module, hidden))
            for name, child in inner.named_children():
                visit(child, f"{path}.{name}" if path else name, True)
            if not hidden and any(True for _ in inner.parameters(recurse=False)):
                found.append((path, inner, True))
            return
        found.append((path, module, hidden))
        inside = hidden or _is_compiled(module)
        for name, child in module.named_children():
            visit(child, f"{path}.{name}" if path else name, inside)

    visit(root, "", False)
    return found


def compiled_in_place(module: nn.Module) -> bool:
    """Whether `module.compile()` was called: a hook on it would be compiled with it."""
    return getattr(module, "_compiled_call_impl", None) is not None


def _is_compiled(module: nn.Module) -> bool:
    return hasattr(module, "_orig_mod") or compiled_in_place(module)


def is_lazy(parameter: object) -> bool:
    """Whether a parameter waits for its first batch to get its shape."""
    return isinstance(parameter, nn.parameter.UninitializedParameter)
