"""Shows a run: a live line on a terminal, a plain line per resource elsewhere, nothing for `--json`.

What goes on while a run lasts is written to standard error, its result to standard output.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flowsctl.report import COUNTED, UNCHANGED, Change, Diagnostic, Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-", "import": "="}
COLOURS = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red", "import": "cyan"}
DONE_WORDS = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "import": "imported",
}
SHOWN_AT_ONCE = 3


@contextmanager
def shown(title: str, *, quiet: bool, follow: bool) -> Iterator[Report]:
    """A report whose run is shown: each finished resource with `follow`, nothing at all with `quiet`."""
    if quiet:
        yield Report()
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    lines = _Lines(console) if follow else None
    if not console.is_terminal:
        console.print(title, markup=False)
        yield Report(lines)
        return
    with console.status(title) as status:
        yield Report(_Live(status, title, lines))


class _Lines:
    """One line per finished resource that changed."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started: dict[str, float] = {}

    def __call__(self, what: str, change: Change) -> None:
        if what == "start":
            self.started[change.urn] = time.monotonic()
        elif what == "failed" or (what == "done" and change.op not in UNCHANGED):
            seconds = time.monotonic() - self.started.get(change.urn, time.monotonic())
            sign = "!" if what == "failed" else SIGNS.get(change.op, " ")
            self.console.print(f" {sign} {change.type} {change.name} ({seconds:.1f} s)", markup=False)


class _Live:
    """A line with how much is done and what is being worked on."""

    def __init__(self, status: Status, title: str, lines: _Lines | None) -> None:
        self.status = status
        self.title = title
        self.lines = lines
        self.running: dict[str, str] = {}
        self.finished = 0

    def __call__(self, what: str, change: Change) -> None:
        from rich.markup import escape

        if what == "start":
            self.running[change.urn] = change.name
        elif what in ("done", "failed"):
            self.running.pop(change.urn, None)
            self.finished += 1
        if self.lines is not None:
            self.lines(what, change)
        current = ", ".join(list(self.running.values())[:SHOWN_AT_ONCE])
        self.status.update(escape(f"{self.title}: {self.finished} done {current}"))


def tell(report: Report, *, planned: bool, failed: bool) -> None:
    """After a run: planned changes with their SQL, messages, counts. A failure is told by its error."""
    if planned:
        _print_plan(report)
    sys.stdout.flush()
    for found in report.diagnostics:
        if found.severity != "error":
            print(_message(found), file=sys.stderr)
    if not failed:
        print(totals(report, planned=planned))


def totals(report: Report, *, planned: bool) -> str:
    """One sentence with the counts."""
    counts = report.counts
    words = {op: f"to {op}" for op in COUNTED} if planned else DONE_WORDS
    parts = [f"{counts[op]} {words[op]}" for op in COUNTED if op != "same" and counts[op]]
    if not parts:
        return f"no changes, {counts['same']} resources"
    return ", ".join([*parts, f"{counts['same']} unchanged"])


def _print_plan(report: Report) -> None:
    """Resources that change, and those that have SQL to show all the same, such as a Manifest with drops."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for change in report.resources.values():
        if change.op in UNCHANGED and not change.sql:
            continue
        diff = f"  [{', '.join(change.diff)}]" if change.diff else ""
        sign = SIGNS.get(change.op, " ")
        console.print(Text(f" {sign} {change.type} {change.name}{diff}", style=COLOURS.get(change.op, "")))
        for text in change.sql:
            indented = "\n".join(f"       {row}" for row in text.splitlines())
            console.print(Text(indented, style="dim"))


def _message(found: Diagnostic) -> str:
    """A diagnostic as one text, its resource's name in front."""
    name = found.urn.split("::", 3)[3] + ": " if found.urn.count("::") >= 3 else ""
    return f"{found.severity}: {name}{found.message}"
