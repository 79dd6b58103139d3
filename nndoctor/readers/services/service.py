"""What a service is, and its client's errors as one line that says what to do."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

from nndoctor.core.errors import MissingExtra, NNDoctorError, UnreadableLog
from nndoctor.readers.io.address import without_password
from nndoctor.readers.tables.table import Table

MAX_REASON = 160  # characters of a client's own message that are shown
NOT_ALLOWED = re.compile(
    r"\b40[13]\b|api[_ ]?key|log ?in\b|not logged|unauthori[sz]ed|permission|credential|access denied|gated|not configured",
    re.IGNORECASE,
)
NOT_FOUND = re.compile(
    r"\b404\b|not found|could not find|does ?n[o']t exist|no such|not exist|no experiment|no run", re.IGNORECASE
)
TOO_OFTEN = re.compile(r"\b429\b|rate.?limit|too many requests", re.IGNORECASE)
UNREACHABLE = re.compile(
    r"did not respond|connection (?:refused|reset|error|aborted)|timed? ?out|failed to resolve|not known|unreachable"
    r"|offline|max retries",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Service:
    """A service: `package` is its client, `extra` installs it, `login` says how to get access.

    `read` turns the part of an address after the scheme into tables, one a run.
    """

    name: str
    package: str
    extra: str
    login: str
    read: Callable[[str], Sequence[Table]]


@contextmanager
def client_errors(address: str, service: Service) -> Iterator[None]:
    """Run a client: what it prints goes to standard error, what it raises becomes one line.

    Raises UnreadableLog, and MissingExtra where the client is not installed. A defect of our own stays what it is.
    """
    address = without_password(address)
    try:
        with redirect_stdout(sys.stderr):
            yield
    except UnreadableLog as error:
        raise UnreadableLog(f"{address}: {error}") from error
    except NNDoctorError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != service.package.partition(".")[0]:
            raise UnreadableLog(f"{address}: {service.package} needs {error.name}, which is not installed") from error
        raise MissingExtra(f"reading {service.name}", service.package, service.extra) from error
    except ImportError as error:
        raise UnreadableLog(f"{address}: {_reason(error)}") from error
    except Exception as error:
        if _is_ours(error):
            raise
        raise UnreadableLog(error_line(error, address, service)) from error


def error_line(error: BaseException, address: str, service: Service) -> str:
    """The line for what a client raised: no access, not there, too many requests, no network, or its own words."""
    status, text = _status(error), " ".join(str(part) for part in _chain(error))
    reason = _reason(error)
    if status == 429 or (status is None and TOO_OFTEN.search(text)):
        return f"{address}: {service.name} limits how often it may be asked; wait a few minutes and try again"
    if status is None and (isinstance(error, (ConnectionError, TimeoutError)) or UNREACHABLE.search(text)):
        return f"{address}: {service.name} cannot be reached ({reason})"
    if status in (401, 403) or (status is None and NOT_ALLOWED.search(text)):
        return f"{address}: {service.name} gives no access ({reason}); {service.login}"
    if status == 404 or (status is None and NOT_FOUND.search(text)):
        return f"{address}: not found ({reason}); check the names, and that your account may see it"
    return f"{address}: {service.name} answered with an error ({reason})"


def _is_ours(error: BaseException) -> bool:
    """Whether an exception is a bug of nndoctor and not an error of the client, which raises no plain TypeError."""
    return type(error).__module__ == "builtins" and not isinstance(error, (OSError, ValueError, RuntimeError))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        one = one.__cause__ or one.__context__


def _status(error: BaseException) -> int | None:
    """The HTTP status in an exception or in what caused it."""
    for one in _chain(error):
        for holder in (getattr(one, "response", None), one):
            for name in ("status_code", "status", "code"):
                value = getattr(holder, name, None)
                if isinstance(value, int) and 400 <= value < 600:
                    return value
    return None


def _reason(error: BaseException) -> str:
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "") or type(error).__name__
    return line if len(line) <= MAX_REASON else f"{line[:MAX_REASON]}…"
