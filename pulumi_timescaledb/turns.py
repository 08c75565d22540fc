"""Who waits for whom within this process: one change at a time per relation, and some changes alone."""

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
        self._ended = asyncio.Condition()
        self._beside = 0
        self._alone = False

    @asynccontextmanager
    async def of(self, spec: Spec) -> AsyncIterator[None]:
        """A turn on the object's relation and on those it refers to, always taken in one order."""
        keys = {spec.lock_key(), *(str(each) for each in spec.references() if each.kind == "Relation")}
        async with AsyncExitStack() as stack:
            for key in sorted(keys):
                await stack.enter_async_context(self._locks[key])
            yield

    @asynccontextmanager
    async def among(self, *, alone: bool) -> AsyncIterator[None]:
        """A turn that goes on beside others of its kind, or, if `alone`, when all those have ended and before the next
        begins."""
        async with self._ended:
            await self._ended.wait_for(lambda: not self._alone and not (alone and self._beside))
            self._alone, self._beside = alone, self._beside + (not alone)
        try:
            yield
        finally:
            async with self._ended:
                self._alone, self._beside = False, self._beside - (not alone)
                self._ended.notify_all()
