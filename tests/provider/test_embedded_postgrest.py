"""The embedded PostgREST: JWT to role, reload after DDL, restart on changed settings, secrets kept."""

import dataclasses
import http.client
import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import psycopg
import pytest

from pulumi_timescaledb.local.ports import free_port
from pulumi_timescaledb.local.postgrest import ApiSettings, EmbeddedApi
from pulumi_timescaledb.local.process import StartFailed
from pulumi_timescaledb.local.server import EmbeddedServer

pytestmark = pytest.mark.server

SECRET = 'quote " dollar $(HOME) $$ backslash \\ and enough bytes'


def get(api: EmbeddedApi, path: str, role: str | None = "web") -> tuple[int, object]:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    claims = {"role": role, "exp": time.time() + 60}
    headers = {} if role is None else {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def settings(server: EmbeddedServer) -> ApiSettings:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE ROLE authenticator LOGIN NOINHERIT; CREATE ROLE web; GRANT web TO authenticator")
        admin.execute("CREATE SCHEMA api; GRANT USAGE ON SCHEMA api TO web")
        admin.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA api GRANT SELECT ON TABLES TO web")
        admin.execute("CREATE TABLE api.t AS SELECT generate_series(1, 3) AS a")
    return ApiSettings(dsn=server.dsn("authenticator"), schemas=("api",), jwt_secret=SECRET)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[EmbeddedApi]:
    api = EmbeddedApi(tmp_path / "api", free_port(), admin_port=free_port())
    yield api
    api.stop()


def test_life(api: EmbeddedApi, settings: ApiSettings, server: EmbeddedServer) -> None:
    assert api.ensure_running(settings)
    assert not api.ensure_running(settings)
    assert api.is_running()
    assert get(api, "/t") == (200, [{"a": 1}, {"a": 2}, {"a": 3}])
    assert get(api, "/t", role=None)[0] == 401
    config = api.folder / "api.conf"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    pid = json.loads((api.folder / "api.json").read_text())["pid"]
    for exposed in (Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ"), api.log):
        assert b"enough bytes" not in exposed.read_bytes()
    assert "enough bytes" not in repr(settings)

    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE TABLE api.parent (id int PRIMARY KEY)")
        admin.execute("CREATE TABLE api.child (id int PRIMARY KEY, parent int REFERENCES api.parent)")
    assert get(api, "/child?select=id,parent(id)")[0] == 400
    api.reload()
    assert get(api, "/child?select=id,parent(id)") == (200, [])

    assert api.ensure_running(dataclasses.replace(settings, max_rows=1))
    assert get(api, "/t") == (200, [{"a": 1}])
    server.stop()
    server.ensure_running()
    deadline = time.monotonic() + 15
    while get(api, "/t")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert get(api, "/t")[0] == 200
    api.stop()
    assert not api.is_running()
    assert not config.exists()
    with pytest.raises(StartFailed, match="not running"):
        api.reload()


def test_refused_settings(api: EmbeddedApi, settings: ApiSettings) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        api.ensure_running(dataclasses.replace(settings, jwt_secret="short"))
    with pytest.raises(ValueError, match="control characters"):
        api.ensure_running(dataclasses.replace(settings, schemas=("a\nb",)))
