"""Drills: green on sound backups, red on unsound ones, each for its own reason, and nothing is left of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from components.containers.names import PROJECT_LABEL
from components.secrets import StackSecrets
from flowsctl.restoring.drilling import GREEN, RED, UNKNOWN, Drill, drill, markdown

from .plain import IMAGE, Plain

pytestmark = pytest.mark.docker


def silent(_text: str) -> None:
    """Nobody listens."""


@pytest.fixture(autouse=True)
def nothing_is_left(origin: Plain) -> Iterator[None]:
    before = set(origin.host.found({PROJECT_LABEL: origin.names.project}))
    yield
    assert set(origin.host.found({PROJECT_LABEL: origin.names.project})) == before


def reasons(found: Drill) -> str:
    return "; ".join(reason for run in found.runs for reason in run.reasons)


def test_sound_backups_are_green(origin: Plain) -> None:
    for day in range(1, 4):
        origin.sql(f"INSERT INTO flows.csq VALUES ('2026-06-0{day}Z', 1, 1)")
        origin.archived()
    origin.sql(
        "DELETE FROM flows.csq WHERE timestamp < '2026-01-01Z' AND meter = 1 AND timestamp > now() - '1 y'::interval"
    )
    origin.sql("DELETE FROM flows.meters WHERE false")
    origin.archived()
    with origin.connect() as live:
        found = drill(origin.host, origin.origin, silent, random_target=True, live=live, seed=7)
    assert reasons(found) == ""
    assert [run.verdict for run in found.runs] == [GREEN, GREEN]
    newest, moment = found.runs
    assert newest.made is not None
    assert moment.made is not None
    assert moment.made.recovered_to is None or moment.made.recovered_to <= (moment.target.time or moment.made.asked_at)
    assert newest.versions["tool"].startswith("pgBackRest 2.")
    assert newest.versions["postgres"].startswith("17.")
    report = found.as_json()["runs"][0]
    assert set(report["restore"]["seconds"]) == {"repository", "restore", "start", "recovery", "judgement", "amcheck"}
    assert report["restore"]["tool_megabytes_per_second"] > 0
    assert report["judgement"]["tables"]["flows.meters"] == {"ledger": 40, "restored": 40}
    text = "\n".join(markdown(found))
    assert text.startswith("# Restore drill of stack one: green\n")
    assert "| flows.meters | 40 | 40 |" in text


def test_rows_that_are_missing_are_red_unless_the_live_database_lacks_them_too(origin: Plain) -> None:
    origin.sql("DELETE FROM flows.csq WHERE meter = 2 AND timestamp > now() - interval '3 days'")
    origin.archived()
    assert drill(origin.host, origin.origin, silent).verdict == RED
    with origin.connect() as live:
        found = drill(origin.host, origin.origin, silent, live=live)
    assert found.verdict == GREEN
    why = {row.explained for run in found.runs if run.judgement for row in run.judgement.rows}
    assert "deleted since, as the live database shows" in why
    origin.backup()


def test_a_wrong_cipher_key_is_red(origin: Plain) -> None:
    stranger = replace(origin.origin, secrets=StackSecrets("f" * 64))
    found = drill(origin.host, stranger, silent)
    assert found.verdict == RED, reasons(found)
    assert "does not open with this passphrase" in reasons(found)


def test_a_wrong_version_of_the_extension_is_red(origin: Plain) -> None:
    image = other_version(origin)
    try:
        found = drill(origin.host, origin.origin, silent, image=image)
        assert found.verdict == RED, reasons(found)
        assert "the image has not the TimescaleDB that was backed up" in reasons(found)
    finally:
        origin.host.client.images.remove(image, force=True)


def other_version(origin: Plain) -> str:
    """The image without the library of the version that was backed up, as one of another version is."""
    version = origin.sql("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")[0][0]
    client = origin.host.client
    folder = "/usr/lib/postgresql/17/lib"
    made = client.containers.create(
        IMAGE, ["-c", f"rm {folder}/timescaledb-{version}.so"], entrypoint="sh", user="0", network_mode="none"
    )
    try:
        made.start()
        assert made.wait()["StatusCode"] == 0
        made.commit(origin.names.project, "version")
    finally:
        made.remove(force=True)
    return f"{origin.names.project}:version"


def test_a_missing_ledger_row_is_red(origin: Plain) -> None:
    origin.sql("DELETE FROM monitoring.backup_ledger WHERE id = (SELECT max(id) FROM monitoring.backup_ledger)")
    origin.archived()
    found = drill(origin.host, origin.origin, silent)
    assert found.verdict == RED
    assert "ledger row" in reasons(found)
    assert "is not in the copy" in reasons(found)
    origin.backup()


def test_an_altered_ledger_row_is_red(origin: Plain) -> None:
    newest = "(SELECT max(id) FROM monitoring.backup_ledger)"
    origin.sql(f"UPDATE monitoring.backup_ledger SET contents = contents || '{{\"tables\": {{}}}}' WHERE id = {newest}")
    origin.archived()
    found = drill(origin.host, origin.origin, silent)
    assert found.verdict == RED
    assert "its SHA-256 differs" in reasons(found)
    origin.backup()


@contextmanager
def flipped(origin: Plain, path: str) -> Iterator[None]:
    """One bit of a file of the repository is another one meanwhile."""
    size = int(origin.in_repository(f"stat -c %s {path}"))
    at = size // 2

    def flip() -> None:
        byte = int(origin.in_repository(f"od -An -tu1 -j{at} -N1 {path}").strip()) ^ 1
        origin.in_repository(f"printf '\\{byte:03o}' | dd of={path} bs=1 seek={at} conv=notrunc status=none")

    flip()
    try:
        yield
    finally:
        flip()


def test_a_flipped_bit_of_a_backup_is_red(origin: Plain) -> None:
    label = origin.tool.info().backups[-1].label
    largest = origin.in_repository(
        f"find backup/main/{label} -type f -printf '%s %p\\n' | sort -n | tail -n 1 | cut -d' ' -f2"
    )
    with flipped(origin, largest):
        found = drill(origin.host, origin.origin, silent)
    assert found.verdict == RED
    assert "the backup could not be restored" in reasons(found)


def test_a_missing_segment_is_red(origin: Plain) -> None:
    for _ in range(4):
        origin.sql("UPDATE flows.meters SET name = name WHERE id = 1")
        origin.archived()
    gone = origin.tool.archive().segments[-3].name
    path = origin.in_repository(f"find archive/main -name '{gone}-*'")
    origin.in_repository(f"mv {path} gone")
    try:
        found = drill(origin.host, origin.origin, silent)
    finally:
        origin.in_repository(f"mv gone {path}")
    assert found.verdict == RED
    assert "but the archive goes on to segment" in reasons(found)


def test_an_image_that_is_not_there_says_nothing_about_the_backups(origin: Plain) -> None:
    found = drill(origin.host, origin.origin, silent, image="localhost:1/no/such/image:1")
    assert found.verdict == UNKNOWN
    assert "image" in reasons(found)
