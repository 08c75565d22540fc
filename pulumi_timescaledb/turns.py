"""One change at a time per relation, within this process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from .specs import Spec


class Turns:
    """A change that goes in steps (a concurrent build may take hours) holds no transaction between
    them; whoever comes next on one of its relations waits here, without a connection and without a timeout."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def of(self, spec: Spec) -> AsyncIterator[None]:
        """A turn on the object's relation and on those it refers to, always taken in one order."""
        keys = {spec.lock_key(), *(str(each) for each in spec.references() if each.kind == "Relation")}
        async with AsyncExitStack() as stack:
            for key in sorted(keys):
                await stack.enter_async_context(self._locks[key])
            yield
