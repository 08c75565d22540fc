"""A stack whose disk died goes on with a restored copy: `up` finds roles, database and objects in it, as they were. In
order."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from flowsctl.containers.host import Host

from ..stack import two_escos
from .stacks import DockerStack, docker_stack, edition_of, missing_plugins

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker rescued"),
    pytest.mark.skipif(bool(missing_plugins()), reason=missing_plugins()),
]
ROWS = """
SELECT (SELECT count(*) FROM flows.register_interval_hh), (SELECT count(*) FROM flows.meter_registry),
       (SELECT sum(hashtext(m::text)) FROM flows.meter_registry m)
"""
PATIENCE = 300.0
ANOTHER_RUNS = 3
"""Exit code of `backup run` while the scheduler takes one."""


@pytest.fixture(scope="module")
def stack(host: Host, image: str, api_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    config = {"engine": "docker", "edition": edition_of(host, image), "image": image, "apiImage": api_image}
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        yield found


def back_up(stack: DockerStack) -> None:
    """A backup, whoever takes it, and then every commit until now in the archive."""
    deadline = time.monotonic() + PATIENCE
    while (done := stack.ctl("backup", "run", check=False)).returncode == ANOTHER_RUNS:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert done.returncode == 0, done.stderr


def lose_the_disk(stack: DockerStack) -> None:
    """Every container, and the volumes but for the repository."""
    for kind, name in stack.things():
        if kind == "container":
            stack.host.client.containers.get(name).remove(force=True)
    for part in ("data", "run"):
        stack.host.client.volumes.get(stack.names.volume(part)).remove()


def test_up_goes_on_with_a_restored_copy(stack: DockerStack) -> None:
    stack.ctl("up")
    with stack.connect() as connection:
        two_escos.load(connection)
    back_up(stack)
    stack.rows("UPDATE flows.meter_registry SET name = name || ' (after the backup)' RETURNING name")
    before = stack.rows(ROWS)
    identity = stack.rows("SELECT system_identifier FROM pg_control_system()")
    stack.ctl("backup", "check")  # closes the segment and waits until the repository has it
    lose_the_disk(stack)

    stack.ctl("restore", "--to", "latest", "--into", f"{stack.name}-rescued")
    stack.ctl("restore", "switch", f"{stack.name}-rescued", "--yes")
    stack.ctl("up")
    assert stack.rows(ROWS) == before
    assert stack.rows("SELECT system_identifier FROM pg_control_system()") == identity
    assert stack.rows("SHOW archive_mode") == [("on",)]
    for role in stack.outputs()["secrets"]["passwords"]:
        assert stack.rows("SELECT current_user", user=role) == [(role,)]
    bearer = {"Authorization": f"Bearer {stack.ctl('token', '--esco', 'ALPHA').stdout.strip()}"}
    answer = httpx.get(f"{stack.api}/meter_registry", headers=bearer)
    assert answer.status_code == 200
    assert "(after the backup)" in answer.text


@pytest.mark.parametrize("verb", ["preview", "refresh", "plan"])
def test_nothing_is_left_to_do(stack: DockerStack, verb: str) -> None:
    if verb == "plan":
        assert stack.ctl("plan").stdout.endswith("no change\n")  # after what the edition lacks
    else:
        assert stack.counts(verb) == {}


def test_it_is_backed_up_again(stack: DockerStack) -> None:
    back_up(stack)
    stack.ctl("backup", "check")


def test_the_copy_is_gone(stack: DockerStack) -> None:
    assert f"{stack.name}-rescued" not in stack.ctl("restore", "list").stdout
    assert {name for kind, name in stack.things() if kind == "volume"} == {
        stack.names.volume(part) for part in ("backup", "data", "run")
    }
