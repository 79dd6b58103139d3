"""`--notify` with an address of Apprise (`slack://…`, `ntfy://topic`, `mailto://…`): a message to people, not a command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from nndoctor.cli.out import say
from nndoctor.core.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from nndoctor.core.finding import Finding

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
HTTP = {"http": "json", "https": "jsons"}  # a plain webhook: Apprise posts JSON to it


def is_address(text: str) -> bool:
    """Whether --notify names a service, and not a command."""
    return ADDRESS.fullmatch(text) is not None


def notifier(address: str) -> Callable[[Finding, str], None]:
    """What sends a finding and its source. Raises MissingExtra without Apprise, UsageError for an address it does not know."""
    try:
        from apprise import Apprise, NotifyType
    except ImportError as error:
        raise MissingExtra("--notify with an address", "apprise", "notify") from error
    scheme, colon, rest = address.partition(":")
    services = Apprise()
    if not services.add(HTTP.get(scheme, scheme) + colon + rest):
        raise UsageError(f"--notify {scheme}://…: Apprise knows no such address; see its list, or give a command")

    def send(finding: Finding, source: str) -> None:
        kind = NotifyType.FAILURE if finding.severity == "error" else NotifyType.WARNING
        title, body = f"nndoctor: {finding.name}", f"{source}: {finding.message}"
        if not services.notify(body=body, title=title, notify_type=kind):
            say(f"--notify: {scheme}://… did not take the message")

    return send
