"""The Debian image that the others are built from: on the host, in the registry, or made here by debootstrap."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from flowsctl.errors import FlowsError

from .host import Host
from .told import told

SUITE = "trixie"
MADE = ("flows/base", SUITE)
"""Repository and tag of a base that was made here."""
MIRROR_VARIABLE = "FLOWS_DEBIAN_MIRROR"
"""Names another mirror than debootstrap's own."""
PULL_SECONDS = 60
Say = Callable[[str], None]


def find_base(host: Host, base: str, say: Say, *, bootstrap: bool = False) -> str:
    """The name of a base that is on the host now.

    Raises:
        FlowsError: it cannot be pulled, and debootstrap is not there, needs root, or fails.
    """
    made = ":".join(MADE)
    if not bootstrap:
        if host.has_image(base):
            return base
        # Looked for before the registry: one that does not answer costs minutes, each time.
        if host.has_image(made):
            return made
        say(f"pulling {base}")
        try:
            _pull(host, base)
            return base
        except FlowsError as error:
            say(f"{error.message}; making a base by debootstrap instead")
    elif host.has_image(made):
        return made
    _bootstrap(host, say)
    return made


def _pull(host: Host, base: str) -> None:
    with told(f"image {base}"):
        host.client.images.pull(base)


def _bootstrap(host: Host, say: Say) -> None:
    program = shutil.which("debootstrap") or shutil.which("debootstrap", path="/usr/sbin:/sbin")
    if program is None:
        raise FlowsError(
            "there is no base image: none can be pulled, and debootstrap is not installed",
            "as root: apt-get install debootstrap; or log in to a registry; or docker load a Debian trixie image",
        )
    if os.geteuid() != 0:
        raise FlowsError("debootstrap needs root", "run sudo make image once; the image stays with the daemon")
    mirror = [value] if (value := os.environ.get(MIRROR_VARIABLE)) else []
    with tempfile.TemporaryDirectory(prefix="flows-base-") as folder:
        root = Path(folder, "root")
        say(f"debootstrap {' '.join([SUITE, *mirror])} (a minute or two)")
        command = [program, "--variant=minbase", "--include=ca-certificates", SUITE, str(root), *mirror]
        _told_run(command, say)
        _slim(root)
        say(f"importing it as {':'.join(MADE)}")
        with told("importing the base"):
            archive = Path(folder, "root.tar")
            subprocess.run(["tar", "-C", root, "--numeric-owner", "--one-file-system", "-cf", archive, "."], check=True)
            host.client.api.import_image_from_file(str(archive), *MADE, changes=['CMD ["bash"]'])


def _told_run(command: list[str], say: Say) -> None:
    last: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout):
            last = [*last[-4:], line.strip()]
            if number % 50 == 0:
                say(line.strip())
    if process.returncode:
        raise FlowsError(
            f"debootstrap failed: {last[-1] if last else process.returncode}",
            f"is the mirror reachable? another one: {MIRROR_VARIABLE}=http://... make image\n" + "\n".join(last),
        )


def _slim(root: Path) -> None:
    """What the registry's slim image leaves out as well."""
    for pattern in ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*_*", "usr/share/doc/*", "usr/share/man/*"):
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
