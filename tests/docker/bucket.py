"""An S3-compatible service in a container of its own: versitygw over a folder, TLS only, signed by a CA of its own."""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.backup_config import BackupSettings
from components.containers.names import PROJECT_LABEL, STACK_LABEL
from flowsctl.containers.host import Host

from .tls_server import gateway, issued, made_authority

MODULE, VERSION = "github.com/versity/versitygw/cmd/versitygw", "v1.8.0"
KEY, KEY_SECRET, REGION, BUCKET = "flows-test", "the secret of flows-test", "eu-test-1", "copies"
PORT = 7070
FOLDER = "/objects"
PATIENCE = 60.0
BUILD_SECONDS = 1500
BUILD_VARIABLE = "FLOWS_TEST_BUCKET"
"""Set to 1 where the service may be built: that takes Go seven minutes on two cores."""


class NotBuilt(Exception):
    """Why there is no such program here."""


def program() -> Path:
    """The static binary, built once per user from the Go module. Raises NotBuilt where it is not and cannot be."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "flows" / "versitygw"
    made = folder / VERSION / "versitygw"
    go = shutil.which("go")
    if not made.exists() and not os.environ.get(BUILD_VARIABLE):
        raise NotBuilt(f"versitygw (an S3 service) is not built here; {BUILD_VARIABLE}=1 does it, in minutes")
    if not made.exists() and go is None:
        raise NotBuilt("versitygw (an S3 service) is built with Go, which is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists():
            return made
        partial = folder / f"{VERSION}.partial"
        environment = {**os.environ, "GOBIN": str(partial), "CGO_ENABLED": "0"}
        command = [str(go), "install", "-trimpath", "-ldflags=-s -w", f"{MODULE}@{VERSION}"]
        try:
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=BUILD_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            said = (error.stderr or b"").decode(errors="replace").strip().splitlines()[-1:]
            raise NotBuilt(f"versitygw {VERSION} does not build here: {said or error}") from error
        partial.rename(made.parent)
        return made


@dataclass(frozen=True)
class Service:
    """A service that runs; its data lives as long as its container."""

    host: Host
    name: str
    endpoint: str
    authority: str
    """PEM text of its CA."""

    def settings(self, **more: str) -> BackupSettings:
        """What a stack is configured with to keep its backups here."""
        values: dict[str, str] = {
            "backupArchiveTimeout": "10 seconds",
            "backupS3Bucket": BUCKET,
            "backupS3Region": REGION,
            "backupS3Endpoint": self.endpoint,
            "backupS3Certificate": self.authority,
            "backupS3Key": KEY,
            "backupS3KeySecret": KEY_SECRET,
        }
        return BackupSettings.from_config({**values, **more})

    def inside(self, script: str) -> bytes:
        """What a shell beside the objects answers."""
        return self.host.execute(self.name, ("sh", "-c", f"cd {FOLDER} && {script}"), user="0").checked(script).out

    def objects(self) -> list[str]:
        """Keys of the bucket's objects, sorted."""
        return sorted(self.inside(f"cd {BUCKET} && find . -type f -printf '%P\\n'").decode().splitlines())


@contextmanager
def service(host: Host, image: str, folder: Path, project: str) -> Iterator[Service]:
    """It listens at the host's address in Docker's default bridge, so that every network reaches it, as it would reach
    a service on the Internet. `image` has nothing to do but to be there."""
    address = gateway(host)
    authority = made_authority(folder / "bucket")
    key, certificate = issued(authority.parent, address)
    name = f"{project}-objects"
    container = host.client.containers.create(
        image,
        name=name,
        entrypoint="/versitygw",
        command=["--port", f":{PORT}", "--region", REGION, "--cert", "/tls/server.pem", "--key", "/tls/server.key",
                 "--quiet", "posix", FOLDER],
        environment={"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": KEY_SECRET},
        user="0",
        labels={PROJECT_LABEL: project, STACK_LABEL: "objects"},
        ports={f"{PORT}/tcp": (address, None)},
    )  # fmt: skip
    try:
        files = {"versitygw": program(), "tls/server.pem": certificate, "tls/server.key": key}
        container.put_archive("/", _packed(files, f"{FOLDER[1:]}/{BUCKET}"))
        container.start()
        endpoint = f"{address}:{_listening(host, name)}"
        yield Service(host, name, endpoint, authority.read_text("ascii"))
    finally:
        container.remove(force=True, v=True)


def _packed(files: dict[str, Path], folder: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, path in files.items():
            archive.add(path, name)
        made = tarfile.TarInfo(folder)
        made.type, made.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(made)
    return held.getvalue()


def _listening(host: Host, name: str) -> int:
    deadline = time.monotonic() + PATIENCE
    answers = f"exec 3<>/dev/tcp/127.0.0.1/{PORT}"
    while host.execute(name, ("bash", "-c", answers), user="0").code:
        assert time.monotonic() < deadline, host.logs(name, 20)
        time.sleep(0.3)
    return host.port(name, PORT)
