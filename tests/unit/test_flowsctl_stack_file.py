"""The working copy of a stack file: what wins, what stays, what goes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flowsctl import stack_file
from flowsctl.errors import FlowsError, UsageError
from flowsctl.session import is_disposable
from flowsctl.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "Pulumi.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "flows",
                "runtime": {"name": "python", "options": {"virtualenv": ".venv"}},
                "plugins": {"providers": [{"name": "timescaledb", "path": "./plugin"}]},
                "config": {"flows:disposable": {"type": "boolean", "default": False}, "flows:plain": 7},
            }
        )
    )
    commit(tmp_path, {"flows:engine": "embedded", "flows:apiPort": 0, "flows:days": 3})
    found = Workspace(tmp_path, "local")
    found.prepare()
    return found


def commit(root: Path, config: dict[str, object]) -> None:
    (root / "Pulumi.local.yaml").write_text(yaml.safe_dump({"config": config}))


def store(workspace: Workspace, **generated: object) -> None:
    file = stack_file.read(workspace.config_file)
    file["encryptionsalt"] = "v1:salt"
    file["config"] |= generated
    workspace.config_file.write_text(yaml.safe_dump(file))


def test_first_copy_has_the_committed_values_and_a_port(workspace: Workspace) -> None:
    config = stack_file.refresh_working_copy(workspace)["config"]
    assert config["flows:engine"] == "embedded"
    assert config["flows:apiPort"] in stack_file.PORT_RANGE
    assert stack_file.read(workspace.config_file)["config"] == config


def test_port_secret_and_salt_are_kept_while_committed_values_flow_in(workspace: Workspace) -> None:
    port = stack_file.refresh_working_copy(workspace)["config"]["flows:apiPort"]
    store(workspace, **{"flows:rootSecret": {"secure": "v1:x"}})
    commit(workspace.root, {"flows:engine": "docker", "flows:apiPort": 0})
    file = stack_file.refresh_working_copy(workspace)
    assert file["encryptionsalt"] == "v1:salt"
    database_port = file["config"].pop("flows:databasePort")  # which only this engine has
    assert database_port in stack_file.PORT_RANGE
    assert stack_file.refresh_working_copy(workspace)["config"]["flows:databasePort"] == database_port
    assert file["config"] == {
        "flows:engine": "docker",
        "flows:apiPort": port,
        "flows:rootSecret": {"secure": "v1:x"},
    }


def test_a_committed_port_wins_and_an_absent_one_is_chosen(workspace: Workspace) -> None:
    stack_file.refresh_working_copy(workspace)
    commit(workspace.root, {"flows:apiPort": 4444})
    assert stack_file.refresh_working_copy(workspace)["config"]["flows:apiPort"] == 4444
    commit(workspace.root, {})
    assert stack_file.refresh_working_copy(workspace)["config"]["flows:apiPort"] == 4444


def test_two_refreshes_write_the_same_file(workspace: Workspace) -> None:
    stack_file.refresh_working_copy(workspace)
    before = workspace.config_file.read_text()
    stack_file.refresh_working_copy(workspace)
    assert workspace.config_file.read_text() == before


def test_values_of_one_run_leave_no_trace(workspace: Workspace) -> None:
    stack_file.refresh_working_copy(workspace)
    before = workspace.config_file.read_text()
    with stack_file.for_one_run(workspace, {"disposable": "false", "flows:days": "9"}) as path:
        assert path is not None
        assert stack_file.read(path)["config"]["flows:disposable"] is False
        assert stack_file.read(path)["config"]["flows:days"] == 9
    assert not path.exists()
    assert workspace.config_file.read_text() == before
    with stack_file.for_one_run(workspace, {}) as none:
        assert none is None


def test_effective_value_order(workspace: Workspace) -> None:
    stack_file.refresh_working_copy(workspace)
    assert stack_file.effective(workspace, "days", {"days": "5"}) == 5
    assert stack_file.effective(workspace, "days", {}) == 3
    assert stack_file.effective(workspace, "disposable", {}) is False
    assert stack_file.effective(workspace, "plain", {}) == 7
    assert stack_file.effective(workspace, "unknown", {}) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("-12", -12),
        ("1:30", "1:30"),
        ("7 days", "7 days"),
        ("0.5", "0.5"),
        ("[1, 2]", [1, 2]),
        ("[x", "[x"),
        ("", ""),
        ("no", "no"),
    ],
)
def test_typed(text: str, value: object) -> None:
    assert stack_file.typed(text) == value


def test_broken_file_is_a_sentence(workspace: Workspace) -> None:
    workspace.committed_file.write_text("a: [")
    with pytest.raises(FlowsError, match="not valid YAML"):
        stack_file.refresh_working_copy(workspace)


def test_prepare_makes_a_passphrase_that_only_its_owner_reads(workspace: Workspace) -> None:
    path = workspace.folder / "passphrase"
    text = path.read_text()
    assert len(text.strip()) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    workspace.prepare()
    assert path.read_text() == text
    path.write_text("\n")
    workspace.prepare()
    assert path.read_text().strip(), "an empty passphrase is replaced"


def test_generated_project_has_absolute_paths(workspace: Workspace) -> None:
    project = yaml.safe_load((workspace.folder / "Pulumi.yaml").read_text())
    assert project["main"] == str(workspace.root)
    assert project["plugins"]["providers"][0]["path"] == str(workspace.root / "plugin")
    assert project["runtime"]["options"]["virtualenv"] == str(workspace.root / ".venv")


def test_passphrase_of_the_environment_wins(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    assert workspace.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(workspace.folder / "passphrase")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "mine")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in workspace.environment()


def test_backend(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    assert workspace.backend_folder == workspace.root / ".flows" / "state"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert workspace.backend_url == "s3://bucket"
    assert workspace.backend_folder is None


def test_unknown_stack_and_bad_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a stack name"):
        Workspace(tmp_path, "../x")
    with pytest.raises(UsageError, match=r"Pulumi\.gone\.yaml does not exist"):
        Workspace(tmp_path, "gone").prepare()


def test_remove_keeps_what_other_stacks_need(workspace: Workspace) -> None:
    other = workspace.root / ".flows" / "state" / ".pulumi" / "stacks" / "flows" / "other.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    workspace.remove()
    assert other.exists()
    assert not workspace.folder.exists()
    other.unlink()
    workspace.remove()
    assert not (workspace.root / ".flows").exists()


def test_a_disposable_taken_back_in_git_counts_at_once(workspace: Workspace) -> None:
    """A destroy right after the commit must already be refused: nothing else refreshes the working copy before it."""
    workspace.committed_file.write_text("config:\n  flows:disposable: true\n")
    assert is_disposable(workspace, {})
    workspace.committed_file.write_text("config:\n  flows:disposable: false\n")
    assert not is_disposable(workspace, {})
    assert is_disposable(workspace, {"disposable": "true"})
