"""Extensions that work only when the server loads their library at its start (shared_preload_libraries). Some can be
created without it and fail at their first use (pg_stat_statements; PostgreSQL 17 documentation, F.32)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

_NEED_IT = frozenset(
    {"pg_cron", "pg_squeeze", "pg_stat_kcache", "pg_stat_statements", "pg_wait_sampling", "pgaudit", "timescaledb"}
)


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of extensions; none where the server does not show what it loads."""
    if capabilities.preloaded is None:
        return
    for extension in whole.of_kind("Extension"):
        name = extension.import_id()
        if name in _NEED_IT - {*capabilities.preloaded}:
            yield (
                f"Extension {name} works only where its library is loaded when the server starts, and "
                f'shared_preload_libraries is "{", ".join(capabilities.preloaded)}". Add {name} to it and restart the '
                "server, or do not declare the extension."
            )
