"""`python -m pulumi_timescaledb.plugin ENGINE_ADDRESS`, also installed as `pulumi-resource-timescaledb`."""

import asyncio
import os
import sys

# Before pydantic is loaded: looking for plugins of its own it would read the metadata of every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from ..adapter.service import serve


def main() -> None:
    """Serves the engine whose address is the first argument that is no option."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    asyncio.run(serve(addresses[0] if addresses else ""))


if __name__ == "__main__":
    main()
