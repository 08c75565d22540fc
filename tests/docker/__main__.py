"""Which image the tests in containers use: builds it where there is a daemon, says in one line why they are skipped."""

from __future__ import annotations

import os
import sys

from components.containers import images
from flowsctl.containers.base import find_base
from flowsctl.containers.building import built
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError

from .conftest import IMAGE_VARIABLE, SKIP, why_not


def main() -> int:
    """Writes the name of the database image to standard output, or why there is none.

    A machine without a daemon or without any way to a base image skips the tests; a build that fails is an error.
    """
    if reason := why_not():
        return skipped(reason)
    host = Host()
    try:
        try:
            find_base(host, images.BASE, print_progress)
        except FlowsError as error:
            return skipped(error.message)
        made = {each.name: each.tag for each in built(host, print_progress)}
    except FlowsError as error:
        print(f"error: {error.message}\nnext:  {error.hint}", file=sys.stderr)
        return error.code
    finally:
        host.close()
    print(os.environ.get(IMAGE_VARIABLE) or made["timescaledb"])
    return 0


def print_progress(text: str) -> None:
    """Standard output is the answer's."""
    print(text, file=sys.stderr, flush=True)


def skipped(reason: str) -> int:
    """Says it to the person and to the tests."""
    print(f"tests in containers are skipped: {reason}", file=sys.stderr)
    print(SKIP + reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
