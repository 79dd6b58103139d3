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


@dataclass(frozen=True, slots=True)
class Failure:
    """A way in which a client fails: by the HTTP status, or where there is none by the exception or its words."""

    line: str
    words: str
    statuses: tuple[int, ...] = ()
    exceptions: tuple[type[BaseException], ...] = ()

    def fits(self, error: BaseException, status: int | None, text: str) -> bool:
        """Whether an error with this status and these words is such a failure."""
        if status is not None:
            return status in self.statuses
        return isinstance(error, self.exceptions) or re.search(self.words, text, re.IGNORECASE) is not None


FAILURES = (
    Failure(
        "{name} limits how often it may be asked; wait a few minutes and try again",
        r"\b429\b|rate.?limit|too many requests",
        (429,),
    ),
    Failure(
        "{name} cannot be reached ({reason})",
        r"did not respond|connection (?:refused|reset|error|aborted)|timed? ?out|failed to resolve|not known"
        r"|unreachable|offline|max retries",
        exceptions=(ConnectionError, TimeoutError),
    ),
    Failure(
        "{name} gives no access ({reason}); {login}",
        r"\b40[13]\b|api[_ ]?key|log ?in\b|not logged|unauthori[sz]ed|permission|credential|access denied|gated"
        r"|not configured",
        (401, 403),
    ),
    Failure(
        "not found ({reason}); check the names, and that your account may see it",
        r"\b404\b|not found|could not find|does ?n[o']t exist|no such|not exist|no experiment|no run",
        (404,),
    ),
)
OTHER = "{name} answered with an error ({reason})"


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
    line = next((known.line for known in FAILURES if known.fits(error, status, text)), OTHER)
    return f"{address}: {line.format(name=service.name, reason=_reason(error), login=service.login)}"


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
