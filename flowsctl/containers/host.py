"""A Docker host: starts containers from their descriptions, runs commands in them, removes what carries a label."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from components.containers.names import Names
from components.containers.spec import Container
from flowsctl.errors import FlowsError

from .archive import packed
from .arguments import arguments
from .running import Done, run_in
from .told import NO_DAEMON, told

if TYPE_CHECKING:
    import docker
    from docker.models.containers import Container as Running

REFUSED = 64
"""Exit code of an entry script that cannot work with what it was given (components/containers/scripts)."""


class Host:
    """The daemon that the docker command uses too (DOCKER_HOST and its companions). Opened on first use."""

    def __init__(self, url: str = "") -> None:
        self._url = url
        self._client: docker.DockerClient | None = None

    @property
    def client(self) -> docker.DockerClient:
        """The SDK's client. Raises FlowsError where no daemon answers."""
        if self._client is None:
            self._client = _connected(self._url)
        return self._client

    def close(self) -> None:
        """Closes the connection to the daemon."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def network(self, name: str, labels: Mapping[str, str]) -> None:
        """Makes the network where it is not there."""
        if not self.client.networks.list(names=[f"^{name}$"]):
            with told(f"network {name}"):
                self.client.networks.create(name, driver="bridge", labels=dict(labels), check_duplicate=True)

    def volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Makes the volume where it is not there."""
        with told(f"volume {name}"):
            self.client.volumes.create(name, labels=dict(labels))

    def has_volume(self, name: str) -> bool:
        """Whether the volume is on the host."""
        import docker.errors

        try:
            self.client.volumes.get(name)
        except docker.errors.NotFound:
            return False
        return True

    def has_image(self, image: str) -> bool:
        """Whether the image is on the host."""
        import docker.errors

        try:
            self.client.images.get(image)
        except docker.errors.ImageNotFound:
            return False
        return True

    def provide(self, names: Names, container: Container) -> None:
        """Makes the network and the volumes of `names` that the container needs; volumes of others must be there."""
        self.network(names.network, names.labels("network"))
        for mount in container.mounts:
            part = mount.volume.removeprefix(f"{names.prefix}-")
            if mount.volume == names.volume(part):
                self.volume(mount.volume, names.labels(part))

    def start(self, container: Container) -> None:
        """Starts a container; network and volumes must be there. Nothing of it is left where it cannot start.

        Raises:
            FlowsError: the name or port is taken, the image is neither on the host nor in its registry, ...
        """
        if not self.has_image(container.image):
            with told(f"image {container.image}"):
                self.client.images.pull(container.image)
        with told(f"container {container.name}"):
            made = self._create(container)
            try:
                if container.files:
                    made.put_archive("/", packed(container.files))
                made.start()
            except BaseException:
                made.remove(force=True)
                raise

    def run(self, container: Container, timeout: float) -> Done:
        """Runs a container to its end and removes it: exit code and what it wrote. It is not restarted."""
        once = replace(container, restart="no", health=None)
        self.start(once)
        running = self._get(once.name)
        try:
            code = _waited(running, timeout)
            return Done(code, running.logs(stdout=True, stderr=False), running.logs(stdout=False, stderr=True))
        finally:
            running.remove(force=True)

    def execute(
        self,
        name: str,
        command: Sequence[str],
        *,
        input: bytes | None = None,
        user: str = "postgres",
        environment: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        follow: Callable[[bytes], None] | None = None,
    ) -> Done:
        """Runs a command in a running container. `input` and `environment` do not appear in its command line.

        Args:
            timeout: seconds; then the command is ended and FlowsError is raised.
            follow: gets what is written to standard output as it comes; `Done.out` is empty then.
        """
        return run_in(self._get(name), command, input, user, dict(environment or {}), timeout, follow)

    def health(self, name: str) -> tuple[str, str]:
        """healthy, unhealthy, starting, restarting, exited, missing, or running where nothing is checked; and what
        the check said last."""
        import docker.errors

        try:
            state = self.client.containers.get(name).attrs["State"]
        except docker.errors.NotFound:
            return "missing", ""
        if state["Status"] != "running":
            return str(state["Status"]), f"exit code {state['ExitCode']}"
        checked = state.get("Health")
        if not checked:
            return "running", ""
        log = checked.get("Log") or []
        return checked["Status"], log[-1]["Output"].strip() if log else ""

    def healthy(self, name: str, seconds: float) -> float:
        """Waits until a container is healthy; returns the seconds it took.

        Raises:
            FlowsError: it was not in time, or it ended; with what it said last.
        """
        began = time.monotonic()
        while True:
            state, said = self.health(name)
            if state in ("healthy", "running"):
                return time.monotonic() - began
            # One that is restarted may come up yet, unless its script has said that this image will not do.
            ended = state in ("exited", "missing") or said == f"exit code {REFUSED}"
            if ended or time.monotonic() - began > seconds:
                raise FlowsError(
                    f"container {name} is not healthy after {time.monotonic() - began:.0f} s: {said or state}",
                    f"its last lines:\n{self.logs(name, 15)}" if state != "missing" else "start it again",
                )
            time.sleep(0.2)

    def image_of(self, name: str) -> str:
        """The image that a container was made of, as it was named then; "" where there is no such container."""
        import docker.errors

        try:
            return str(self.client.containers.get(name).attrs["Config"]["Image"])
        except docker.errors.NotFound:
            return ""

    def logs(self, name: str, lines: int = 100) -> str:
        """The last lines a container wrote."""
        import docker.errors

        try:
            return str(self.client.containers.get(name).logs(tail=lines).decode(errors="replace")).strip()
        except docker.errors.NotFound:
            return ""

    def port(self, name: str, inside: int) -> int:
        """The port of the host that leads to a container's port; 0 where none does."""
        bound = self._get(name).ports.get(f"{inside}/tcp")
        return int(bound[0]["HostPort"]) if bound else 0

    def stop(self, name: str, seconds: int = 60) -> None:
        """Stops a container in order; it stays there."""
        with told(f"container {name}"):
            self._get(name).stop(timeout=seconds)

    def restart(self, name: str, seconds: int = 60) -> None:
        """Stops a container in order and starts it again, or starts it where it was stopped."""
        with told(f"container {name}"):
            self._get(name).restart(timeout=seconds)

    def found(self, labels: Mapping[str, str]) -> list[tuple[str, str]]:
        """(container | volume | network, name) of everything that carries all these labels."""
        wanted: dict[str, Any] = {"label": [f"{key}={value}" for key, value in labels.items()]}
        return [
            *(("container", str(each.name)) for each in self.client.containers.list(all=True, filters=wanted)),
            *(("volume", str(each.name)) for each in self.client.volumes.list(filters=wanted)),
            *(("network", str(each.name)) for each in self.client.networks.list(filters=wanted)),
        ]

    def remove(self, labels: Mapping[str, str]) -> list[tuple[str, str]]:
        """Removes everything that carries all these labels, volumes and their data too; returns what it was."""
        if not labels:
            raise ValueError("without a label that would be everything on the host")
        found = self.found(labels)
        for kind, name in found:
            self.remove_one(kind, name)
        return found

    def remove_one(self, kind: str, name: str) -> None:
        """Removes a container, a volume with its data, or a network; what is gone already is no fault."""
        with told(f"{kind} {name}"):
            self._remove(kind, name)

    def _remove(self, kind: str, name: str) -> None:
        import docker.errors

        try:
            if kind == "container":
                self.client.containers.get(name).remove(force=True, v=True)
            elif kind == "volume":
                self.client.volumes.get(name).remove(force=True)
            else:
                self.client.networks.get(name).remove()
        except docker.errors.NotFound:
            pass

    def _get(self, name: str) -> Running:
        import docker.errors

        try:
            return self.client.containers.get(name)
        except docker.errors.NotFound:
            raise FlowsError(f"there is no container {name}", "start the stack: flowsctl up") from None

    def _create(self, container: Container) -> Running:
        aliases = self.client.api.create_endpoint_config(aliases=list(container.aliases))
        return self.client.containers.create(
            container.image, networking_config={container.network: aliases}, **arguments(container)
        )


def _waited(running: Running, timeout: float) -> int:
    import requests.exceptions

    try:
        return int(running.wait(timeout=timeout)["StatusCode"])
    except requests.exceptions.RequestException:
        raise FlowsError(f"container {running.name} did not end in {timeout:.0f} s", running_tail(running)) from None


def running_tail(running: Running) -> str:
    """The last lines of a container, for an error."""
    return f"its last lines:\n{running.logs(tail=15).decode(errors='replace').strip()}"


def _connected(url: str) -> docker.DockerClient:
    import docker
    import docker.errors
    from docker.constants import DEFAULT_UNIX_SOCKET

    try:
        client = docker.DockerClient(base_url=url) if url else docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        # The SDK wraps the system's sentence in the text forms of two exceptions.
        found = re.search(r"\[Errno -?\d+\] ([^'\")]+)|Error\(-?\d+, '([^']+)'", str(error))
        reason = (found[1] or found[2]) if found else str(error)
        where = url or os.environ.get("DOCKER_HOST") or DEFAULT_UNIX_SOCKET.removeprefix("http+")
        raise FlowsError(f"no Docker daemon answers at {where}: {reason}", NO_DAEMON) from None
    return client
