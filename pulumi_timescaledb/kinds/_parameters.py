"""Storage parameters of tables, materialized views and indexes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ..statement import LockLevel, Statement
from .base import statement

_GENTLE = re.compile(
    r"(toast\.)?(fillfactor|toast_tuple_target|parallel_workers|deduplicate_items|(log_)?(auto)?vacuum_\w+)"
)
"""Those that let reads and writes go on (PostgreSQL 17, access/common/reloptions.c; of tables and chunks measured). Of
one that is not known here the worst is assumed."""


def change_parameters(what: str, target: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Statement]:
    """ALTER ... SET and RESET. Of a hypertable TimescaleDB alters every chunk too, under the same lock (2.29.2)."""
    wanted = {name: text for name, text in new.items() if old.get(name) != text}
    if wanted:
        yield statement("common/set_parameters", _lock_of(wanted), what=what, target=target, parameters=wanted)
    unwanted = [name for name in old if name not in new]
    if unwanted:
        yield statement("common/reset_parameters", _lock_of(unwanted), what=what, target=target, names=unwanted)


def parameters_of(options: Iterable[str] | None) -> dict[str, str]:
    """From the catalog's reloptions."""
    return dict(option.split("=", 1) for option in options or ())


def _lock_of(names: Iterable[str]) -> LockLevel:
    gentle = all(_GENTLE.fullmatch(name) for name in names)
    return LockLevel.SHARE_UPDATE_EXCLUSIVE if gentle else LockLevel.ACCESS_EXCLUSIVE
