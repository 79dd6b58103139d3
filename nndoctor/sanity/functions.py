"""Watching the functions of torch that are called, or putting others in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode


class Functions(TorchFunctionMode):
    """Within it, each call of a function of torch comes to `_called`; what that calls itself does not."""

    def __torch_function__(  # type: ignore[no-untyped-def]  # noqa: ANN204 - torch has no types for it
        self,
        func,  # noqa: ANN001
        types,  # noqa: ANN001
        args=(),  # noqa: ANN001
        kwargs=None,  # noqa: ANN001
    ):
        return self._called(func, args, dict(kwargs or {}))

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        """What the caller is given: the result of the function, unless a class changes it."""
        return func(*args, **names)
