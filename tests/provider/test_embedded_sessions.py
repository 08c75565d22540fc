"""Clients that share the one backend: nothing leaks between them, pipelines keep their order."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

from pulumi_timescaledb.local.server import EmbeddedServer
from tests.provider.conftest import connect, one

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("roles_and_table")]


class TestHandOver:
    def test_nothing_leaks_to_the_next_client(self, server: EmbeddedServer) -> None:
        with connect(server) as first, connect(server, "alice") as second:
            for statement in (
                "SET ROLE bob", "RESET ROLE", "SET SESSION AUTHORIZATION bob", "SET work_mem TO '9999kB'",
                "SET search_path TO pg_catalog", "CREATE TEMP TABLE leak (a int)", "SET app.secret TO 'x'",
                "PREPARE leak AS SELECT 1", "SELECT pg_advisory_lock(42)", "SET row_security TO off",
            ):  # fmt: skip
                first.execute(statement.encode())
            assert one(second, "SELECT session_user || current_user") == "alicealice"
            assert one(second, "SHOW work_mem") != "9999kB"
            assert one(second, "SHOW search_path") == '"$user", public'
            assert one(second, "SELECT to_regclass('pg_temp.leak')") is None
            assert one(second, "SELECT coalesce(current_setting('app.secret', true), '')") == ""
            assert one(second, "SELECT count(*) FROM pg_prepared_statements") == 0
            assert one(second, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
            assert one(first, "SELECT session_user") == "postgres"

    def test_named_prepared_statements_survive(self, server: EmbeddedServer) -> None:
        with connect(server) as first, connect(server, "alice") as second:
            for number in range(20):
                for connection in (first, second):
                    row = connection.execute("SELECT %s::int + 1, current_user", (number,), prepare=True).fetchone()
                    assert row == (number + 1, connection.info.user)
            for connection in (first, second):
                with connection.transaction():
                    row = connection.execute("SELECT %s::int + 1, current_user", (1,), prepare=True).fetchone()
                    assert row == (2, connection.info.user)
                with connection.pipeline():
                    row = connection.execute("SELECT %s::int + 1, current_user", (2,), prepare=True).fetchone()
                    assert row == (3, connection.info.user)

    def test_a_transaction_is_never_interleaved(self, server: EmbeddedServer) -> None:
        with connect(server) as first, connect(server) as second:
            seen: list[object] = []
            thread = threading.Thread(target=lambda: seen.append(one(second, "SELECT count(*) FROM t")))
            with first.transaction():
                first.execute("INSERT INTO t VALUES (1)")
                thread.start()
                time.sleep(0.2)
                assert not seen
                first.execute("DELETE FROM t")
            thread.join(10)
            assert seen == [0]

    def test_killed_client_is_rolled_back(self, server: EmbeddedServer) -> None:
        child = os.fork()
        if child == 0:
            doomed = connect(server)
            doomed.execute("BEGIN")
            doomed.execute("INSERT INTO t VALUES (99)")
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        with connect(server, connect_timeout=5) as connection:
            assert one(connection, "SELECT count(*) FROM t") == 0

    def test_units_before_terminate_still_run(self, server: EmbeddedServer) -> None:
        with connect(server) as holder, holder.transaction():
            holder.execute("SELECT 1")
            leaving = connect(server)
            leaving.pgconn.send_query(b"CREATE TABLE left_behind (a int)")
            leaving.pgconn.flush()
            leaving.close()
            time.sleep(0.1)
        with connect(server) as connection:
            assert one(connection, "SELECT to_regclass('left_behind')::text") == "left_behind"

    def test_role_dropped_under_a_connection(self, server: EmbeddedServer) -> None:
        with connect(server) as admin:
            admin.execute("CREATE ROLE brief LOGIN")
            brief = connect(server, "brief")
            admin.execute("DROP ROLE brief")
            with (
                contextlib.closing(brief),
                pytest.raises(psycopg.OperationalError, match='"brief" does not exist'),
            ):
                brief.execute("SELECT 1")
            assert one(admin, "SELECT 1") == 1

    def test_idle_in_transaction_limit(self, server_factory: Callable[..., EmbeddedServer]) -> None:
        strict = server_factory(idle_limit=0.4)
        strict.ensure_running()
        with connect(strict) as holder, connect(strict) as waiting:
            holder.execute("CREATE TABLE t (a int)")
            holder.execute("BEGIN")
            holder.execute("INSERT INTO t VALUES (1)")
            assert one(waiting, "SELECT count(*) FROM t") == 0
            with pytest.raises(errors.IdleInTransactionSessionTimeout):
                holder.execute("SELECT 1")
        strict.stop()

    def test_listen_warns(self, server: EmbeddedServer) -> None:
        with connect(server) as connection:
            heard: list[str | None] = []
            connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
            connection.execute("LISTEN something")
            assert len(heard) == 1
            assert "not delivered" in str(heard[0])


class TestPipelines:
    def test_results_in_order(self, server: EmbeddedServer) -> None:
        with connect(server) as connection, connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", (number,)) for number in range(300)]
            assert [cursor.fetchone() for cursor in cursors] == [(number,) for number in range(300)]

    def test_error_inside_a_pipeline(self, server: EmbeddedServer) -> None:
        with connect(server) as connection, connect(server, "alice") as other:
            with connection.pipeline() as pipeline:
                before = connection.execute("SELECT 1")
                pipeline.sync()
                failing = connection.execute("SELECT 1 / 0")
                skipped = connection.execute("SELECT 3")
                with pytest.raises(errors.DivisionByZero):
                    pipeline.sync()
                assert before.fetchone() == (1,)
                with pytest.raises(psycopg.Error):
                    failing.fetchone()
                with pytest.raises(psycopg.Error):
                    skipped.fetchone()
                after = connection.execute("SELECT 4")
                assert after.fetchone() == (4,)
            assert one(other, "SELECT current_user") == "alice"

    def test_flush_holds_the_backend_until_sync(self, server: EmbeddedServer) -> None:
        with connect(server) as connection:
            wire = connection.pgconn
            wire.enter_pipeline_mode()
            wire.send_query_params(b"SELECT 5", None)
            wire.send_flush_request()
            wire.flush()
            result = wire.get_result()
            assert result is not None
            assert result.get_value(0, 0) == b"5"
            wire.pipeline_sync()
            wire.flush()
            while (result := wire.get_result()) is None or result.status != psycopg.pq.ExecStatus.PIPELINE_SYNC:
                pass
            wire.exit_pipeline_mode()
            with connect(server, connect_timeout=5) as other:
                assert one(other, "SELECT 1") == 1

    def test_async(self, server: EmbeddedServer) -> None:
        async def ask(number: int) -> object:
            async with await psycopg.AsyncConnection.connect(server.dsn()) as connection:
                cursor = await connection.execute("SELECT %s::int, pg_sleep(0.001)", (number,))
                row = await cursor.fetchone()
                return None if row is None else row[0]

        async def everyone() -> list[object]:
            return await asyncio.gather(*(ask(number) for number in range(40)))

        assert asyncio.run(everyone()) == list(range(40))

    def test_large_values_both_ways(self, server: EmbeddedServer) -> None:
        text = "x" * 20_000_000
        with connect(server) as connection:
            assert connection.execute("SELECT %s::text", (text,)).fetchone() == (text,)
