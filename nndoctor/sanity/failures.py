"""What went wrong in the user's code, in one line, and the user's own traceback."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nndoctor.experiment.model_file import ModelFileError

WANTS = (  # the attribute that says what a layer takes, and in which words
    ("in_features", "{} features in the last dimension"),
    ("in_channels", "{} channels in dimension 1"),
    ("num_features", "{} channels in dimension 1"),
    ("num_embeddings", "whole numbers from 0 to below {}"),
    ("normalized_shape", "a last shape of {}"),
    ("embed_dim", "{} features in the last dimension"),
    ("input_size", "{} features in the last dimension"),
)
HINTS = (
    (
        "Expected more than 1 value per channel",
        "batch normalization cannot train on a batch of one example: give the DataLoader drop_last=True",
    ),
)
"""What an error of torch's says, and what to do about it."""
LIBRARIES = ("site-packages", "dist-packages", "importlib")
OURS = str(Path(__file__).resolve().parents[1])


def is_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the host or on the device."""
    text = str(error).lower()
    return (
        isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError))
        or "out of memory" in text
        or "can't allocate" in text
    )


def is_lost(error: BaseException) -> bool:
    """Whether an accelerator gave up: whatever is asked of it from then on fails, far from what did it."""
    return "CUDA error" in str(error)


def is_machine(error: BaseException) -> bool:
    """Whether the machine gave up, and no code of the user's is to blame."""
    return is_memory(error) or is_lost(error)


def lost(error: BaseException, path: str) -> ModelFileError:
    """The error that tells so, and what to do."""
    first = str(error).strip().splitlines()[0]
    return ModelFileError(
        f"{path}: the device failed ({first}), often because of an index out of range; "
        "with the model on the CPU the same check names the place"
    )


def error_text(error: BaseException) -> str:
    """`ValueError: the message's first line`."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def users_trace(error: BaseException) -> str:
    """The traceback from the first line of the user's code on; empty where none of it is the user's."""
    step: TracebackType | None = error.__traceback__
    while step is not None and not _users(step):
        step = step.tb_next
    if step is None:
        return ""
    return "".join(traceback.format_exception(type(error), error, step, chain=False))


def users_line(error: BaseException, path: str) -> int | None:
    """The last line of the user's file that the error went through."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == Path(path):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _same(frame.filename, path)]
    return lines[-1] if lines else None


def unusable(what: str, error: BaseException, path: str) -> ModelFileError:
    """The error that tells the user `what` failed, with the line of their file and their traceback."""
    hint = next((f"; {words}" for sign, words in HINTS if sign in str(error)), "")
    line = users_line(error, path)
    place = f" (line {line})" if line is not None else ""
    return ModelFileError(f"{path}{place}: {what}: {error_text(error)}{hint}", users_trace(error))


class Trail:
    """Remembers which module runs, so that the one that failed can be named."""

    def __init__(self, model: nn.Module) -> None:
        self._stack: list[tuple[str, nn.Module, str, str]] = []
        self._names = {id(m): name or "model" for name, m in model.named_modules()}
        self._handles: list[RemovableHandle] = []
        for module in model.modules():
            self._handles.append(module.register_forward_pre_hook(self._enter))
            self._handles.append(module.register_forward_hook(self._leave))

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()

    def words(self) -> str:
        """`layer fc (Linear) got (32, 100), expected 64 features in the last dimension`; empty where none had begun."""
        if not self._stack:
            return ""
        name, module, shape, kind = self._stack[-1]
        wanted = kind or next((text.format(getattr(module, a)) for a, text in WANTS if hasattr(module, a)), "")
        return f"layer {name} ({type(module).__name__}) got {shape}" + (f", expected {wanted}" if wanted else "")

    def _enter(self, module: nn.Module, args: tuple[object, ...]) -> None:
        self._stack.append((self._names[id(module)], module, _shapes(args), _kind(module, args)))

    def _leave(self, _module: nn.Module, _args: object, _output: object) -> None:
        self._stack.pop()


def failing(model: nn.Module, again: Callable[[], object]) -> str:
    """The words on the layer that fails when a failed pass is made again; empty where it does not fail in one."""
    trail = Trail(model)
    try:
        again()
    except Exception:  # noqa: BLE001 - the same error as before, of which only the place is wanted
        return trail.words()
    finally:
        trail.close()
    return ""


def _users(step: TracebackType) -> bool:
    """Whether a frame runs code that is neither nndoctor's nor a library's."""
    name = step.tb_frame.f_code.co_filename
    return not name.startswith((OURS, "<")) and not any(part in Path(name).parts for part in LIBRARIES)


def _same(a: str, b: str) -> bool:
    return Path(a).name == Path(b).name and Path(a).resolve() == Path(b).resolve()


def _shapes(args: tuple[object, ...]) -> str:
    tensors = [a for a in args if isinstance(a, Tensor)]
    whole = ", ".join(
        f"{tuple(t.shape)}{'' if t.dtype is torch.float32 else f' of {str(t.dtype)[6:]}'}" for t in tensors
    )
    return whole or ", ".join(type(a).__name__ for a in args) or "nothing"


def _kind(module: nn.Module, args: tuple[object, ...]) -> str:
    """The type that a layer of floating weights wants, where it got another."""
    own = next((p.dtype for p in module.parameters(recurse=False) if p.is_floating_point()), None)
    first = next((a for a in args if isinstance(a, Tensor)), None)
    takes_numbers = isinstance(module, (nn.Embedding, nn.EmbeddingBag))
    return (
        "" if own is None or first is None or takes_numbers or first.dtype is own else str(own).removeprefix("torch.")
    )
