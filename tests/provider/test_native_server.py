"""What needs a server of many processes: statements that refuse to run in a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.specs.server_setting import ServerSetting

from . import native
from .native import on

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT),
]
CALLER = Caller("dev", "urn:setting")
SETTING = ServerSetting(name="work_mem", value="7MB", scope="system")


@pytest.fixture(scope="module")
def native_dsn() -> Iterator[str]:
    with native.running() as dsn:
        yield dsn


def noted(dsn: str, setting: ServerSetting) -> list[tuple[Any, ...]]:
    """(verb, stack, number of statements) of the history's entries of a setting, oldest first."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        query = (
            "SELECT verb, stack, cardinality(statements) FROM pulumi_timescaledb.history WHERE id = %s ORDER BY number"
        )
        return connection.execute(query, (setting.import_id(),)).fetchall()


def test_a_system_setting_is_set_changed_and_reset(native_dsn: str) -> None:
    kind = kind_of("ServerSetting")
    before = native.value(native_dsn, "SHOW work_mem")
    on(native_dsn, lambda applier: applier.apply(kind, None, SETTING, CALLER))
    assert native.value(native_dsn, "SHOW work_mem") == "7MB"
    changed = SETTING.model_copy(update={"value": "9MB"})
    on(native_dsn, lambda applier: applier.apply(kind, SETTING, changed, CALLER))
    assert native.value(native_dsn, "SHOW work_mem") == "9MB"
    on(native_dsn, lambda applier: applier.delete(kind, changed, CALLER))
    assert native.value(native_dsn, "SHOW work_mem") == before
    assert native.value(native_dsn, "SELECT count(*) FROM pulumi_timescaledb.ledger") == 0


def test_a_crash_between_statement_and_record_is_mended(native_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = kind_of("ServerSetting")

    async def crash(*_arguments: object) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        patch.setattr("pulumi_timescaledb.apply.record", crash)
        with pytest.raises(ConnectionAbortedError):
            on(native_dsn, lambda applier: applier.apply(kind, None, SETTING, CALLER))
    assert native.value(native_dsn, "SELECT step FROM pulumi_timescaledb.ledger") == "intent"
    assert noted(native_dsn, SETTING)[-1] == ("create", "dev", 3)  # the question, ALTER SYSTEM, the reload
    on(native_dsn, lambda applier: applier.apply(kind, None, SETTING, CALLER))
    assert native.value(native_dsn, "SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NULL") == 1
    assert native.value(native_dsn, "SHOW work_mem") == "7MB"
    on(native_dsn, lambda applier: applier.delete(kind, SETTING, CALLER))
    assert [verb for verb, _, _ in noted(native_dsn, SETTING)[-2:]] == ["create", "delete"]


def test_a_crash_before_the_statement_is_resumed(native_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = kind_of("ServerSetting")

    async def crash(*_arguments: object) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        patch.setattr("pulumi_timescaledb.steps.run_alone", crash)
        with pytest.raises(ConnectionAbortedError):
            on(native_dsn, lambda applier: applier.apply(kind, None, SETTING, CALLER))
    on(native_dsn, lambda applier: applier.apply(kind, None, SETTING, CALLER))
    with monkeypatch.context() as patch:
        patch.setattr("pulumi_timescaledb.apply.run_alone", crash)
        with pytest.raises(ConnectionAbortedError):
            on(native_dsn, lambda applier: applier.delete(kind, SETTING, CALLER))
    on(native_dsn, lambda applier: applier.delete(kind, SETTING, CALLER))
    assert [verb for verb, _, _ in noted(native_dsn, SETTING)[-4:]] == ["create", "resume", "delete", "delete"]
    assert native.value(native_dsn, "SELECT count(*) FROM pulumi_timescaledb.ledger") == 0


def test_a_setting_that_needs_a_restart_is_refused(native_dsn: str) -> None:
    restart = ServerSetting(name="max_connections", value="50", scope="system")
    with pytest.raises(Exception, match="restart"):
        on(native_dsn, lambda applier: applier.apply(kind_of("ServerSetting"), None, restart, CALLER))
    written = "SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' AND name = 'max_connections'"
    assert native.value(native_dsn, written) == 0


def test_a_create_that_failed_leaves_nothing_behind(native_dsn: str) -> None:
    wrong = ServerSetting(name="statement_timeout", value="not a time", scope="system")
    with pytest.raises(Exception, match="statement_timeout"):
        on(native_dsn, lambda applier: applier.apply(kind_of("ServerSetting"), None, wrong, CALLER))
    entries = f"SELECT count(*) FROM pulumi_timescaledb.ledger WHERE id = '{wrong.import_id()}'"
    assert native.value(native_dsn, entries) == 0
    assert [verb for verb, _, _ in noted(native_dsn, wrong)] == ["create", "failed"]


def test_deleting_many_at_once_does_not_wait_for_itself(native_dsn: str) -> None:
    """Each delete needs a connection outside its transaction: more of them than connections must not block."""
    kind = kind_of("ServerSetting")
    names = ("cpu_tuple_cost", "cpu_index_tuple_cost", "cpu_operator_cost", "seq_page_cost", "random_page_cost")
    settings = [ServerSetting(name=name, value="2", scope="system") for name in names]

    async def all_of_them(applier: Applier) -> None:
        applier.database._places = asyncio.Semaphore(1)
        for setting in settings:
            await applier.apply(kind, None, setting, CALLER)
        async with asyncio.timeout(20):
            await asyncio.gather(*(applier.delete(kind, setting, CALLER) for setting in settings))

    on(native_dsn, all_of_them)
    assert native.value(native_dsn, "SHOW seq_page_cost") == "1"
