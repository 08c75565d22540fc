"""Many processes at once: every reply belongs to its asker, nothing acknowledged is lost, nobody hangs."""

import multiprocessing
import os
import queue
import random
import signal
import socket
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import psycopg
import pytest
from psycopg import errors

from pulumi_timescaledb.local.server import EmbeddedServer

pytestmark = [pytest.mark.server, pytest.mark.load]

PROCESSES = 8
TRANSACTIONS = 500  # each
LIMIT = 60.0  # seconds for all of it; far above what it takes, far below "hangs"

Connection = psycopg.Connection[tuple[object, ...]]


def expect(actual: object, wanted: object) -> None:
    if actual != wanted:
        raise AssertionError(f"expected {wanted!r}, got {actual!r}")


class Worker:
    """One client process: a mix of transactions, each checked against what only this worker can get."""

    def __init__(self, server: EmbeddedServer, number: int) -> None:
        self.server = server
        self.number = number
        self.user = f"worker_{number}"
        self.random = random.Random(number)
        self.acknowledged: list[int] = []
        self.connection = self.connect()

    def connect(self) -> Connection:
        return psycopg.connect(self.server.dsn(self.user), autocommit=True, connect_timeout=20)

    def run(self, results: "Queue[tuple[int, object]]") -> list[int]:
        kinds = [self.insert] * 4 + [self.read] * 4 + [self.settings, self.error, self.pipeline, self.broken_pipeline]
        rare = [self.reconnect, self.killed, self.rolled_back, self.impatient]
        for step in range(TRANSACTIONS):
            self.random.choice(rare if step % 25 == 24 else kinds)(step)
            if step % 25 == 0:
                results.put((self.number, step))
        self.connection.close()
        return self.acknowledged

    def insert(self, step: int) -> None:
        with self.connection.transaction():
            self.connection.execute("INSERT INTO acknowledged VALUES (%s, %s)", (self.number, step))
        self.acknowledged.append(step)

    def read(self, step: int) -> None:
        token = f"{self.number}:{step}:{self.random.random()}"
        row = self.connection.execute("SELECT %s, session_user::text, current_user::text", (token,)).fetchone()
        expect(row, (token, self.user, self.user))

    def settings(self, step: int) -> None:
        with self.connection.transaction():
            self.connection.execute("SELECT set_config('app.worker', %s, true)", (str(self.number),))
            self.connection.execute("SET LOCAL ROLE shared")
            row = self.connection.execute("SELECT current_setting('app.worker'), current_user::text").fetchone()
            expect(row, (str(self.number), "shared"))
        sql = "SELECT coalesce(current_setting('app.worker', true), ''), current_user::text"
        expect(self.connection.execute(sql).fetchone(), ("", self.user))

    def error(self, step: int) -> None:
        with pytest.raises(errors.DivisionByZero), self.connection.transaction():  # noqa: PT012
            self.connection.execute("INSERT INTO acknowledged VALUES (%s, -1)", (self.number,))
            self.connection.execute("SELECT 1 / 0")

    def pipeline(self, step: int) -> None:
        with self.connection.pipeline():
            cursors = [self.connection.execute("SELECT %s::int", (step * 10 + i,)) for i in range(10)]
            expect([cursor.fetchone() for cursor in cursors], [(step * 10 + i,) for i in range(10)])

    def broken_pipeline(self, step: int) -> None:
        with pytest.raises(errors.UndefinedTable), self.connection.pipeline():  # noqa: PT012
            self.connection.execute("INSERT INTO acknowledged VALUES (%s, -2)", (self.number,))
            self.connection.execute("SELECT * FROM there_is_no_such_table")
            self.connection.execute("SELECT 1")

    def reconnect(self, step: int) -> None:
        self.connection.close()
        self.connection = self.connect()

    def killed(self, step: int) -> None:
        """A process dies by SIGKILL inside its transaction."""
        child = os.fork()
        if child == 0:
            doomed = self.connect()
            doomed.execute("BEGIN")
            doomed.execute("INSERT INTO acknowledged VALUES (%s, -3)", (self.number,))
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)

    def rolled_back(self, step: int) -> None:
        """A connection is closed inside its transaction."""
        leaving = self.connect()
        leaving.execute("BEGIN")
        leaving.execute("INSERT INTO acknowledged VALUES (%s, -4)", (self.number,))
        leaving.close()

    def impatient(self, step: int) -> None:
        """A client that gives up while connecting, with half a start-up packet sent."""
        with socket.socket(socket.AF_UNIX) as giving_up:
            giving_up.connect(str(self.server.socket_path))
            giving_up.sendall(b"\0\0\0\x30\0\3\0\0user\0")


def work(server: EmbeddedServer, number: int, results: "Queue[tuple[int, object]]", ready: Barrier) -> None:
    try:
        worker = Worker(server, number)
        ready.wait(LIMIT)
        results.put((number, worker.run(results)))
    except BaseException as error:
        results.put((number, repr(error)))


def outcomes(results: "Queue[tuple[int, object]]", end: float) -> dict[int, object]:
    """What each worker ended with: the steps it was told are kept, or its error."""
    found: dict[int, object] = {}
    reached = dict.fromkeys(range(PROCESSES), 0)
    while len(found) < PROCESSES:
        try:
            number, outcome = results.get(timeout=end - time.monotonic())
        except (queue.Empty, ValueError):  # ValueError: no time left
            pytest.fail(f"not done after {LIMIT:.0f} s; steps reached by those who still run: {reached}")
        if isinstance(outcome, int):
            reached[number] = outcome
        else:
            found[number] = outcome
            del reached[number]
    return found


def test_concurrent_clients(server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE TABLE acknowledged (worker int, step int)")
        admin.execute("CREATE ROLE shared; GRANT ALL ON acknowledged TO PUBLIC")
        for number in range(PROCESSES):
            admin.execute(f"CREATE ROLE worker_{number} LOGIN IN ROLE shared".encode())
    # Not "fork": this process has threads of other tests, and a lock one of them holds stays locked in the child.
    context = multiprocessing.get_context("spawn")
    results: Queue[tuple[int, object]] = context.Queue()
    ready = context.Barrier(PROCESSES + 1)
    processes = [context.Process(target=work, args=(server, n, results, ready), daemon=True) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    try:
        ready.wait(LIMIT)  # an interpreter takes its time to start; the clock is the server's
        begun = time.monotonic()
        found = outcomes(results, begun + LIMIT)
    finally:
        for process in processes:
            process.kill()
            process.join()
            process.close()
    seconds = time.monotonic() - begun
    assert [outcome for outcome in found.values() if isinstance(outcome, str)] == []
    with psycopg.connect(server.dsn()) as admin:
        rows = admin.execute("SELECT worker, array_agg(step ORDER BY step) FROM acknowledged GROUP BY 1 ORDER BY 1")
        assert rows.fetchall() == sorted(found.items())
    with capsys.disabled():
        print(f"\n{PROCESSES} x {TRANSACTIONS} transactions: {PROCESSES * TRANSACTIONS / seconds:.0f} tx/s")
