"""Trackers, stores and the Hub, read with the services' own clients, and only where the user typed an address."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.address import split
from nndoctor.readers.services.service import Service, client_errors
from nndoctor.readers.tables.table import Table


def tables_at(word: str) -> Sequence[Table]:
    """The tables at an address, one a run.

    Raises UnreadableLog where nothing can be had, MissingExtra where the service's client is not installed.
    """
    found = split(word)
    if found is None:
        raise UnreadableLog(f"{word} is no address of a run")
    service = service_of(found[0])
    with client_errors(word, service):
        tables = service.read(found[1])
    if not tables:
        raise UnreadableLog(f"{word}: no run there has logged a curve")
    return tables


def service_of(scheme: str) -> Service:
    """The service of a scheme."""
    service: Service = importlib.import_module(f"{__name__}.{scheme}_runs").SERVICE
    return service
