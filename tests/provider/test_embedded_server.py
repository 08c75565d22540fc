"""Life of the server process: one per folder, whatever starts, kills or imitates it."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pulumi_timescaledb.local import server as module
from pulumi_timescaledb.local.server import EmbeddedServer, NotInstalled, StartFailed, UnsafeFolder

pytestmark = pytest.mark.server

Factory = Callable[..., EmbeddedServer]


def pid_of(server: EmbeddedServer) -> int:
    return int(json.loads((server.folder / "host.json").read_text())["pid"])


def test_import_is_light() -> None:
    code = "import sys, pulumi_timescaledb.local.server; "
    code += "print([name for name in ('psycopg', 'asyncio') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_two_callers_start_one_server(server_factory: Factory) -> None:
    server = server_factory()
    started: list[bool] = []
    threads = [threading.Thread(target=lambda: started.append(server.ensure_running())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [False, False, False, True]
    assert server.log.read_text().count("starting") == 1
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket_dir.parent.stat().st_mode) == 0o700
    server.stop()
    assert not server.is_running()
    assert not server.socket_path.exists()
    server.stop()
    server.remove()
    assert not server.folder.exists()
    assert not server.socket_dir.exists()


def test_survives_the_process_that_started_it(server_factory: Factory) -> None:
    server = server_factory()
    code = "import sys, pathlib; from pulumi_timescaledb.local.server import EmbeddedServer as E; "
    code += "print(E(pathlib.Path(sys.argv[1])).ensure_running())"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(server.folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout == "True\n"
    assert server.is_running()
    assert not server.ensure_running()
    server.stop()


def test_stale_record_of_another_process(server_factory: Factory) -> None:
    server = server_factory()
    server.ensure_running()
    record = server.folder / "host.json"
    content = json.loads(record.read_text())
    server.stop()
    record.write_text(json.dumps({**content, "pid": os.getpid()}))
    assert not server.is_running()
    server.stop()  # must not end this very process
    record.write_text("{")
    assert server.ensure_running()
    server.stop()


def test_deleted_socket_means_a_new_host(server_factory: Factory) -> None:
    server = server_factory()
    server.ensure_running()
    before = pid_of(server)
    shutil.rmtree(server.socket_dir)
    assert not server.is_running()
    assert server.ensure_running()
    assert pid_of(server) != before
    server.stop()


def test_busy_server_counts_as_running(server_factory: Factory) -> None:
    server = server_factory()
    server.ensure_running()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        thread = threading.Thread(target=connection.execute, args=("SELECT pg_sleep(3)",))
        thread.start()
        time.sleep(0.2)
        assert server.is_running()
        assert not server.ensure_running()
        thread.join()
    server.stop()


def test_ends_when_its_data_folder_disappears(server_factory: Factory) -> None:
    server = server_factory()
    server.ensure_running()
    shutil.rmtree(server.folder)
    deadline = time.monotonic() + 10
    while server.socket_path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not server.socket_path.exists()


def test_a_folder_that_does_not_open_is_reported(server_factory: Factory) -> None:
    server = server_factory()
    (server.folder / "data" / "global" / "pg_control").write_bytes(b"nonsense")
    with pytest.raises(StartFailed, match="ended with code 1 while starting"):
        server.ensure_running()
    assert not server.is_running()


def test_missing_packages_name_the_remedy(
    server_factory: Factory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = server_factory()
    monkeypatch.setattr(module, "HERE", tmp_path)
    with pytest.raises(NotInstalled, match="not part of the installed package"):
        server.ensure_running()
    (tmp_path / "host.mjs").touch()
    with pytest.raises(NotInstalled, match="make setup"):
        server.ensure_running()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match=r"Node\.js"):
        server.ensure_running()


def test_socket_folder_of_another_user_is_refused(server_factory: Factory) -> None:
    server = server_factory()
    server.socket_dir.parent.mkdir(mode=0o700, exist_ok=True)
    server.socket_dir.mkdir(mode=0o755)
    server.socket_dir.chmod(0o755)
    with pytest.raises(UnsafeFolder, match="0700"):
        server.ensure_running()


def test_dsn_quotes_the_user() -> None:
    server = EmbeddedServer(Path("/nowhere"))
    assert psycopg.conninfo.conninfo_to_dict(server.dsn("o'b \\"))["user"] == "o'b \\"
