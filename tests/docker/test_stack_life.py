"""The life of a stack on the docker engine, in order: preview, up, no change, use, upkeep, refusals, the end.

It is not disposable until its last test, so that every way to lose its data is met by a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from flowsctl.containers.host import Host

from ..stack import two_escos
from .stacks import DockerStack, docker_stack, edition_of, missing_plugins

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker stack"),
    pytest.mark.skipif(bool(missing_plugins()), reason=missing_plugins()),
]
NO_STATEMENTS = {f"timescaledb:index:{kind}" for kind in ("Grant", "Manifest", "Seal")}
"""Some grants say that a role has no rights."""
ROWS = "SELECT count(*), sum(hashtext(m::text)) FROM flows.meter_registry m"
VOLUME, DATABASE = "docker:index/volume:Volume", "postgresql:index/database:Database"


@pytest.fixture(scope="module")
def stack(host: Host, image: str, api_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    config = {"engine": "docker", "edition": edition_of(host, image), "image": image, "apiImage": api_image}
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        yield found


def test_the_first_preview_prints_all_sql(stack: DockerStack) -> None:
    """Nothing runs and nothing is made: every input of the provider is known, the edition is taken from the config."""
    report = stack.json("preview")
    objects = [each for each in report["changes"] if each["type"].startswith("timescaledb:index:")]
    assert len(objects) > 200
    assert {each["type"] for each in objects if not each["sql"]} <= NO_STATEMENTS
    assert stack.things() == []
    assert stack.ctl("plan", "--sql", check=False).stdout.count("CREATE TABLE") == sum(
        each["type"].endswith(":Table") for each in objects
    )


def test_up_makes_everything_and_says_when_it_was_ready(stack: DockerStack) -> None:
    said = stack.ctl("up").stdout
    assert "API ready after" in said
    things = stack.things()
    assert {name for kind, name in things if kind == "container"} >= {
        stack.names.container("database"),
        stack.names.container("api"),
    }
    assert {name for kind, name in things if kind == "volume"} == {
        stack.names.volume(part) for part in ("backup", "data", "run")
    }
    with stack.connect() as connection:
        two_escos.load(connection)


@pytest.mark.parametrize("verb", ["preview", "refresh", "up --refresh", "plan", "drift"])
def test_a_second_run_changes_nothing(stack: DockerStack, verb: str) -> None:
    if verb == "plan":
        assert stack.ctl("plan").stdout.splitlines()[-1] == "no change"
    elif verb == "drift":
        assert stack.ctl("drift").stdout.startswith("no drift, ")
    else:
        assert stack.counts(*verb.split()) == {}


def test_the_api_answers_a_token(stack: DockerStack) -> None:
    bearer = {"Authorization": f"Bearer {stack.ctl('token', '--esco', 'ALPHA').stdout.strip()}"}
    answer = httpx.get(f"{stack.api}/meter_registry", headers=bearer)
    assert answer.status_code == 200
    shown = json.dumps(answer.json())
    assert answer.json()
    assert two_escos.BRAVO.code not in shown
    assert httpx.get(f"{stack.api}/meter_registry").status_code == 401


def test_ports_are_open_to_this_machine_only(stack: DockerStack) -> None:
    for part in ("database", "api"):
        inspected = stack.host.client.containers.get(stack.names.container(part)).attrs
        bound = [each for ports in inspected["NetworkSettings"]["Ports"].values() for each in ports or []]
        assert {each["HostIp"] for each in bound} == {"127.0.0.1"}


def test_roles_log_in_with_their_passwords_by_scram(stack: DockerStack) -> None:
    passwords = stack.outputs()["secrets"]["passwords"]
    assert set(passwords) == {"authenticator", "flows", "grafanareader", "tsdbadmin"}
    for role in passwords:
        assert stack.rows("SELECT current_user", user=role) == [(role,)]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(stack.dsn(role).replace(passwords[role], "wrong"))
    kept = stack.rows("SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword LIKE 'SCRAM-SHA-256$%%'")
    assert {name for (name,) in kept} >= set(passwords)


def test_roles_have_their_settings(stack: DockerStack) -> None:
    assert stack.rows("SHOW default_transaction_read_only", user="grafanareader") == [("on",)]
    assert stack.rows("SHOW statement_timeout", user="grafanareader") == [("30s",)]
    # PostgREST applies these to the role of a token; it reads nothing else.
    assert stack.rows("SELECT rolconfig FROM pg_roles WHERE rolname = 'public_backend'") == [
        (["statement_timeout=10000"],)
    ]
    comments = stack.rows("SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = 'api_owner'")
    assert comments == [("Owns the API's views and no table; nobody logs in as it.",)]


def test_no_secret_is_seen(stack: DockerStack) -> None:
    """Not by docker inspect, not in the logs, and in no file, the state among them."""
    told = stack.outputs()["secrets"]
    secrets = {told["jwt"], *told["passwords"].values()}
    for kind, name in stack.things():
        if kind == "container":
            container = stack.host.client.containers.get(name)
            seen = json.dumps(container.attrs) + container.logs().decode(errors="replace")
            assert not [secret for secret in secrets if secret in seen], name
    files = [path for path in (stack.root / ".flows").rglob("*") if path.is_file()]
    assert any("engdev" not in path.name and path.suffix == ".json" for path in files)
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [secret for secret in secrets if secret in text], path


BY_HAND = {
    "ALTER ROLE grafanareader CONNECTION LIMIT 1": ("grafanareader", "connectionLimit"),
    "ALTER ROLE grafanareader SET search_path TO pg_temp": ("grafanareader", "settings"),
    "ALTER ROLE public_backend SET statement_timeout TO 0": ("public_backend", "settings"),
    "GRANT flows TO grafanareader": ("grafanareader", "memberOf"),
    "REVOKE public_backend FROM authenticator": ("authenticator", "memberOf"),
    "ALTER ROLE flows NOLOGIN": ("flows", "login"),
    "ALTER ROLE flows_api_writer RENAME TO somebody": ("flows_api_writer", ""),
}


@pytest.mark.parametrize("change", BY_HAND)
def test_a_role_that_was_changed_by_hand_is_seen(stack: DockerStack, change: str) -> None:
    with stack.connect() as connection:
        connection.execute(change.encode())
    done = stack.ctl("drift", "--json", check=False)
    assert done.returncode == 2, done.stderr
    role, field = BY_HAND[change]
    fields = {each["id"]: each["fields"] for each in json.loads(done.stdout)["drift"] if each["kind"] == "Role"}
    assert field in fields[role] or not field


def test_a_password_that_was_changed_by_hand_is_seen_by_refresh(stack: DockerStack) -> None:
    with stack.connect() as connection:
        connection.execute(b"ALTER ROLE somebody RENAME TO flows_api_writer")
        connection.execute(b"ALTER ROLE grafanareader PASSWORD 'guessed'")
    assert "grafanareader" in {each["name"] for each in stack.json("refresh")["changes"] if each["op"] == "update"}


def test_up_puts_roles_right(stack: DockerStack) -> None:
    """All of what the last tests did, in one run, which looks first by itself."""
    with stack.connect() as connection:
        connection.execute(b"ALTER ROLE grafanareader CONNECTION LIMIT 2")
    assert "changed outside of Pulumi (Role " in stack.ctl("up").stderr
    assert stack.ctl("drift").stdout.startswith("no drift, ")
    assert stack.counts("preview") == {}
    assert stack.rows("SELECT current_user", user="flows") == [("flows",)]
    assert stack.rows("SELECT current_user", user="grafanareader") == [("grafanareader",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stack.rows("SET ROLE flows", user="grafanareader")
    assert httpx.get(f"{stack.api}/meter_registry", headers=_bearer(stack)).status_code == 200


def test_a_container_that_was_stopped_comes_back(stack: DockerStack) -> None:
    stack.host.stop(stack.names.container("database"))
    assert "started container" in stack.ctl("up").stderr
    assert stack.rows("SELECT 1") == [(1,)]


def test_a_changed_image_restarts_the_database_and_keeps_its_data(stack: DockerStack, image: str) -> None:
    """A minor release of PostgreSQL comes like this: another image, the same volume."""
    before, other = stack.rows(ROWS), f"flows-test/{stack.name}:other"
    stack.host.client.images.get(image).tag(other)
    try:
        report = stack.json("preview", "--config", f"image={other}")
        database = next(each for each in report["changes"] if each["name"] == "database-server")
        assert database["op"] == "replace"
        assert database["sql"] == [
            line for line in database["sql"] if line.startswith("-- restart: the database restarts")
        ]
        assert database["sql"]
        stack.ctl("up", "--config", f"image={other}")
        running = stack.host.client.containers.get(stack.names.container("database"))
        assert running.attrs["Config"]["Image"] == other
        assert stack.rows(ROWS) == before
        assert stack.counts("preview", "--config", f"image={other}") == {}
        stack.ctl("up")
    finally:
        stack.host.client.images.remove(other, noprune=True)
    assert stack.rows(ROWS) == before


def _destroy(stack: DockerStack) -> str:
    return _refused(stack, "destroy", "--yes", code=3)


def _destroy_as_disposable(stack: DockerStack) -> str:
    """What a command line says cannot loosen what the last update left in the state."""
    return _refused(stack, "destroy", "--yes", "--config", "disposable=true", code=3)


def _another_name(stack: DockerStack) -> str:
    return _refused(stack, "up", "--config", "databaseName=other", code=3)


def _another_engine(stack: DockerStack) -> str:
    return _refused(stack, "up", "--config", "engine=embedded", code=3)


def _no_backups(stack: DockerStack) -> str:
    return _refused(stack, "up", "--config", "backupEnabled=false", code=1)


def _other_volumes(stack: DockerStack) -> str:
    """A program that calls its volumes by other names."""
    names = stack.root / "components" / "containers" / "names.py"
    text = names.read_text()
    before, name, after = text.partition("    def volume(")
    assert name
    names.write_text(before + name + after.replace("{part}", "{part}-other", 1))
    try:
        return _refused(stack, "up", code=1)
    finally:
        names.write_text(text)


def _target_volume(stack: DockerStack) -> str:
    return _pulumi(stack, "destroy", "--yes", "--skip-preview", "--target", stack.urn(VOLUME, "volume-data"))


def _target_volume_and_more(stack: DockerStack) -> str:
    urn = stack.urn(VOLUME, "volume-data")
    return _pulumi(stack, "destroy", "--yes", "--skip-preview", "--target", urn, "--target-dependents")


def _target_database(stack: DockerStack) -> str:
    urn = stack.urn(DATABASE, "database")
    return _pulumi(stack, "destroy", "--yes", "--skip-preview", "--target", urn, "--target-dependents")


def _all_but_protected(stack: DockerStack) -> str:
    return _pulumi(stack, "destroy", "--yes", "--skip-preview", "--exclude-protected")


def _out_of_the_state(stack: DockerStack) -> str:
    return _pulumi(stack, "state", "delete", "--yes", stack.urn(VOLUME, "volume-data"))


def _unprotected(stack: DockerStack) -> str:
    """Without its protection the Seal still says no."""
    assert stack.pulumi("state", "unprotect", "--all", "--yes").returncode == 0
    try:
        return _pulumi(stack, "destroy", "--yes", "--skip-preview")
    finally:
        stack.ctl("up")  # which protects them again


WAYS: dict[Callable[[DockerStack], str], str] = {
    _destroy: "relations hold data",
    _destroy_as_disposable: "relations hold data",
    _another_name: "marked for protection",
    _no_backups: "protect",
    _other_volumes: "marked for protection",
    _target_volume: "will be destroyed but was not specified in --target list",
    _target_volume_and_more: "relations hold data",
    _target_database: "relations hold data",
    _all_but_protected: "relations hold data",
    _out_of_the_state: "protected",
    _unprotected: "relations hold data",
    # Last, because its provider's settings are what a refused run leaves in the state.
    _another_engine: "leads to a database without the ledger",
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_data_is_not_lost(stack: DockerStack, way: Callable[[DockerStack], str]) -> None:
    before, volumes = stack.rows(ROWS), [each for each in stack.things() if each[0] == "volume"]
    dsn, containers = stack.dsn(), _containers(stack)
    said = way(stack)
    assert WAYS[way] in said, said
    assert [each for each in stack.things() if each[0] == "volume"] == volumes
    assert _containers(stack) == containers, "it was refused after the database or the API had been stopped for it"
    with psycopg.connect(dsn) as connection:
        assert connection.execute(ROWS.encode()).fetchall() == before


def test_a_disposable_stack_leaves_nothing(stack: DockerStack) -> None:
    config = (stack.root / f"Pulumi.{stack.name}.yaml").read_text()
    (stack.root / f"Pulumi.{stack.name}.yaml").write_text(config + '  flows:disposable: "true"\n')
    stack.ctl("up")
    stack.ctl("destroy", "--yes", "--purge")
    assert stack.things() == []
    assert not (stack.root / ".flows").exists()


def _refused(stack: DockerStack, *arguments: str, code: int) -> str:
    done = stack.ctl(*arguments, check=False)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stderr


def _containers(stack: DockerStack) -> dict[str, str]:
    """The containers' own numbers, which another one of the same name has not."""
    names = [name for kind, name in stack.things() if kind == "container"]
    return {name: str(stack.host.client.containers.get(name).id) for name in names}


def _pulumi(stack: DockerStack, *arguments: str) -> str:
    done = stack.pulumi(*arguments)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def _bearer(stack: DockerStack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.ctl('token', '--esco', 'ALPHA').stdout.strip()}"}
