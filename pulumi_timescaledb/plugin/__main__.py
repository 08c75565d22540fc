"""`python -m pulumi_timescaledb.plugin ENGINE_ADDRESS`."""

import asyncio
import sys

from ..adapter.service import serve

if __name__ == "__main__":
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    asyncio.run(serve(addresses[0] if addresses else ""))
