"""A Hub on this machine: the few answers that huggingface_hub asks for, over files in a dict."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Answers(BaseHTTPRequestHandler):
    """Answers for the repository `owner/model`; `busy` is limited, anything else is missing."""

    files: Mapping[str, bytes] = {}

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if "/busy" in path:
            self._send(429, b"{}")
        elif path.startswith("/api/models/owner/model/tree/"):
            listed = [{"type": "file", "path": n, "size": len(d), "oid": COMMIT} for n, d in self.files.items()]
            self._send(200, json.dumps(listed).encode())
        elif path.startswith("/api/models/owner/model"):
            siblings = [{"rfilename": name} for name in self.files]
            self._send(200, json.dumps({"id": "owner/model", "sha": COMMIT, "siblings": siblings}).encode())
        elif path.startswith("/owner/model/resolve/") and path.split("/", 5)[5] in self.files:
            self._send(200, self.files[path.split("/", 5)[5]])
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET  # noqa: N815 - the server looks for this name

    def _send(self, status: int, data: bytes):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hash(data) & 0xFFFFFFFF:08x}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def hub(files: Mapping[str, bytes]) -> Iterator[str]:
    """The address of a Hub that holds these files in `owner/model`."""
    answers = type("Answers", (_Answers,), {"files": files})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
