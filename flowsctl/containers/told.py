"""Docker's errors as sentences with a way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flowsctl.errors import FlowsError

NO_DAEMON = "install Docker and start it (systemctl start docker), or set DOCKER_HOST to one you may use"


@contextmanager
def told(what: str) -> Iterator[None]:
    """What the daemon refuses inside, as FlowsError about `what`."""
    import docker.errors
    import requests.exceptions

    try:
        yield
    except docker.errors.APIError as error:
        reason = str(error.explanation or error).strip()
        raise FlowsError(f"{what}: {reason}", way_out(reason)) from None
    except docker.errors.DockerException as error:
        raise FlowsError(f"{what}: {error}", NO_DAEMON) from None
    except requests.exceptions.RequestException as error:
        raise FlowsError(f"{what}: the Docker daemon does not answer: {error}", NO_DAEMON) from None


def way_out(reason: str) -> str:
    """What to do about a sentence of the daemon."""
    hints = {
        ("port is already allocated", "address already in use"): (
            "another process has the port: stop it, or set flows:databasePort or flows:apiPort to a free one"
        ),
        ("already in use by container",): "remove that container, or take another name for the stack",
        ("no space left",): "the host's disk is full",
        ("no such image", "manifest", "pull access denied", "registry", "lookup", "dial tcp"): (
            "make image builds the images without a registry"
        ),
    }
    for parts, hint in hints.items():
        if any(part in reason.lower() for part in parts):
            return hint
    return "that is the Docker daemon's sentence; its log may say more"
