"""The host program: start-up and its refusals, COPY, TimescaleDB loaded, recovery from a crash."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

from pulumi_timescaledb.local.ports import free_port
from pulumi_timescaledb.local.server import EmbeddedServer
from tests.provider.conftest import connect, one

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("roles_and_table")]


class TestStartup:
    def test_facts_of_the_connection(self, server: EmbeddedServer) -> None:
        with connect(
            server,
            "alice",
            application_name="me",
            options="-c work_mem=1234kB -c app.x=a\\ b",
        ) as alice:
            assert alice.info.server_version // 10000 == 17
            assert alice.info.encoding == "utf-8"
            assert alice.info.parameter_status("is_superuser") == "off"
            assert alice.info.parameter_status("application_name") == "me"
            found = "current_user, current_database(), current_setting('work_mem'), current_setting('app.x')"
            assert alice.execute(f"SELECT {found}, current_setting('application_name')").fetchone() == (
                "alice", "postgres", "1234kB", "a b", "me",
            )  # fmt: skip

    def test_role_settings_apply_at_login(self, server: EmbeddedServer) -> None:
        with connect(server, "bob") as bob, connect(server) as admin:
            for _ in range(2):
                assert one(bob, "SHOW search_path") == "pg_catalog"
                assert one(bob, "SHOW app.team") == "b \\ 'x"
                assert one(admin, "SHOW search_path") == '"$user", public'

    @pytest.mark.parametrize(
        ("conninfo", "message"),
        [
            ("dbname=other", 'database "other" does not exist'),
            ("user=ghost", 'role "ghost" does not exist'),
            ("user=nobody", 'role "nobody" is not permitted to log in'),
            ("client_encoding=LATIN1", "only client_encoding UTF8"),
            ("options='-c work_mem=banana'", "invalid value for parameter"),
        ],
    )
    def test_refusals(self, server: EmbeddedServer, conninfo: str, message: str) -> None:
        with (
            pytest.raises(psycopg.Error, match=message),
            psycopg.connect(f"{server.dsn()} {conninfo}") as connection,
        ):
            connection.execute("SELECT 1")

    def test_over_the_cap(self, server_factory: Callable[..., EmbeddedServer]) -> None:
        small = server_factory(max_clients=3)
        small.ensure_running()
        held = [connect(small) for _ in range(3)]
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            connect(small)
        assert small.is_running()
        held.pop().close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError):
                connect(small).close()
                break
        else:
            pytest.fail("the place of a closed connection was not given to another")
        for connection in held:
            connection.close()
        small.stop()

    def test_login_while_another_transaction_is_open(self, server: EmbeddedServer) -> None:
        connect(server, "alice").close()
        with connect(server) as admin, admin.transaction():
            admin.execute("SELECT 1")
            with connect(server, "alice", connect_timeout=5):
                pass

    def test_psql(self, server: EmbeddedServer) -> None:
        psql = shutil.which("psql")
        if psql is None:
            pytest.skip("psql is not installed")
        # From a file: psql 17 takes the rest of the input for data when an inline COPY fails, psql 15 does not.
        script = "BEGIN; SELECT 'in', 1;\nCOMMIT;\n\\copy t from /dev/null\n\\echo done\n"
        script += "COPY (SELECT 7) TO STDOUT;\n\\d t\n"
        ran = subprocess.run(
            [psql, "-XAtq", server.dsn()],
            input=script,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert "in|1\ndone\n7\n" in ran.stdout
        assert "a|integer" in ran.stdout
        assert "COPY FROM STDIN is not available" in ran.stderr

    def test_loopback_tcp_when_asked(self, server_factory: Callable[..., EmbeddedServer]) -> None:
        port = free_port()
        listening = server_factory(tcp_port=port)
        listening.ensure_running()
        with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        listening.stop()


class TestCopy:
    @pytest.mark.parametrize(
        "sql",
        [
            "COPY t FROM STDIN",
            "/* a ; -- */ copy\n t -- x\n from stdin (format csv)",
            "SELECT 1; COPY t (a) FROM STDIN; SELECT 2",
            "COPY t FROM STDOUT",
        ],
    )
    def test_from_stdin_is_refused_by_simple_query(self, server: EmbeddedServer, sql: str) -> None:
        with connect(server) as connection:
            pid = connection.info.backend_pid
            result = connection.pgconn.exec_(sql.encode())
            assert result.error_message.startswith(b"ERROR:  COPY FROM STDIN is not available")
            assert one(connection, "SELECT 1") == 1
            assert connection.info.backend_pid == pid

    def test_from_stdin_is_refused_by_extended_query(self, server: EmbeddedServer) -> None:
        with connect(server) as connection:
            result = connection.pgconn.exec_params(b"COPY t FROM STDIN", None)
            assert b"COPY FROM STDIN is not available" in result.error_message
            assert one(connection, "SELECT 1") == 1
            with (
                pytest.raises(errors.FeatureNotSupported),
                connection.cursor().copy("COPY t FROM STDIN") as copy,
            ):
                copy.write_row((1,))
            assert one(connection, "SELECT count(*) FROM t") == 0

    def test_from_stdin_inside_a_transaction_and_a_pipeline(self, server: EmbeddedServer) -> None:
        with connect(server) as connection:
            with pytest.raises(errors.FeatureNotSupported), connection.transaction():  # noqa: PT012
                connection.execute("SELECT 1")
                with connection.cursor().copy("COPY t FROM STDIN") as copy:
                    copy.write_row((1,))
            with pytest.raises(psycopg.Error), connection.pipeline():  # noqa: PT012
                connection.execute("SELECT 1")
                connection.execute("COPY t FROM STDIN")
                connection.execute("SELECT 2")
            assert one(connection, "SELECT 1") == 1

    def test_text_that_only_looks_like_it_passes(self, server: EmbeddedServer) -> None:
        with connect(server) as connection:
            assert one(connection, "SELECT 'COPY t FROM STDIN'") == "COPY t FROM STDIN"
            connection.execute("CREATE TEMP TABLE stdin (a int)")

    def test_to_stdout(self, server: EmbeddedServer) -> None:
        copied = "COPY (SELECT generate_series(1, 50000)) TO STDOUT"
        with connect(server) as connection, connection.cursor().copy(copied) as copy:
            assert sum(1 for _ in copy.rows()) == 50000


class TestTimescale:
    def test_first_statement_after_opening_may_write_to_a_hypertable(self, server: EmbeddedServer) -> None:
        with connect(server) as connection:
            connection.execute("CREATE TABLE series (at timestamptz NOT NULL, a int)")
            connection.execute("SELECT create_hypertable('series', by_range('at'))")
        server.stop()
        server.ensure_running()
        with connect(server, "postgres") as connection:
            connection.execute("INSERT INTO series VALUES (now(), 1)")
            assert one(connection, "SELECT count(*) FROM series") == 1

    def test_planner_settings_are_those_of_a_real_server(self, server: EmbeddedServer) -> None:
        with connect(server, "alice") as connection:
            assert one(connection, "SHOW enable_seqscan") == "on"
            assert one(connection, "SHOW allow_system_table_mods") == "off"


class TestCrash:
    def test_instance_is_reopened(self, server: EmbeddedServer) -> None:
        with connect(server) as bystander, connect(server) as victim:
            bystander.execute("CREATE TABLE kept AS SELECT 1 AS a")
            victim.execute("CREATE FUNCTION dive(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN dive($1); END'")
            with pytest.raises(errors.CrashShutdown):
                victim.execute("SELECT dive(1)")
            assert one(bystander, "SELECT a FROM kept") == 1
        assert "backend reopened" in server.log.read_text()

    def test_deep_statements_do_not_overflow_the_stack(self, server: EmbeddedServer) -> None:
        body = "BEGIN RETURN CASE WHEN $1 = 0 THEN 0 ELSE 1 + climb($1 - 1) END; END"
        with connect(server) as connection:
            connection.execute(f"CREATE FUNCTION climb(int) RETURNS int LANGUAGE plpgsql AS '{body}'".encode())
            for _ in range(2):
                assert one(connection, "SELECT " + "+".join(["1"] * 1500)) == 1500
                assert one(connection, "SELECT climb(200)") == 200
                connection.execute("RESET ALL")
                assert one(connection, "SELECT climb(3)") == 3
            with connection.transaction():
                connection.execute("RESET ALL; SET search_path TO public")
                assert one(connection, "SELECT climb(3)") == 3

    def test_garbage_is_refused(self, server: EmbeddedServer) -> None:
        with connect(server) as connection:
            os.write(connection.fileno(), b"z\0\0\0\x08abcd")
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        with connect(server) as connection:
            assert one(connection, "SELECT 1") == 1

    def test_log_holds_no_values(self, server: EmbeddedServer) -> None:
        with connect(server) as connection, pytest.raises(psycopg.Error):
            connection.execute("SELECT 'hunter2'::int")
        log = server.log.read_text()
        assert "hunter2" not in log
        assert "SELECT" not in log
