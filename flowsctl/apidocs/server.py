"""Serves Swagger UI on loopback, and passes its requests on to the API, so that the page and the API have one origin.

The page holds a token. So every address begins with a random key that only the caller knows, the server listens on
127.0.0.1 alone, answers to no other host name, and lets no other site frame or read it.
"""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from flowsctl.apidocs.document import connect
from flowsctl.errors import FlowsError

KEY_BYTES = 16
MOST_BYTES = 16 * 1024 * 1024
"""Of a request's body."""
TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png", "": "text/plain"}
PASSED_ON = ("Authorization", "Content-Type", "Accept", "Prefer", "Range", "Range-Unit")
PASSED_BACK = ("Content-Type", "Content-Range", "Content-Location", "Location", "Range-Unit", "WWW-Authenticate")
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class DocsServer(ThreadingHTTPServer):
    """One page, its files, and the API behind it."""

    daemon_threads = True

    def __init__(self, port: int, api: str, files: Mapping[str, bytes]) -> None:
        """Raises FlowsError where the port is taken."""
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise FlowsError(f"port {port} cannot be used: {error.strerror}", "take another --port") from error
        self.key = secrets.token_urlsafe(KEY_BYTES)
        self.api = api
        self.files = dict(files)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/{self.key}/"

    @property
    def api_url(self) -> str:
        """Where the page sends its requests."""
        return f"{self.url}api"


class _Handler(BaseHTTPRequestHandler):
    server: DocsServer
    server_version = "flowsctl"
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: addresses hold the key, and values of filters."""

    def _answer(self) -> None:
        path = self._inside()
        if path is None:
            self._send(404, b"not found\n")
        elif path == "api" or path.startswith(("api/", "api?")):
            self._pass_on(path.removeprefix("api") or "/")
        elif self.command in ("GET", "HEAD") and (name := path or "index.html") in self.server.files:
            ending = name[name.rfind(".") :] if "." in name else ""
            kind = "text/html" if name == "index.html" else TYPES.get(ending, "application/octet-stream")
            self._send(200, self.server.files[name], {"Content-Type": f"{kind}; charset=utf-8"})
        else:
            self._send(404, b"not found\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def _inside(self) -> str | None:
        """The path behind the key, or None where the key or the host name is not ours."""
        if self.headers.get("Host") != f"127.0.0.1:{self.server.server_port}":
            return None
        _, key, *rest = self.path.split("/", 2)
        return rest[0] if rest and secrets.compare_digest(key.encode(), self.server.key.encode()) else None

    def _pass_on(self, path: str) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > MOST_BYTES:
            self.close_connection = True
            return self._send(413, b"too large\n")
        body = self.rfile.read(size) if size else None
        headers = {name: value for name in PASSED_ON if (value := self.headers.get(name))}
        connection = connect(self.server.api)
        try:
            connection.request(self.command, urlsplit(self.server.api).path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return self._send(502, f"the API does not answer: {error}\n".encode())
        finally:
            connection.close()
        back = {name: value for name in PASSED_BACK if (value := answer.headers.get(name))}
        return self._send(answer.status, content, back)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "text/plain; charset=utf-8"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
