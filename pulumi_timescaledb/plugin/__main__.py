"""`python -m pulumi_timescaledb.plugin ENGINE_ADDRESS`, also installed as `pulumi-resource-timescaledb`."""

import asyncio
import sys

from ..adapter.service import serve


def main() -> None:
    """Serves the engine whose address is the first argument that is no option."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    asyncio.run(serve(addresses[0] if addresses else ""))


if __name__ == "__main__":
    main()
