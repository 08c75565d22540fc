"""Which image the tests in containers use: builds it where there is a daemon, says in one line where there is none."""

from __future__ import annotations

import os
import sys

from flowsctl.containers.building import built
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError

from .conftest import IMAGE_VARIABLE, why_not


def main() -> int:
    """Writes the name of the database image, or nothing, to standard output."""
    if reason := why_not():
        print(f"tests in containers are skipped: {reason}", file=sys.stderr)
        return 0
    host = Host()
    try:
        made = {each.name: each.tag for each in built(host, lambda text: print(text, file=sys.stderr, flush=True))}
    except FlowsError as error:
        print(f"error: {error.message}\nnext:  {error.hint}", file=sys.stderr)
        return error.code
    finally:
        host.close()
    print(os.environ.get(IMAGE_VARIABLE) or made["timescaledb"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
