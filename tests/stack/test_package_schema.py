"""The package schema before Pulumi itself: its checker, and SDKs generated from what the plugin serves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowsctl.pulumi_cli import find
from pulumi_timescaledb.schema_json import TARGET
from pulumi_timescaledb.specs import kind_names, module_name

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.stack]
PLUGIN = ROOT / "pulumi_timescaledb" / "plugin" / "pulumi-resource-timescaledb"
SDKS = {
    "python": ("python", "python/pulumi_timescaledb_sdk/{}.py", module_name),
    "nodejs": ("nodejs", "nodejs/{}.ts", lambda kind: "index_" if kind == "Index" else kind[0].lower() + kind[1:]),
    "go": ("go", "go/timescaledb/{}.go", lambda kind: kind[0].lower() + kind[1:]),
}
"""Language -> its host's name, where a kind's file is, and what it is called."""


def pulumi(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """One command of the CLI, whatever its exit code."""
    cli = find(ROOT)
    assert cli is not None
    environment = {
        **os.environ,
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_TIMESCALEDB_PYTHON": sys.executable,
    }
    command = [cli.path, *arguments, "--color", "never", "--non-interactive"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_pulumi_finds_the_schema_sound(tmp_path: Path) -> None:
    done = pulumi(tmp_path, "schema", "check", TARGET)
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "", "")


def test_pulumi_would_see_a_fault(tmp_path: Path) -> None:
    """What the test above says is worth something: a reference that leads nowhere is found."""
    broken = json.loads(TARGET.read_text(encoding="utf-8"))
    broken["resources"]["timescaledb:index:Table"]["inputProperties"]["columns"]["items"]["$ref"] = "#/types/x:y:Z"
    (tmp_path / "schema.json").write_text(json.dumps(broken))
    assert pulumi(tmp_path, "schema", "check", tmp_path / "schema.json").returncode != 0


def test_the_plugin_serves_it(tmp_path: Path) -> None:
    done = pulumi(tmp_path, "package", "get-schema", PLUGIN)
    assert done.returncode == 0, done.stderr
    served: dict[str, Any] = json.loads(done.stdout)
    assert served["resources"].keys() == json.loads(TARGET.read_text(encoding="utf-8"))["resources"].keys()


@pytest.mark.parametrize("language", SDKS)
def test_an_sdk_has_every_kind(language: str, tmp_path: Path) -> None:
    host, place, named = SDKS[language]
    cli = find(ROOT)
    assert cli is not None
    beside = cli.path.with_name(f"pulumi-language-{host}")
    if shutil.which(beside.name) is None and not beside.exists():
        pytest.skip(f"no {beside.name} on PATH (it comes with the official Pulumi CLI)")
    done = pulumi(tmp_path, "package", "gen-sdk", PLUGIN, "--language", language, "--out", tmp_path / "sdk")
    assert done.returncode == 0, done.stdout + done.stderr
    missing = [kind for kind in kind_names() if not (tmp_path / "sdk" / place.format(named(kind))).exists()]
    assert missing == []
    if language == "python":
        subprocess.run([sys.executable, "-m", "compileall", "-q", tmp_path / "sdk"], check=True)
