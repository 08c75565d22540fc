"""Tests in containers: the images under test, names that no other run has, and nothing left behind."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from components.containers import images
from components.containers.names import PROJECT_LABEL, STACK_LABEL, Names
from flowsctl.containers.building import build
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError

from . import tls_server
from .plain import PROJECT, Plain

IMAGE_VARIABLE = "FLOWS_TEST_IMAGE"
"""Database image to test instead of the one that is built from images/."""
SKIP = "skip: "
"""Begins the variable's value where there is no image: the reason follows."""


def why_not() -> str:
    """Why no container can be started here; "" where one can."""
    if (image := os.environ.get(IMAGE_VARIABLE, "")).startswith(SKIP):
        return image.removeprefix(SKIP)
    host = Host()
    try:
        return "" if host.client else "?"
    except FlowsError as error:
        return error.message
    finally:
        host.close()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if item.path.is_relative_to(os.path.dirname(__file__))]
    reason = why_not() if here else ""
    for item in here:
        item.add_marker(pytest.mark.docker)
        if not item.get_closest_marker("xdist_group"):
            # A file's tests share a stack: two workers would bring the same one up.
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """The daemon."""
    found = Host()
    yield found
    found.close()


@pytest.fixture(scope="session")
def image(host: Host) -> str:
    """The database image under test; built where no other is named."""
    return os.environ.get(IMAGE_VARIABLE) or build(host, "timescaledb", print).tag


@pytest.fixture(scope="session")
def api_image(host: Host) -> str:
    """The image of the REST API."""
    return build(host, "postgrest", print).tag


@pytest.fixture(scope="module")
def server(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tls_server.TlsServer]:
    """An external server, for a module alone."""
    with tls_server.running(tmp_path_factory.mktemp("tls"), tls_server.gateway(host)) as found:
        yield found


@pytest.fixture(scope="session")
def base(host: Host, image: str) -> str:
    """An image with bash and without PostgreSQL."""
    from flowsctl.containers.base import find_base

    return find_base(host, images.BASE, print)


@pytest.fixture(scope="module")
def plain(host: Host, image: str) -> Iterator[Plain]:
    """An empty place for the containers of one stack; a module's tests share it."""
    names = Names(PROJECT, uuid.uuid4().hex[:10])
    try:
        yield Plain(host, names, image)
    finally:
        host.remove({PROJECT_LABEL: names.project, STACK_LABEL: names.stack})


@pytest.fixture
def fresh(host: Host, image: str) -> Iterator[Plain]:
    """The same for one test alone."""
    names = Names(PROJECT, uuid.uuid4().hex[:10])
    try:
        yield Plain(host, names, image)
    finally:
        host.remove({PROJECT_LABEL: names.project, STACK_LABEL: names.stack})
