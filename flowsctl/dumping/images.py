"""The container image of a stack's server, whose pg_dump fits it."""

from __future__ import annotations

from flowsctl.options import Options


def image_of(options: Options) -> str:
    """The image that the stack's database container was made from; "" where there is none, or no Docker."""
    from components.containers.names import Names
    from flowsctl.session import open_workspace

    try:
        import docker

        names = Names(open_workspace(options).project_name, options.stack)
        found = docker.from_env().containers.get(names.container("database"))
        return str(found.attrs["Image"])
    except Exception:  # no daemon, no container, no image any more: then there are the programs of this machine
        return ""
