"""One plain stack per module, on the Docker host that is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError

from . import plain
from .plain import IMAGE, Plain


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """The Docker host; without one, or without the image, the tests are skipped."""
    found = Host()
    try:
        if not found.has_image(IMAGE):
            pytest.skip(f"image {IMAGE} is not on this host: make image")
    except FlowsError as error:
        pytest.skip(error.message)
    yield found
    found.close()


@pytest.fixture(scope="module")
def origin(host: Host, request: pytest.FixtureRequest) -> Iterator[Plain]:
    """A stack with a full backup, of a project of its own for this module."""
    project = "rs-" + request.module.__name__.rpartition("test_")[2].replace("_", "-")
    with plain.running(host, project, "one") as made:
        yield made


@pytest.fixture
def only_community(origin: Plain) -> None:
    """Skips where the image is the Apache edition."""
    if not origin.has_community():
        pytest.skip("needs a Community image: FLOWS_TEST_IMAGE")
