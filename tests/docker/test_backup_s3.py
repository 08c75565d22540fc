"""Backups in a bucket: an S3-compatible service that speaks TLS with a certificate of its own CA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL
from flowsctl.backup.tool import Kind, Moment, Target
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError
from flowsctl.restoring import copies
from flowsctl.restoring.making import make
from flowsctl.restoring.origin import Origin

from . import bucket
from .backups import Backups
from .plain import PROJECT, Plain
from .tls_server import made_authority

SUMS = "select count(*), sum(hashtextextended(t::text, 0)) from readings t"
CLEAR = "flows-clear-text-marker"


def why_not() -> str:
    try:
        bucket.program()
    except bucket.NotBuilt as reason:
        return str(reason)
    return ""


pytestmark = [pytest.mark.docker, pytest.mark.skipif(bool(why_not()), reason=why_not())]


@pytest.fixture(scope="module")
def service(host: Host, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[bucket.Service]:
    with bucket.service(host, image, tmp_path_factory.mktemp("tls"), f"{PROJECT}-s3") as found:
        yield found


@pytest.fixture(scope="module")
def backups(plain: Plain, service: bucket.Service) -> Backups:
    made = Backups(plain, service.settings())
    made.up()
    plain.sql("create table marked (text text)", f"insert into marked select '{CLEAR}' from generate_series(1, 5000)")
    made.schedule()
    made.until(lambda: " done: " in made.log())
    return made


def origin_of(backups: Backups) -> Origin:
    plain = backups.plain
    return Origin(plain.names, plain.server.model_copy(update={"image": plain.image}), plain.secrets, backups.settings)


def test_backups_and_segments_are_in_the_bucket(backups: Backups, service: bucket.Service) -> None:
    backups.archived()
    assert backups.tool.run(Kind.DIFFERENTIAL).kind is Kind.DIFFERENTIAL
    assert [each.kind for each in backups.tool.info().backups] == [Kind.FULL, Kind.DIFFERENTIAL]
    objects = service.objects()
    assert [each for each in objects if "/archive/" in each and each.endswith(".zst")]
    assert [each for each in objects if "/backup/" in each]
    assert ("volume", backups.plain.names.volume("backup")) not in backups.plain.host.found(
        {PROJECT_LABEL: PROJECT, STACK_LABEL: backups.plain.names.stack}
    )


def test_all_is_well(backups: Backups) -> None:
    assert backups.wrong() == []
    assert backups.tool.verify().ok
    window = backups.look(thorough=False).window
    assert window.start is not None
    assert window.gaps == ()


def test_nothing_is_in_clear(service: bucket.Service) -> None:
    found = service.inside(f"grep -rlE '{CLEAR}|pg_catalog|PostgreSQL' {bucket.BUCKET} || true")
    assert found == b""
    zstd_magic = r"$(printf '\050\265\057\375')"
    assert service.inside(f'grep -rlaF "{zstd_magic}" {bucket.BUCKET} | wc -l').strip() == b"0"


def test_another_key_is_refused_in_the_services_words(backups: Backups, service: bucket.Service) -> None:
    stranger = replace(origin_of(backups), backup=service.settings(backupS3KeySecret="another"))
    with pytest.raises(FlowsError, match="SignatureDoesNotMatch"):
        make(backups.plain.host, stranger, Target(), f"{stranger.names.stack}-key", print)


def test_a_certificate_of_another_ca_is_refused(
    backups: Backups, service: bucket.Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = made_authority(tmp_path_factory.mktemp("other") / "ca").read_text("ascii")
    stranger = replace(origin_of(backups), backup=service.settings(backupS3Certificate=other))
    with pytest.raises(FlowsError, match="certificate"):
        make(backups.plain.host, stranger, Target(), f"{stranger.names.stack}-ca", print)


def test_with_the_host_lost_the_bucket_is_enough(backups: Backups) -> None:
    """Last: nothing of the stack is left but the bucket and the root secret."""
    plain, origin = backups.plain, origin_of(backups)
    backups.archived()
    before = plain.sql(SUMS)
    plain.host.remove({PROJECT_LABEL: PROJECT, STACK_LABEL: plain.names.stack})
    made = make(plain.host, origin, Target(Moment.LATEST), f"{plain.names.stack}-back", print)
    try:
        with psycopg.connect(**made.conninfo()) as copy:
            after = copy.execute(SUMS.encode()).fetchall()
    finally:
        copies.remove(plain.host, made.names)
    assert after == before
