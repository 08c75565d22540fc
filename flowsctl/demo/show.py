"""How a load's progress is shown: a bar on a terminal, plain lines elsewhere, nothing for `--json`; on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

LINES = 10
"""Without a terminal a line after every such part of the rows."""


class Show(Protocol):
    """What the steps of a load report to."""

    def step(self, text: str) -> None:
        """Something begins whose length is not known."""

    def begin(self, text: str, rows: int) -> None:
        """Loading of so many rows begins."""

    def advance(self, rows: int) -> None:
        """So many more rows are loaded."""


class Silent:
    """Shows nothing."""

    def step(self, text: str) -> None:
        """Nothing."""

    def begin(self, text: str, rows: int) -> None:
        """Nothing."""

    def advance(self, rows: int) -> None:
        """Nothing."""


class Lines:
    """Plain lines."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.text, self.total, self.done, self.started = "", 0, 0, 0.0

    def step(self, text: str) -> None:
        """A line."""
        self.console.print(text, markup=False)

    def begin(self, text: str, rows: int) -> None:
        """A line, and count from nothing."""
        self.text, self.total, self.done, self.started = text, rows, 0, time.monotonic()
        self.step(f"{text}: {rows} rows")

    def advance(self, rows: int) -> None:
        """A line after every tenth of the rows."""
        before, self.done = self.done, self.done + rows
        if self.total and before * LINES // self.total != self.done * LINES // self.total:
            self.step(f"  {self.done} of {self.total} rows ({time.monotonic() - self.started:.1f} s)")


class Bar:
    """A live bar."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task = progress.add_task("", total=None)

    def step(self, text: str) -> None:
        """A pulsing bar."""
        self._anew(text, None)

    def begin(self, text: str, rows: int) -> None:
        """A bar from nothing to `rows`."""
        self._anew(text, rows)

    def _anew(self, text: str, total: int | None) -> None:
        # Progress.reset cannot take a total away again.
        self.progress.remove_task(self.task)
        self.task = self.progress.add_task(text, total=total)

    def advance(self, rows: int) -> None:
        """The bar moves."""
        self.progress.advance(self.task, rows)


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Show]:
    """Whichever fits where standard error goes."""
    if quiet:
        yield Silent()
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield Lines(console)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = Bar(progress)
        bar.step("demo data")
        yield bar
