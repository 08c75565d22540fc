"""Which Pulumi command to use: the one on PATH, the cached one, a download, or a build.

Run as `python -m flowsctl.pulumi_cli` it prints the path and gets the command if need be (`make setup`).
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowsctl.errors import FlowsError

MINIMUM = (3, 255, 0)
MODULE = "github.com/pulumi/pulumi/pkg/v3"
VERSION_SYMBOL = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
RELEASES = "https://get.pulumi.com/releases/sdk"
INSTALL_PAGE = "https://www.pulumi.com/docs/install/"
REACHABLE_SECONDS = 4
VERSION_SECONDS = 30

Say = Callable[[str], None]


@dataclass(frozen=True)
class PulumiCli:
    """A Pulumi command that works: where it is and its version without the leading `v`."""

    path: Path
    version: str


def pinned_version(root: Path) -> str:
    """The version that `tools/pulumi-cli/go.mod` pins, such as `3.259.0`."""
    text = (root / "tools" / "pulumi-cli" / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"{re.escape(MODULE)} v(\S+)", text)
    if found is None:
        raise FlowsError("tools/pulumi-cli/go.mod does not pin the Pulumi CLI", "restore the file from git")
    return found.group(1)


def cache_folder() -> Path:
    """The per-user folder that every clone shares."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "flows" / "pulumi"


def find(root: Path) -> PulumiCli | None:
    """The command on PATH or the cached one; None where neither is there. Gets nothing."""
    on_path = shutil.which("pulumi")
    if on_path is not None:
        version = working_version(Path(on_path))
        if version is not None and version_tuple(version) >= MINIMUM:
            return PulumiCli(Path(on_path).resolve(), version)
    pinned = pinned_version(root)
    cached = cache_folder() / pinned / "pulumi"
    return PulumiCli(cached, pinned) if os.access(cached, os.X_OK) else None


def resolve(root: Path, say: Say) -> PulumiCli:
    """The command to use, downloaded or built on first use.

    Raises FlowsError where no way of getting it works.
    """
    found = find(root)
    if found is not None:
        return found
    version = pinned_version(root)
    with _only_one(cache_folder(), version, say):
        found = find(root)
        return found if found is not None else _get(root, version, say)


def working_version(command: Path) -> str | None:
    """What `command version` says, without the `v`; None where it does not run or says nothing sensible."""
    try:
        done = subprocess.run(
            [command, "version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = done.stdout.strip().removeprefix("v")
    return text if done.returncode == 0 and re.match(r"\d+\.\d+\.\d+", text) else None


def version_tuple(version: str) -> tuple[int, ...]:
    """`3.259.0-dev.1` as (3, 259, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


@contextmanager
def _only_one(folder: Path, version: str, say: Say) -> Iterator[None]:
    """Hold the lock of this version, so that two clones do not get it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{version}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is getting the Pulumi CLI: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _get(root: Path, version: str, say: Say) -> PulumiCli:
    target = cache_folder() / version
    partial = cache_folder() / f"{version}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        if not _download(version, partial, say):
            _build(root, version, partial, say)
        if working_version(partial / "pulumi") != version:
            raise FlowsError(
                f"the Pulumi CLI that was just made does not run or is not {version}",
                f"install Pulumi {version} by hand and put it on PATH",
            )
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    say(f"Pulumi CLI {version} is in {target}")
    return PulumiCli(target / "pulumi", version)


def _download(version: str, folder: Path, say: Say) -> bool:
    """Fetch the official release into `folder`; False where its host cannot be reached."""
    import tarfile
    import urllib.error
    import urllib.request

    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    if system is None or machine is None:
        return False
    url = f"{RELEASES}/pulumi-v{version}-{system}-{machine}.tar.gz"
    try:
        head = urllib.request.Request(url, method="HEAD")
        urllib.request.urlopen(head, timeout=REACHABLE_SECONDS).close()
        say(f"downloading Pulumi CLI {version}")
        with (
            urllib.request.urlopen(url, timeout=60) as answer,
            tarfile.open(fileobj=answer, mode="r|gz") as archive,
        ):
            for member in archive:
                name = Path(member.name).name
                source = archive.extractfile(member) if member.isfile() else None
                if source is not None:
                    with (folder / name).open("wb") as out:
                        shutil.copyfileobj(source, out)
                    (folder / name).chmod(0o755)
    except (OSError, urllib.error.URLError, tarfile.TarError):
        return False
    return (folder / "pulumi").exists()


def _build(root: Path, version: str, folder: Path, say: Say) -> None:
    """Compile the pinned Go module into `folder`; about four minutes on two cores."""
    go = shutil.which("go")
    if go is None:
        raise FlowsError(
            "the Pulumi CLI is missing: its installer cannot be reached, and there is no Go to build it with",
            f"install Pulumi ({INSTALL_PAGE}) or Go 1.25 or newer, then run make setup again",
        )
    say(f"building Pulumi CLI {version} with Go: about four minutes, once per user")
    command = [go, "build", "-v", "-trimpath", "-buildvcs=false"]
    command += ["-ldflags", f"-s -w -X {VERSION_SYMBOL}=v{version}", "-o", str(folder / "pulumi")]
    command += [f"{MODULE}/cmd/pulumi"]
    tail: list[str] = []
    with subprocess.Popen(
        command,
        cwd=root / "tools" / "pulumi-cli",
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for count, line in enumerate(process.stderr, start=1):
            tail = [*tail[-4:], line.strip()]
            if count % 100 == 0:
                say(f"  {count} packages done")
    if process.returncode != 0:
        raise FlowsError(
            "the Pulumi CLI could not be built: " + " / ".join(tail),
            f"install Pulumi by hand ({INSTALL_PAGE}), or give Go network access and run make setup again",
        )


def main() -> int:
    """Print the command's path; get it first if need be. 0 or 1 as exit code."""
    try:
        cli = resolve(Path(__file__).resolve().parent.parent, lambda text: print(text, file=sys.stderr, flush=True))
    except FlowsError as error:
        print(f"error: {error.message}\nnext:  {error.hint}", file=sys.stderr)
        return error.code
    print(cli.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
