"""Commands in containers and what the daemon refuses, through the Docker SDK."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL
from components.containers.spec import Container, Port
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError

from .plain import Plain


@pytest.fixture
def sleeping(fresh: Plain) -> Container:
    labels = fresh.names.labels("database")
    described = Container(fresh.name, fresh.image, ("sleep", "600"), fresh.names.network, labels=labels, stop_seconds=1)
    fresh.host.provide(fresh.names, described)
    fresh.host.start(described)
    return described


def test_input_both_outputs_and_the_exit_code_come_through_whole(fresh: Plain, sleeping: Container) -> None:
    content = bytes(range(256)) * 20_000  # 5 MB: more than any buffer on the way
    done = fresh.inside("sh", "-c", "cat; echo complaint >&2; exit 7", input=content)
    assert (done.code, done.out, done.complaint) == (7, content, "complaint")
    assert fresh.inside("true", input=content).code == 0
    assert all(fresh.inside("echo", str(number)).text == str(number) for number in range(20))
    assert fresh.inside("sh", "-c", "echo $WORD; id -un", environment={"WORD": "word"}).text == "word\npostgres"
    pieces: list[bytes] = []
    assert fresh.inside("head", "-c", "1000000", "/dev/zero", follow=pieces.append).out == b""
    assert sum(map(len, pieces)) == 1_000_000


def test_a_command_that_takes_too_long_is_ended(fresh: Plain, sleeping: Container) -> None:
    with pytest.raises(FlowsError, match=r"sleep in .* did not end in 1 s"):
        fresh.inside("sleep", "555", timeout=1)
    deadline = time.monotonic() + 15
    while "555" in str(fresh.host.client.containers.get(fresh.name).top()):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_is_refused_is_explained_and_leaves_nothing(fresh: Plain, sleeping: Container) -> None:
    with pytest.raises(FlowsError) as taken:
        fresh.host.start(sleeping)
    assert "already in use" in taken.value.message
    first = replace(sleeping, name=fresh.names.container("first"), port=Port(5432, 0))
    fresh.host.start(first)
    port = fresh.host.port(first.name, 5432)
    second = replace(sleeping, name=fresh.names.container("second"), port=Port(5432, port))
    with pytest.raises(FlowsError) as refused:
        fresh.host.start(second)
    assert "flows:databasePort" in refused.value.hint
    assert fresh.host.health(second.name) == ("missing", "")
    with pytest.raises(FlowsError, match="there is no container"):
        fresh.host.execute(second.name, ("true",))


def test_what_carries_the_labels_is_removed_and_nothing_else(fresh: Plain, sleeping: Container) -> None:
    labels = {PROJECT_LABEL: fresh.names.project, STACK_LABEL: fresh.names.stack}
    fresh.host.volume(fresh.names.volume("data"), fresh.names.labels("data"))
    other = {PROJECT_LABEL: fresh.names.project, STACK_LABEL: f"{fresh.names.stack}-other"}
    fresh.host.volume(f"{fresh.names.prefix}-other", other)
    try:
        assert {kind for kind, _ in fresh.host.remove(labels)} == {"container", "volume", "network"}
        assert fresh.host.found(labels) == []
        assert [kind for kind, _ in fresh.host.found(other)] == ["volume"]
    finally:
        fresh.host.remove(other)
    with pytest.raises(ValueError, match="label"):
        fresh.host.remove({})


def test_without_a_daemon_the_way_out_is_named() -> None:
    with pytest.raises(FlowsError) as refused:
        Host("unix:///nowhere/docker.sock").client  # noqa: B018
    assert refused.value.message == "no Docker daemon answers at unix:///nowhere/docker.sock: No such file or directory"
    assert "DOCKER_HOST" in refused.value.hint
