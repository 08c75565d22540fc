"""TimescaleDB is upgraded: a new image brings the new library, and the extension follows before anything else."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from flowsctl.containers.host import Host

from ..stack import two_escos
from .stacks import DockerStack, docker_stack, missing_plugins

OLD = os.environ.get("FLOWS_TEST_IMAGE_OLD", "flows-test/timescaledb:community-old"), "2.28.3"
NEW = os.environ.get("FLOWS_TEST_IMAGE_NEW", "flows-test/timescaledb:community"), "2.29.2"
"""(image, version of TimescaleDB); each has the library of its own version only."""
DATA = """
SELECT (SELECT count(*) FROM flows.register_interval_hh), (SELECT count(*) FROM flows.circuit_interval_hh),
       (SELECT count(*) FROM timescaledb_information.chunks),
       (SELECT sum(hashtext(m::text)) FROM flows.meter_registry m)
"""


def why_not() -> str:
    host = Host()
    try:
        absent = [image for image, _ in (OLD, NEW) if not host.has_image(image)]
    except Exception as error:  # no daemon: conftest.py says so
        return str(error)
    finally:
        host.close()
    return missing_plugins() or (f"{', '.join(absent)}: no such image here" if absent else "")


pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker upgrade"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@pytest.fixture(scope="module")
def stack(host: Host, api_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    config = {"engine": "docker", "disposable": "false", "image": OLD[0], "timescaledbVersion": OLD[1]}
    config |= {"apiImage": api_image, "backupEnabled": "false"}
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        found.ctl("up")
        with found.connect() as connection:
            two_escos.load(connection)
        yield found


def test_restart_and_update_are_shown_before_and_keep_the_data(stack: DockerStack) -> None:
    before = stack.rows(DATA)
    assert stack.rows("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'") == [(OLD[1],)]
    new = ["--config", f"image={NEW[0]}", "--config", f"timescaledbVersion={NEW[1]}"]
    planned = stack.ctl("plan", *new, check=False).stdout
    assert f'ALTER EXTENSION "timescaledb" UPDATE TO "{NEW[1]}"' in planned
    shown = {each["name"]: "\n".join(each["sql"]) for each in stack.json("preview", *new)["changes"]}
    assert "-- restart: the database restarts" in shown["database-server"]
    assert f'ALTER EXTENSION "timescaledb" UPDATE TO "{NEW[1]}"' in shown["timescaledb"]
    assert f"from {OLD[1]} to {NEW[1]} and has no downgrade" in shown["timescaledb"]
    assert "the REST API must connect again" in shown["timescaledb"]
    stack.ctl("up", *new)
    assert stack.rows("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'") == [(NEW[1],)]
    assert stack.rows(DATA) == before
    assert stack.counts("preview", *new) == {}
    assert stack.counts("refresh", *new) == {}
    assert stack.ctl("plan", *new).stdout == "no change\n"


def test_a_wrong_image_is_refused_and_the_right_one_mends_it(stack: DockerStack) -> None:
    """Its files have an older version only, which no preview can know."""
    before, right = stack.rows(DATA), ["--config", f"image={NEW[0]}", "--config", f"timescaledbVersion={NEW[1]}"]
    wrong = ["--config", f"image={OLD[0]}", "--config", f"timescaledbVersion={NEW[1]}"]
    done = stack.ctl("up", *wrong, check=False)
    assert done.returncode == 1
    assert f"Extension timescaledb is declared with version {NEW[1]}" in done.stderr
    assert f"has TimescaleDB {NEW[1]}, and the server's files have no library of that version, but of {OLD[1]}" in (
        done.stderr
    )
    assert f"Use files (an image) that have {NEW[1]}" in done.stderr
    stack.ctl("up", *right)
    assert stack.rows(DATA) == before
    assert stack.counts("preview", *right) == {}


def test_an_older_version_is_refused_before_anything_restarts(stack: DockerStack) -> None:
    runs = stack.host.client.containers.get(stack.names.container("database")).id
    older = ["--config", f"image={OLD[0]}", "--config", f"timescaledbVersion={OLD[1]}"]
    for verb in ("preview", "up"):
        done = stack.ctl(verb, *older, check=False)
        assert done.returncode == 3, done.stderr
        assert f"no update leads from version {NEW[1]}, which is installed, to {OLD[1]}" in done.stderr
    assert stack.host.client.containers.get(stack.names.container("database")).id == runs
