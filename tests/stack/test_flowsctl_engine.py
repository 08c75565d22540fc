"""flowsctl on the real Pulumi engine and the file backend, with a small project of its own in a temporary folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("flowsctl-engine")]

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import pathlib
import time
import pulumi

print("the program's own words")
config = pulumi.Config()


class Thing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Thing", name, {})
        self.register_outputs({})


if config.get("waitFor"):
    mark = pathlib.Path(config.require("waitFor"))
    mark.touch()
    while mark.exists():
        time.sleep(0.05)
for number in range(config.require_int("things")):
    Thing(f"thing-{number}")
if config.get("fail"):
    raise RuntimeError(config.require("fail"))
port = config.require_int("apiPort")
pulumi.export("engine", "external")
where = {"host": "127.0.0.1", "port": 9, "name": "flows", "user": "me"}
pulumi.export("database", where | {"dsn": "host=127.0.0.1 port=9"})
pulumi.export("api", {"url": f"http://127.0.0.1:{port}"})
pulumi.export("roles", ["public_backend"])
pulumi.export("rootSecret", config.require_secret("rootSecret"))
pulumi.export("jwtSecret", config.require_secret("rootSecret").apply(lambda root: "jwt-" + root))
pulumi.export("passwords", pulumi.Output.secret({"me": "geheim"}))
"""


