"""What happens to each part of a loss within the user's step: which parts have no gradient, and where the others pull."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from nndoctor.sanity import graph
from nndoctor.sanity.aims import Aim, aim
from nndoctor.sanity.observe import LOSSES, Observer
from nndoctor.sanity.origins import Origins, flat

SUMS = frozenset(
    {"add", "sub", "rsub", "add_", "sub_"} | {f"__{k}{n}__" for k in ("", "r", "i") for n in ("add", "sub")}
)
PRODUCTS = frozenset({"mul", "__mul__", "__rmul__", "mul_", "__imul__"})
DIFFERENCES = frozenset({"sub", "__sub__", "rsub", "__rsub__"})
SQUARES, DISTANCES = frozenset({"pow", "__pow__", "square"}), frozenset({"abs", "norm"})
SQUARED_ERROR = "squared error"  # the name of one that is written by hand
MEANS = frozenset({"mean", "sum"})
NEGATIVES = frozenset({"neg", "__neg__", "negative"})


@dataclass(slots=True)
class Term:
    """A call of one of torch's losses, or a squared error: the parameters behind it, the nearest of them, its value, and its gradient as `pull`."""

    name: str
    reached: frozenset[int]
    nearest: tuple[int, ...]
    value: float
    target: Tensor
    of_model: bool
    pull: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """What an output is compared with; `fresh` are the draws of random numbers in it that the output does not depend on."""

    target: Tensor
    fresh: frozenset[int]


@dataclass(slots=True)
class Part:
    """A part of a sum that is of the model's making and has no gradient, where the rest of the sum has one.

    `used` says whether a backward pass went through the sum; `line` is that of the user's file.
    """

    value: float
    whole: float
    line: int | None
    used: bool = False


@dataclass(slots=True)
class Chosen:
    """Log-probabilities, with the gradient that a backward pass gave them."""

    gradient: Tensor | None = None


