"""What a rule is: a judgement (Run -> symptoms) and its card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.run import Run

PAGES = "https://nndoctor.github.io/nndoctor/rules/"


def page_of(name: str) -> str:
    """The address of a rule's page.

    >>> page_of("nan-loss")
    'https://nndoctor.github.io/nndoctor/rules/nan-loss/'
    """
    return f"{PAGES}{name}/"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the field says so: a lecture, a paper, a book."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One diagnosis.

    `needs` maps a series (`train/loss`; alternatives with `|`) to the finite points it must have, or `fact:<name>` to 1;
    `fact:<name>|<series>` is met by either.
    `suppressed_by` names the rules whose finding explains this one: then this one is not reported. `makes_undecidable` names those that
    are not clear where this one is found.
    `free_remedy`: its first remedy costs nothing, so it is listed before others of its family.
    `recovered`: the run got over it, so it is listed after problems that last to the end.
    `limits` are the keyword arguments of `check` that a user may set, with their values. `on_request` rules are judged, and mentioned
    only where their needs are met: they answer a user's question. `severity_set_by_user` keeps a rule from changing it.
    `sick` runs must be found, `healthy` ones examined and cleared: they are the rule's tests and its picture.
    """

    code: str
    name: str
    severity: Severity
    title: str
    needs: Mapping[str, int]
    check: Callable[..., Iterable[Symptom]]
    why: str
    how: str
    sources: tuple[Reference, ...]
    remedies: tuple[str, ...]
    sick: tuple[Run, ...]
    healthy: tuple[Run, ...]
    suppressed_by: tuple[str, ...] = field(default=())
    makes_undecidable: tuple[str, ...] = field(default=())
    free_remedy: bool = False
    recovered: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    on_request: bool = False
    severity_set_by_user: bool = False
