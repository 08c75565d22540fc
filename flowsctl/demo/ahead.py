"""Making the next items while the last ones are on their way to the server."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

DEPTH = 3
"""Items made ahead: enough to keep the server busy, few enough to bound memory."""
POLL_SECONDS = 0.2


class _End:
    """The end of the items, with what ended them early."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items, made in a thread of their own; an error there is raised here in its place."""
    made: queue.Queue[T | _End] = queue.Queue(DEPTH)
    stopped = threading.Event()

    def put(item: T | _End) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=POLL_SECONDS)
                return

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    return
        except BaseException as caught:
            error = caught
        put(_End(error))

    thread = threading.Thread(target=work, name="demo-load", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join()
