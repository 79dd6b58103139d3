"""What a module returns: the tensor of its values, and the loss of a model that computes its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

from nndoctor.recorder.window import local

MAX_NESTING = 4  # levels of nesting searched for an output's tensors
MAX_PARTS = 16  # parts of each level that are searched


def holds_values(tensor: Tensor) -> bool:
    """Whether a tensor holds numbers: not so on the meta device and in an export."""
    return tensor.device.type != "meta" and not isinstance(tensor, FakeTensor)


def own_loss(output: object) -> Tensor | None:
    """The loss in the output of a model that computes its own, as those of Transformers do."""
    found = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    return found if isinstance(found, Tensor) and found.ndim == 0 and found.requires_grad else None


def first_tensor(output: object, depth: int = 0) -> Tensor | None:
    """The first tensor of floating numbers in an output of any nesting, else the first tensor, else None."""
    if isinstance(output, Tensor):
        return local(output) if output.layout == torch.strided else None
    if depth >= MAX_NESTING:
        return None
    if isinstance(output, nn.utils.rnn.PackedSequence):
        return output.data
    found = [t for part in _parts(output) if (t := first_tensor(part, depth + 1)) is not None]
    return next((t for t in found if t.is_floating_point()), found[0] if found else None)


def _parts(output: object) -> Sequence[object]:
    """The first parts of a mapping, a sequence or an object with attributes."""
    if isinstance(output, Mapping):
        return list(output.values())[:MAX_PARTS]
    if isinstance(output, (list, tuple)):
        return output[:MAX_PARTS]
    return list(getattr(output, "__dict__", {}).values())[:MAX_PARTS]
