"""The API's container: its secrets stay inside, and it sees a changed schema when it is told."""

from __future__ import annotations

import http.client
import json
import time

import jwt
import pytest

from components.containers.api import AUTHENTICATOR, PORT, api
from flowsctl.containers.host import Host

from .plain import PATIENCE, Plain

SCHEMA = """
CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD '{verifier}';
CREATE ROLE reader; GRANT reader TO authenticator;
CREATE SCHEMA api; CREATE SCHEMA api_private; GRANT USAGE ON SCHEMA api, api_private TO reader;
CREATE FUNCTION api_private.pre_request() RETURNS void LANGUAGE sql AS 'SELECT NULL';
CREATE FUNCTION api.first() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


@pytest.fixture(scope="module")
def served(plain: Plain, host: Host, api_image: str) -> Plain:
    plain.up()
    verifier = plain.secrets.scram_verifier(AUTHENTICATOR)
    plain.sql(*SCHEMA.replace("{verifier}", verifier).strip().split(";\n"))
    container = api(plain.names, api_image, plain.server, plain.secrets, 0)
    host.start(container)
    host.healthy(container.name, PATIENCE)
    return plain


def get(plain: Plain, path: str, token: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(
        "127.0.0.1", plain.host.port(plain.names.container("api"), PORT), timeout=30
    )
    try:
        token = token or jwt.encode({"role": "reader"}, plain.secrets.jwt(), "HS256")
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_serves_with_tokens_of_the_stack_alone(served: Plain) -> None:
    assert get(served, "/rpc/first") == (200, b"1")
    assert get(served, "/rpc/first", jwt.encode({"role": "reader"}, "x" * 64, "HS256"))[0] == 401


def test_a_new_function_is_served_once_it_is_told(served: Plain) -> None:
    served.sql("CREATE FUNCTION api.second() RETURNS int LANGUAGE sql AS 'SELECT 2'")
    assert get(served, "/rpc/second")[0] == 404
    served.sql("NOTIFY pgrst, 'reload schema'")
    deadline = time.monotonic() + PATIENCE
    while (answer := get(served, "/rpc/second")) != (200, b"2"):
        assert answer[0] == 404
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_no_secret_is_seen_from_outside_or_by_its_own_user_of_another_name(served: Plain) -> None:
    container = served.host.client.containers.get(served.names.container("api"))
    secrets = {served.secrets.jwt(), served.secrets.password(AUTHENTICATOR), served.secrets.root}
    seen = json.dumps(container.attrs) + container.logs().decode() + json.dumps(container.top(ps_args="auxeww"))
    seen += served.inside("bash", "-c", "cat /etc/flows/* /run/flows/* 2>&1", part="api", user="daemon").text
    assert "postgrest" in seen
    assert "Permission denied" in seen
    assert not [secret for secret in secrets if secret in seen]


def test_it_is_red_without_its_database_and_comes_back_by_itself(served: Plain) -> None:
    name = served.names.container("api")
    served.host.stop(served.name)
    deadline = time.monotonic() + PATIENCE
    while served.host.health(name)[0] != "unhealthy":
        get(served, "/rpc/first")  # PostgREST notices when it needs a connection
        assert time.monotonic() < deadline
        time.sleep(0.5)
    served.host.restart(served.name)
    served.host.healthy(name, PATIENCE)
    assert get(served, "/rpc/first") == (200, b"1")