class Project:
    """A clone in miniature: flowsctl, its launcher and a program; state and stacks are its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "flowsctl", root / "flowsctl", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "bin", root / "bin")
        shutil.copytree(ROOT / "tools", root / "tools")
        for shared in (".venv", "components", "flows", "pulumi_timescaledb", "sql_templates"):
            (root / shared).symlink_to(ROOT / shared)
        (root / "__main__.py").write_text(PROGRAM)
        project = {"name": "flows", "runtime": {"name": "python", "options": {"virtualenv": ".venv"}}}
        project["config"] = {"flows:things": {"type": "integer", "default": 2}}
        (root / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        self.commit({"flows:disposable": True, "flows:apiPort": 0})

    def commit(self, config: dict[str, Any]) -> None:
        (self.root / "Pulumi.local.yaml").write_text(yaml.safe_dump({"config": config}))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        hidden = ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
        return subprocess.Popen(
            [self.root / "bin" / "flowsctl", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={key: value for key, value in os.environ.items() if key not in hidden},
        )

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"{arguments}\n{out}\n{err}"
        return out, err

    def standing(self) -> None:
        """Bring the stack up unless an earlier test has."""
        if not (self.root / ".flows/state/.pulumi/stacks/flows/local.json").exists():
            self.run("up")

    def engine(self) -> int:
        """The process that has the lock."""
        (lock,) = (self.root / ".flows/state/.pulumi/locks").rglob("*.json")
        return int(json.loads(lock.read_text())["pid"])

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.run(*arguments, "--json", code=code)[0]))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))


def counts(**changed: int) -> dict[str, int]:
    return {"create": 0, "update": 0, "replace": 0, "delete": 0, "import": 0, "same": 0} | changed


def test_life_of_a_stack(project: Project) -> None:
    """Before any other: the stack is not there yet."""
    assert "run flowsctl up first" in project.run("outputs", code=1)[1]
    preview = project.json("preview")
    assert preview["counts"] == counts(create=3)
    assert {change["name"] for change in preview["changes"]} == {"flows-local", "thing-0", "thing-1"}
    assert set(preview["changes"][0]) == {"urn", "type", "name", "op", "diff", "sql"}

    out, err = project.run("up")
    assert "3 created" in out
    assert "+ test:index:Thing thing-0" in err
    assert "the program's own words" in err
    assert "database  host=127.0.0.1 port=9" in out
    assert project.json("up")["counts"] == counts(same=3)
    assert project.json("preview")["counts"] == counts(same=3)
    assert project.json("refresh")["changes"] == []


def test_state_that_a_killed_command_left_is_read(project: Project) -> None:
    """The file backend writes the attributes of each file in place, so that a kill can leave them empty."""
    project.standing()
    state = project.root / ".flows/state/.pulumi"
    torn = [
        state / "stacks/flows/local.json.attrs",
        state / "stacks/flows/local.json.bak.attrs",
        state / "meta.yaml.attrs",
    ]
    for path in torn:
        assert path.exists()
        path.write_text("")
    assert project.json("preview")["counts"] == counts(same=3)
    assert project.json("outputs")["engine"] == "external"
    for path in torn:
        path.write_text('{"user.cache_')
    project.json("up")
    assert json.loads(torn[0].read_text())


def test_values_of_one_run_change_nothing_for_the_next(project: Project) -> None:
    project.standing()
    assert project.json("preview", "--config", "things=4")["counts"] == counts(create=2, same=3)
    assert project.json("preview", "--config", "flows:things=1")["counts"] == counts(delete=1, same=2)
    assert project.json("preview")["counts"] == counts(same=3)


def test_secrets_stay_out_of_files_and_outputs(project: Project) -> None:
    project.standing()
    plain = project.json("outputs")
    assert set(plain) == {"engine", "database", "api", "roles"}
    secrets = project.json("outputs", "--show-secrets")["secrets"]
    assert secrets["passwords"] == {"me": "geheim"}
    root_secret = secrets["jwt"].removeprefix("jwt-")
    assert len(bytes.fromhex(root_secret)) == 32
    for path in (project.root / ".flows").rglob("*"):
        if path.is_file():
            assert root_secret not in path.read_text(errors="replace"), path
    assert "salt" not in (project.root / "Pulumi.local.yaml").read_text()


def test_a_failing_program_is_a_sentence(project: Project) -> None:
    out, err = project.run("up", "--config", "fail=the cupboard is bare", code=1)
    assert "error: the cupboard is bare" in err
    assert "Traceback" not in out + err
    assert "Traceback" in project.run("up", "--config", "fail=again", "--debug", code=1)[1]
    report = project.json("preview", "--config", "fail=again", code=1)
    assert [found["message"] for found in report["diagnostics"]] == ["again"]


def start_waiting(project: Project, mark: Path) -> subprocess.Popen[str]:
    """A run whose program waits until `mark` is deleted."""
    process = project.start("up", "--config", f"waitFor={mark}")
    while not mark.exists():
        assert process.poll() is None
        time.sleep(0.05)
    return process


def test_interrupt_cancels_and_leaves_no_lock(project: Project, tmp_path: Path) -> None:
    project.standing()
    mark = tmp_path / "running"
    process = start_waiting(project, mark)
    process.send_signal(signal.SIGINT)
    mark.unlink()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "cancelled" in err
    assert not list((project.root / ".flows/state/.pulumi/locks").rglob("*.json"))
    assert project.json("preview")["counts"] == counts(same=3)


def test_interrupt_reaches_the_engine_though_nobody_reads(project: Project, tmp_path: Path) -> None:
    project.standing()
    mark = tmp_path / "running"
    process = start_waiting(project, mark)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    process.send_signal(signal.SIGINT)
    mark.unlink()
    assert process.wait(60) == 130
    assert not list((project.root / ".flows/state/.pulumi/locks").rglob("*.json"))


def test_the_third_interrupt_ends_an_engine_that_hangs(project: Project, tmp_path: Path) -> None:
    project.standing()
    mark = tmp_path / "running"
    process = start_waiting(project, mark)
    engine = project.engine()
    os.kill(engine, signal.SIGSTOP)
    try:
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)  # two at once are one
        _, err = process.communicate(timeout=60)
    finally:
        mark.unlink()
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine, signal.SIGKILL)
    assert process.returncode == 130, err
    assert f"cleared the lock of a run that died (process {engine}" in project.run("up")[1]


def test_a_living_lock_is_named_and_a_dead_one_cleared(project: Project, tmp_path: Path) -> None:
    project.standing()
    mark = tmp_path / "running"
    process = start_waiting(project, mark)
    engine = project.engine()
    assert f"process {engine}" in project.run("up", code=1)[1]
    os.kill(engine, signal.SIGKILL)
    process.kill()
    process.communicate(timeout=60)
    assert project.engine() == engine, "SIGKILL leaves the lock"
    assert f"cleared the lock of a run that died (process {engine}" in project.run("up")[1]


def test_a_lost_working_copy_is_rebuilt_from_the_state(project: Project) -> None:
    project.standing()
    before = project.json("outputs", "--show-secrets")
    passphrase = (project.root / ".flows/stacks/local/passphrase").read_text()
    shutil.rmtree(project.root / ".flows/stacks/local")
    (project.root / ".flows/stacks/local").mkdir()
    (project.root / ".flows/stacks/local/passphrase").write_text(passphrase)
    project.standing()
    assert project.json("outputs", "--show-secrets")["secrets"] == before["secrets"]


def test_a_root_secret_that_is_lost_is_never_replaced_by_another(project: Project) -> None:
    project.standing()
    program = project.root / "__main__.py"
    program.write_text("\n".join(line for line in PROGRAM.splitlines() if '"rootSecret", config' not in line))
    project.json("up")
    kept = project.root / ".flows/kept"
    shutil.copytree(project.root / ".flows/stacks/local", kept)
    (project.root / ".flows/stacks/local/Pulumi.local.yaml").unlink()
    try:
        assert "its root secret is neither here nor in its outputs" in project.run("up", code=1)[1]
    finally:
        shutil.rmtree(project.root / ".flows/stacks/local")
        kept.rename(project.root / ".flows/stacks/local")
        program.write_text(PROGRAM)
    assert project.json("up")["counts"] == counts(same=3)


def test_the_database_that_does_not_answer_is_a_sentence(project: Project) -> None:
    project.standing()
    for command in (("token", "--esco", "x"), ("jobs", "run")):
        assert "error: the database does not answer" in project.run(*command, code=1)[1]


def test_destroy_and_purge_leave_nothing(project: Project) -> None:
    project.standing()
    assert project.json("destroy", "--preview")["counts"] == counts(delete=3)
    project.run("destroy", code=2)
    assert project.json("preview")["counts"] == counts(same=3)
    assert "3 deleted" in project.run("destroy", "--yes")[0]
    assert project.json("preview")["counts"] == counts(create=3)
    project.run("destroy", "--yes", "--purge")
    assert not (project.root / ".flows").exists()
    assert "nothing to destroy" in project.run("destroy", "--yes", "--purge")[1]
    assert not (project.root / ".flows").exists()
