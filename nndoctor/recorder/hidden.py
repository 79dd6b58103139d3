"""Hooks that only a call of the module runs: copying, pickling, scripting or inspecting the module finds none."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import nn

PRE_HOOKS = "_forward_pre_hooks"
HOOKS = "_forward_hooks"
ALWAYS_CALLED = "_forward_hooks_always_called"
Entry = Callable[..., Any] | bool


class HiddenHooks(OrderedDict[object, Entry]):
    """Replaces one of a module's dictionaries of hooks: the user's entries, and hidden ones for `Module.__call__`.

    `Module.__call__` uses the truth value, `items` and membership; these include the hidden entries.
    Everything else (length, values, copies, pickles, torch.jit, torch.export, CUDA graphs) sees the user's entries only.
    So does torch.compile, which reads the storage directly: it holds the user's entries, as `shown` does, to which the
    handles of earlier hooks refer.
    """

    def __init__(self, shown: OrderedDict[object, Entry], *, first: bool) -> None:
        super().__init__()
        self.shown = shown
        self.hidden: dict[object, Entry] = {}
        self._first = first
        for key, entry in shown.items():
            super().__setitem__(key, entry)
        self.registered = False
        """Whether a hook was registered through this object: its handle then refers to it."""

    def __bool__(self) -> bool:
        return bool(self.hidden) or bool(self.shown)

    def items(self) -> Any:  # noqa: ANN401 - a view, whose type has no public name
        """The user's entries and the hidden ones: those of pre-hooks come first, those of hooks last."""
        if not self.hidden:
            return self.shown.items()
        merged = (self.hidden, self.shown) if self._first else (self.shown, self.hidden)
        return OrderedDict((*merged[0].items(), *merged[1].items())).items()

    def __contains__(self, key: object) -> bool:
        return key in self.hidden or key in self.shown

    def __setitem__(self, key: object, entry: Entry) -> None:
        self.registered = True
        self.shown[key] = entry
        super().__setitem__(key, entry)

    def __delitem__(self, key: object) -> None:
        del self.shown[key]
        if super().__contains__(key):
            super().__delitem__(key)

    def clear(self) -> None:
        """Remove the user's entries."""
        self.shown.clear()
        super().clear()

    def move_to_end(self, key: object, last: bool = True) -> None:
        """As in OrderedDict; `register_forward_hook(prepend=True)` calls it."""
        self.shown.move_to_end(key, last)
        super().move_to_end(key, last)

    def __copy__(self) -> OrderedDict[object, Entry]:
        return copy.copy(self.shown)

    def __deepcopy__(self, memo: dict[int, object]) -> OrderedDict[object, Entry]:
        return copy.deepcopy(self.shown, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:  # noqa: ANN401 - as object declares it
        return self.shown.__reduce_ex__(protocol)


class HiddenHook:
    """One hidden entry of one of a module's dictionaries."""

    def __init__(self, module: nn.Module, place: str, entry: Entry) -> None:
        self._module, self._place, self._entry = module, place, entry

    def add(self, key: object) -> None:
        """Put the entry in place, under the given key."""
        attributes = self._module.__dict__
        hooks = attributes[self._place]
        if not isinstance(hooks, HiddenHooks):
            hooks = attributes[self._place] = HiddenHooks(hooks, first=self._place == PRE_HOOKS)
        hooks.hidden[key] = self._entry

    def remove(self, key: object) -> None:
        """Take the entry out; the module has its own dictionary again, unless a handle refers to ours."""
        attributes = self._module.__dict__
        hooks = attributes[self._place]
        if isinstance(hooks, HiddenHooks):
            hooks.hidden.pop(key, None)
            if not hooks.hidden and not hooks.registered:
                attributes[self._place] = hooks.shown
