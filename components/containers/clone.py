"""The container that copies a running server's cluster into another stack's empty volume, and ends."""

from __future__ import annotations

from importlib.resources import files

from . import paths
from .names import Names
from .spec import Container, File, Mount

PART = "clone"
SCRIPT = f"{paths.CONFIGURATION}/clone.sh"


def clone(copy: Names, origin: Names, image: str) -> Container:
    """It has the origin's socket, by which the user `postgres` comes in, and none of its files. `image` is the
    origin's own: one PostgreSQL on both sides."""
    text = files("components.containers").joinpath("scripts").joinpath(f"{PART}.sh").read_text("utf-8")
    return Container(
        name=copy.container(PART),
        image=image,
        command=("/bin/bash", SCRIPT),
        network=copy.network,
        mounts=(
            Mount(copy.volume("data"), paths.DATA),
            Mount(origin.volume("run"), paths.SOCKETS, read_only=True),
        ),
        files=(File(SCRIPT, text),),
        labels=copy.labels(PART),
        restart="no",
    )
