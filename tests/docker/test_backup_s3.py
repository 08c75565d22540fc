"""Backups in a bucket: the same server and scheduler against a real S3 service over TLS (moto, from Debian)."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import docker.errors
import pytest

from components.backup_config import BackupSettings
from components.containers.spec import Container, File
from flowsctl.backup.tool import Kind
from flowsctl.containers.host import Host

from .backups import QUICK, Backups
from .plain import Plain

SERVICE, PORT = "objects.example.test", 9000
PACKAGES = "python3-moto python3-flask python3-flask-cors"
SERVER = f"""\
import ssl
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple
# A connection that ends with each answer ends without TLS's own goodbye, which pgBackRest calls an error.
WSGIRequestHandler.protocol_version = "HTTP/1.1"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/service.pem")
import boto3, threading, time
def bucket():
    time.sleep(2)
    boto3.client("s3", endpoint_url="https://{SERVICE}:{PORT}", verify="/ca.pem", region_name="eu-west-2",
        aws_access_key_id="id", aws_secret_access_key="secret").create_bucket(
        Bucket="copies", CreateBucketConfiguration={{"LocationConstraint": "eu-west-2"}})
    print("bucket made", flush=True)
threading.Thread(target=bucket).start()
run_simple("0.0.0.0", {PORT}, DomainDispatcherApplication(create_backend_app), threaded=True, ssl_context=context)
"""


@pytest.fixture(scope="session")
def service_image(host: Host, base: str) -> str:
    """The service's image: Debian's moto on the base that the other images have, or FLOWS_TEST_S3_IMAGE."""
    if ready := os.environ.get("FLOWS_TEST_S3_IMAGE"):
        return ready
    install = (
        f"apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends {PACKAGES}"
    )
    text = f"FROM {base}\nRUN {install}\n".encode()
    try:
        image, _ = host.client.images.build(fileobj=io.BytesIO(text), tag="flows-test/s3:moto", rm=True)
    except docker.errors.BuildError as error:
        pytest.skip(f"moto cannot be installed from Debian here: {error.msg}")
    return str(image.tags[0])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate of the service's own, and it with its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem "
        f"-subj /CN={SERVICE} -addext subjectAltName=DNS:{SERVICE}"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    cert, key = ((folder / name).read_text() for name in ("cert.pem", "key.pem"))
    return cert, cert + key


@pytest.fixture(scope="module")
def backups(plain: Plain, service_image: str, certificate: tuple[str, str]) -> Iterator[Backups]:
    cert, with_key = certificate
    names = plain.names
    plain.host.network(names.network, names.labels("network"))
    service = Container(
        name=names.container("s3"),
        image=service_image,
        command=("python3", "-c", SERVER),
        network=names.network,
        aliases=(SERVICE,),
        files=(File("/service.pem", with_key, 0o600), File("/ca.pem", cert)),
        # Otherwise moto takes the first part of the host's name for a bucket.
        environment={"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"},
        labels=names.labels("s3"),
    )
    plain.host.start(service)
    settings = BackupSettings.from_config(
        {
            "backupArchiveTimeout": QUICK.archive_timeout,
            "backupS3Bucket": "copies",
            "backupS3Region": "eu-west-2",
            "backupS3Endpoint": f"{SERVICE}:{PORT}",
            "backupS3Certificate": cert,
            "backupS3Key": "id",
            "backupS3KeySecret": "s3cret-of-the-bucket",
        }
    )
    made = Backups(plain, settings)
    made.until(lambda: "bucket made" in plain.host.logs(service.name))
    made.up()
    made.schedule()
    made.until(lambda: " done: " in made.log())
    return made


def test_wal_and_backups_are_in_the_bucket(backups: Backups) -> None:
    (first,) = backups.tool.info().backups
    assert first.kind == Kind.FULL
    name = backups.archived()
    assert name in [each.name for each in backups.tool.archive().segments]
    assert backups.tool.verify().ok
    assert backups.wrong() == []
    # Nothing of it is beside the server.
    assert not [mount for mount in backups.container.mounts if mount.path.endswith("/backup")]


def test_the_keys_are_not_seen_from_outside(backups: Backups) -> None:
    for part in ("database", "scheduler"):
        found = backups.plain.host.client.containers.get(backups.plain.names.container(part))
        assert "s3cret-of-the-bucket" not in str(found.attrs)
        assert "s3cret-of-the-bucket" not in found.logs().decode()


def test_a_service_with_another_certificate_is_not_trusted(backups: Backups, certificate: tuple[str, str]) -> None:
    """The same name with no certificate to check it by: the machine's own do not vouch for it."""
    trusting = replace(backups, settings=backups.settings.model_copy(update={"s3_certificate": ""}))
    backups.unschedule()
    backups.plain.host.start(trusting.container)
    trusting.until(lambda: "archive: stanza-create failed" in trusting.log())
    assert "certificate" in trusting.log()


def test_a_service_that_is_gone_is_told_of(backups: Backups) -> None:
    backups.unschedule()
    backups.schedule()
    backups.plain.host.stop(backups.plain.names.container("s3"), 1)
    (found,) = [each for each in backups.wrong(thorough=False) if each.reason == "repository"]
    assert SERVICE in found.sentence