class Lens(Observer):
    """An observer of the parts of a loss."""

    def __init__(self, origins: Origins, line: Callable[[], int | None]) -> None:
        super().__init__()
        self.origins, self._line = origins, line
        self.terms: list[Term] = []
        self.parts: list[Part] = []
        self.chosen: list[Chosen] = []
        self.redrawn: list[bool] = []  # for each, whether it is of a later sample than the first of its distribution
        self.scored: list[Chosen] = []  # all log-probabilities that a log-softmax gives
        self.weights: list[Tensor] = []
        self.factors: list[
            float
        ] = []  # of single numbers that have a gradient, as a return weighs each log-probability
        self.aims: list[Aim] = []
        self.pairs: list[Pair] = []
        self.picked: list[Tensor] = []  # the classes whose log-probabilities a step takes
        self._open: Any = WeakTensorKeyDictionary()
        self._scores: Any = WeakTensorKeyDictionary()
        self._differences: Any = WeakTensorKeyDictionary()
        self._negatives: Any = WeakTensorKeyDictionary()  # of weights: the sign belongs to the loss
        self._looks: dict[str, Callable[[str, list[Tensor], Tensor], None]] = {
            **dict.fromkeys(SUMS, self._combined),
            **dict.fromkeys(PRODUCTS, self._product),
            **dict.fromkeys(MEANS, self._averaged),
            **dict.fromkeys(SQUARES | DISTANCES, self._erred),
            **dict.fromkeys(NEGATIVES, self._negated),
            "log_softmax": self._scored,
            "gather": self._gathered,
        }

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        value = self.origins.note(func, args, names, super()._called(func, args, names))
        if isinstance(value, Tensor):
            self._weighed(getattr(func, "__name__", ""), args)
            self._looked(getattr(func, "__name__", ""), flat((*args, *names.values())), value)
            if func in LOSSES:
                self._loss(func, args, names, value)
        return value

    def _looked(self, name: str, given: list[Tensor], value: Tensor) -> None:
        """Note what a function of torch made of the tensors that it was given, where it may be a step of a loss."""
        look = self._looks.get(name)
        if look is not None and given:
            look(name, given, value)

    def _weighed(self, name: str, args: tuple[Any, ...]) -> None:
        """Note by what a single number is multiplied."""
        if name not in PRODUCTS or len(args) != 2:
            return
        numbers = [float(self._own(a)) for a in args if isinstance(a, float) or (_is_number(a) and not a.requires_grad)]
        free = [a for a in args if _is_number(a) and a.requires_grad]
        if len(numbers) == len(free) == 1 and abs(numbers[0]) != 1:
            self.factors += numbers

    def _combined(self, name: str, given: list[Tensor], value: Tensor) -> None:
        if len(given) == 2:
            self._sum(given, value)
            if name in DIFFERENCES and value.requires_grad:
                self._differences[value] = sorted(given, key=lambda t: not t.requires_grad)

    def _negated(self, _: str, given: list[Tensor], value: Tensor) -> None:
        if not value.requires_grad:
            self._negatives[value] = given[0]

    def _own(self, weight: Any) -> Any:  # noqa: ANN401 - a number or a tensor
        """A weight without the minus sign that a loss put before it."""
        return self._negatives.get(weight, weight) if isinstance(weight, Tensor) else weight

    def _averaged(self, _: str, given: list[Tensor], value: Tensor) -> None:
        if given[0] in self._open and value.numel() == 1:
            self._part(self._open[given[0]], value)

    def _erred(self, name: str, given: list[Tensor], value: Tensor) -> None:
        if given[0] not in self._differences:
            return
        output, target = self._differences[given[0]]
        self._pair(output, target)
        if name in SQUARES and not target.requires_grad:
            self._term(SQUARED_ERROR, target, value)

    def _scored(self, _: str, __: list[Tensor], value: Tensor) -> None:
        self._scores[value] = True
        self.scored.append(_followed(value))

    def _gathered(self, _: str, given: list[Tensor], value: Tensor) -> None:
        if given[0] in self._scores:
            self.choice(value)
            if value.requires_grad and len(given) > 1:
                self.picked.append(given[1].detach())

    def _sum(self, given: list[Tensor], value: Tensor) -> None:
        """A sum of which only one part has a gradient, while the other is of the model's making."""
        without = [t for t in given if not t.requires_grad]
        if len(without) != 1 or not value.requires_grad or not self.origins.of_model(without[0]):
            return
        if value.numel() == 1:
            self._part(without[0], value)
        elif given[0].shape == given[1].shape:
            self._open[value] = without[0]

    def _part(self, without: Tensor, value: Tensor) -> None:
        part = Part(float(without.detach().double().mean()), float(value.detach()), self._line())
        self.parts.append(part)

        def passed(gradient: Tensor) -> None:
            part.used = part.used or bool(gradient.any())

        if value.requires_grad:
            value.register_hook(passed)  # type: ignore[no-untyped-call]

    def _product(self, _: str, given: list[Tensor], __: Tensor) -> None:
        """Weights of both signs, as advantages are, and probabilities that weigh log-probabilities."""
        if len(given) != 2:
            return
        scores, goal = given if given[0] in self._scores else reversed(given)
        if scores in self._scores and not self.origins.of_model(goal) and (found := aim(scores, goal)) is not None:
            self.aims.append(found)
        plain = [t for t in given if not t.requires_grad and t.is_floating_point() and t.numel() > 1]
        if (
            len(plain) == 1
            and given[0].numel() == given[1].numel()
            and bool((plain[0] > 0).any())
            and bool((plain[0] < 0).any())
        ):
            self.weights.append(self._own(plain[0]).detach())

    def _pair(self, output: Tensor, target: Tensor) -> None:
        """An output and its target, unless that is of the model's making, too."""
        if not target.requires_grad and not self.origins.of_model(target):
            self.pairs.append(Pair(target.detach(), self.origins.drawn(target) - self.origins.drawn(output)))

    def choice(self, value: Tensor) -> None:
        """Note log-probabilities of what was chosen."""
        if value.requires_grad:
            self.chosen.append(_followed(value))

    def _loss(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any], value: Tensor) -> None:
        output, target = (
            (*args, names.get("input"), names.get("target"))[:2]
            if len(args) > 1
            else (args[0] if args else names.get("input"), names.get("target"))
        )
        if (
            not isinstance(target, Tensor)
            or not isinstance(output, Tensor)
            or target.requires_grad
            or not value.requires_grad
        ):
            return
        self._pair(output, target)
        self._term(func.__name__, target, value)

    def _term(self, name: str, target: Tensor, value: Tensor) -> None:
        """Watch a loss against a target, and the gradient that comes back to it."""
        ends = graph.leaves(value.grad_fn)
        term = Term(
            name, frozenset(map(id, ends)), tuple(map(id, ends[:2])), float(value.detach().mean()), target.detach(),
            self.origins.of_model(target),
        )  # fmt: skip
        self.terms.append(term)

        def pulled(gradient: Tensor) -> None:
            term.pull += float(gradient.sum())

        value.register_hook(pulled)  # type: ignore[no-untyped-call]


def _followed(value: Tensor) -> Chosen:
    """Log-probabilities whose gradient is noted."""
    chosen = Chosen()

    def keep(gradient: Tensor) -> None:
        chosen.gradient = gradient.detach() if chosen.gradient is None else chosen.gradient + gradient.detach()

    if value.requires_grad:
        value.register_hook(keep)  # type: ignore[no-untyped-call]
    return chosen


def _is_number(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.numel() == 1 and value.is_floating_point()
