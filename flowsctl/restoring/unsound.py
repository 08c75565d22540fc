"""Errors that say something about the backups themselves, not about this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flowsctl.errors import EXIT_REFUSED, FlowsError


class Unsound(FlowsError):
    """The backups cannot be restored as promised. A drill is red for it; anything else leaves it without an answer."""


@contextmanager
def about_backups() -> Iterator[None]:
    """What the backup tool fails at is the backups' fault; a refusal (no such backup) stays one."""
    try:
        yield
    except FlowsError as error:
        if error.code == EXIT_REFUSED or isinstance(error, Unsound):
            raise
        raise Unsound(error.message, error.hint) from error
