"""Shows how far a long command is, on standard error: a live line on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .tool import Progress


@contextmanager
def shown(title: str, *, quiet: bool) -> Iterator[Progress | None]:
    """A function that is told the share done; None with `quiet`, where nobody looks."""
    if quiet:
        yield None
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if console.is_terminal:
        with console.status(f"{title} ...") as status:
            yield lambda share: status.update(f"{title}: {share:.0%}")
        return
    tenths: set[int] = set()

    def tell(share: float) -> None:
        tenth = int(share * 10)
        if tenth not in tenths:
            tenths.add(tenth)
            console.print(f"{title}: {share:.0%}")

    console.print(f"{title} ...")
    yield tell
