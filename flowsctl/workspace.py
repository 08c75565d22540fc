"""Where things live: `.flows/` in the repository root (git-ignored), one folder per stack.

    .flows/stacks/<stack>/Pulumi.yaml           generated from the repository's, with absolute paths
    .flows/stacks/<stack>/Pulumi.<stack>.yaml   the committed stack file plus what was generated
    .flows/stacks/<stack>/committed.yaml        the committed file as it was last seen
    .flows/stacks/<stack>/passphrase            encrypts the stack's secrets; 0600
    .flows/state/                               state, unless PULUMI_BACKEND_URL says otherwise
    .flows/data/<stack>/                        the embedded server's folder

The Pulumi commands run in `.flows/stacks/<stack>/`: `pulumi stack` knows no `--config-file` and would write a
salt into the committed stack file otherwise.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from flowsctl.alone import alone
from flowsctl.errors import FlowsError, UsageError

PASSPHRASE_BYTES = 32
ATTRIBUTES = ".attrs"
"""What the file backend calls the file of attributes beside each of its files."""
# An empty passphrase would encrypt nothing, and an empty variable would still win over the file.
PASSPHRASE_VARIABLES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def repository() -> Path:
    """The root of this repository."""
    return Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Workspace:
    """The files of one stack of the project in `root`."""

    root: Path
    stack: str

    def __post_init__(self) -> None:
        """Raises UsageError for a stack name that is not a plain word."""
        if not self.stack.replace("-", "").replace("_", "").isalnum():
            raise UsageError(
                f"{self.stack!r} is not a stack name", "use letters, digits, - and _, such as --stack local"
            )

    @property
    def folder(self) -> Path:
        """The stack's own folder, in which Pulumi runs."""
        return self.root / ".flows" / "stacks" / self.stack

    @property
    def data(self) -> Path:
        """The embedded server's folder."""
        return self.root / ".flows" / "data" / self.stack

    @property
    def committed_file(self) -> Path:
        """The stack file in git: no salt, no secret."""
        return self.root / f"Pulumi.{self.stack}.yaml"

    @property
    def config_file(self) -> Path:
        """The working copy of the stack file."""
        return self.folder / f"Pulumi.{self.stack}.yaml"

    @property
    def backend_url(self) -> str:
        """Where the state is."""
        return os.environ.get("PULUMI_BACKEND_URL") or (self.root / ".flows" / "state").as_uri()

    @property
    def backend_folder(self) -> Path | None:
        """The state folder where the backend is local files, else None."""
        url = self.backend_url
        return Path(url.removeprefix("file://")).expanduser() if url.startswith("file://") else None

    def project(self) -> dict[str, Any]:
        """The repository's Pulumi.yaml. Raises FlowsError where there is none."""
        return copy.deepcopy(self._project)

    @property
    def _project(self) -> dict[str, Any]:
        path = self.root / "Pulumi.yaml"
        if not path.exists():
            raise FlowsError(f"{path} is missing", "restore it from git")
        return _parsed(path, path.stat().st_mtime_ns)

    @property
    def project_name(self) -> str:
        """The project's name, which is also the namespace of its config keys."""
        return str(self._project["name"])

    @property
    def owner(self) -> str:
        """project/stack, as the database's ledger calls the owner of an object."""
        return f"{self.project_name}/{self.stack}"

    def prepare(self) -> None:
        """Create the folders, the passphrase and the generated project file."""
        if not self.committed_file.exists() and not self.config_file.exists():
            there = ", ".join(sorted(path.name.split(".")[1] for path in self.root.glob("Pulumi.*.yaml")))
            raise UsageError(
                f"there is no stack {self.stack}: {self.committed_file.name} does not exist",
                f"write {self.committed_file.name}" + (f", or take one of {there}" if there else ""),
            )
        if not self.folder.is_dir():
            with alone(self.root):
                self.folder.mkdir(parents=True, exist_ok=True)
        (self.root / ".flows").chmod(0o700)
        if (state := self.backend_folder) is not None:
            state.mkdir(parents=True, exist_ok=True)
        self._mend_state()
        self._write_project()
        self._make_passphrase()

    def environment(self) -> dict[str, str]:
        """What every Pulumi command of this stack needs in its environment."""
        found = {"PULUMI_BACKEND_URL": self.backend_url, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        if not any(os.environ.get(name) for name in PASSPHRASE_VARIABLES):
            found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(self.folder / "passphrase")
        return found

    def states(self) -> set[str]:
        """Stacks of any project that the state folder knows; none where the state is elsewhere. Other runs may be
        taking files out of it at the same time."""
        if self.backend_folder is None:
            return set()
        found = os.walk(self.backend_folder / ".pulumi" / "stacks")
        return {name.split(".")[0] for _, _, names in found for name in names if name.endswith(".json")}

    def remove(self) -> None:
        """Delete everything local of this stack, once the backend has forgotten it. What stacks share goes with the
        last one; one that is being made has its folder before its state."""
        flows = self.root / ".flows"
        shutil.rmtree(self.data, ignore_errors=True)
        (flows / "history" / f"{self.stack}.jsonl").unlink(missing_ok=True)
        with alone(self.root):
            shutil.rmtree(self.folder, ignore_errors=True)
            is_last = not any((flows / "stacks").glob("*"))
            if is_last and self.backend_folder == flows / "state" and not self.states():
                shutil.rmtree(flows / "state", ignore_errors=True)  # histories and backups of stacks that have gone
            for folder in (flows / "stacks", flows / "data", flows / "history", flows):
                with contextlib.suppress(OSError):  # another stack has something in it
                    folder.rmdir()

    def _mend_state(self) -> None:
        """Takes away what a killed Pulumi command left of the files of attributes beside the state and its backup. It
        writes them in place (gocloud.dev/blob/fileblob, setAttrs); with an empty one no command could read the state,
        "failed to load checkpoint: EOF" (make kill), and without one nothing is missed."""
        if self.backend_folder is None:
            return
        base = self.backend_folder / ".pulumi"
        found = base.glob(f"stacks/{self.project_name}/{self.stack}.json*{ATTRIBUTES}")
        for path in (base / f"meta.yaml{ATTRIBUTES}", *found):
            try:
                json.loads(path.read_bytes())
            except FileNotFoundError:
                continue
            except ValueError:
                path.unlink(missing_ok=True)

    def _write_project(self) -> None:
        project = self.project()
        project["main"] = str(self.root)
        for plugins in (project.get("plugins") or {}).values():
            for plugin in plugins:
                plugin["path"] = str((self.root / plugin["path"]).resolve())
        runtime = project.get("runtime")
        options = runtime.get("options", {}) if isinstance(runtime, dict) else {}
        if "virtualenv" in options:
            options["virtualenv"] = str(self.root / options["virtualenv"])
        write_atomically(self.folder / "Pulumi.yaml", dump_yaml(project))

    def _make_passphrase(self) -> None:
        path = self.folder / "passphrase"
        if path.exists() and path.read_text(encoding="ascii").strip():
            return
        write_atomically(path, secrets.token_hex(PASSPHRASE_BYTES) + "\n")


@cache
def _parsed(path: Path, _modified: int) -> dict[str, Any]:
    return dict(load_yaml(path.read_text(encoding="utf-8")))


def load_yaml(text: str) -> Any:
    """Parse YAML with libyaml where PyYAML was built with it: the settings in Pulumi.yaml take 60 ms without."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def dump_yaml(value: Any) -> str:
    """Write YAML, keys in their order."""
    text: str = yaml.dump(value, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False)
    return text


def write_atomically(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only. One that says this already stays: a command that only
    asks then waits for no disk."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        path.chmod(0o600)
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
