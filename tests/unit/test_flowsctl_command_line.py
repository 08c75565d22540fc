"""The command line itself: help, speed, options before and after a command, exit codes, launcher, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from flowsctl import registry
from flowsctl.commands.psql import connection_variables
from flowsctl.commands.up import farewell
from flowsctl.errors import FlowsError, UsageError
from flowsctl.options import parse_pairs
from flowsctl.pulumi_cli import pinned_version
from flowsctl.stack_outputs import StackOutputs
from flowsctl.tokens import seconds, sign
from pulumi_timescaledb import __version__

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "bin" / "flowsctl"
UNWANTED = ("rich", "pydantic", "asyncio", "pulumi", "psycopg", "yaml", "jinja2")
"""Each costs a tenth of a quick command or more; help needs none."""
RAW = {
    "engine": "embedded",
    "database": {"host": "/run/x", "port": 5432, "name": "flows", "user": "tsdbadmin", "dsn": "host=/run/x"},
    "api": {"url": "http://127.0.0.1:23001"},
    "jwtAudience": "flows-api",
    "roles": ["public_backend", "flows"],
    "jwtSecret": "0123456789abcdef0123456789abcdef",
    "passwords": {"tsdbadmin": "geheim"},
}


def flowsctl(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LAUNCHER, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        env=os.environ | environment,
        check=False,
    )


def test_version_names_package_and_pulumi(tmp_path: Path) -> None:
    done = flowsctl("--version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"flowsctl {__version__}, pulumi {pinned_version(ROOT)}, python 3.")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(("preveiw",), "Did you mean 'preview'?"), (("plan", "--stack", "dve"), "or take one of dev, local")],
)
def test_a_typo_is_told_what_there_is(typed: tuple[str, ...], meant: str) -> None:
    done = flowsctl(*typed)
    assert done.returncode == 2
    assert meant in done.stderr


def test_help_lists_every_command_and_loads_none(tmp_path: Path) -> None:
    done = flowsctl("--help", cwd=tmp_path)
    assert done.returncode == 0
    for name in registry.names():
        assert f"  {name} " in done.stdout
        assert registry.summary(name)
    heavy = (
        "import sys; from flowsctl.main import app; import flowsctl.registry as r; [r.summary(n) for n in r.names()]; "
    )
    loaded = subprocess.run(
        [sys.executable, "-c", heavy + f"print([m for m in {UNWANTED} if m in sys.modules])"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("name", registry.names())
def test_every_command_takes_the_shared_options(name: str) -> None:
    command = registry.load(name)
    leaves = list(getattr(command, "commands", {"": command}).values())
    for leaf in leaves:
        options = {option for param in leaf.params for option in param.opts}
        assert {"--stack", "--config", "--json", "--debug"} <= options


def test_launcher_follows_links_and_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to(LAUNCHER)
    (tmp_path / "second").symlink_to("first")
    done = subprocess.run([tmp_path / "second", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    bare = tmp_path / "clone" / "bin" / "flowsctl"
    bare.parent.mkdir(parents=True)
    bare.write_text(LAUNCHER.read_text())
    bare.chmod(0o755)
    done = subprocess.run([bare], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run make setup" in done.stderr


def test_wrong_usage_is_2() -> None:
    assert flowsctl("nonsense").returncode == 2
    assert flowsctl("outputs", "--config", "novalue").returncode == 2
    done = flowsctl("--json", "--stack", "no-such-stack", "outputs")
    assert done.returncode == 2
    assert json.loads(done.stderr)["error"]["exit_code"] == 2
    assert "Traceback" not in done.stderr


def test_destroy_never_asks_without_a_terminal() -> None:
    done = flowsctl("destroy", "--stack", "no-such-stack")
    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_completion_completes_commands_and_stacks() -> None:
    done = flowsctl(_FLOWSCTL_COMPLETE="complete_bash", COMP_WORDS="flowsctl pre", COMP_CWORD="1")
    assert done.stdout.split() == ["preview"]
    done = flowsctl("--show-completion", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1", SHELL="bash")
    assert done.returncode in (0, 1, 2)


@pytest.mark.parametrize(
    ("command", "options"),
    [("plan", ["--out", "--sql"]), ("preview", ["--sql"]), ("up", ["--plan"])],
)
def test_help_and_completion_know_the_options_of_planning(command: str, options: list[str]) -> None:
    done = flowsctl(command, "--help")
    assert done.returncode == 0
    assert "Exit code 0" in done.stdout
    for option in options:
        assert option in done.stdout
        words = f"flowsctl {command} {option}"
        found = flowsctl(_FLOWSCTL_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="2")
        assert option in found.stdout.split()


def test_a_plan_that_is_not_there_is_wrong_usage() -> None:
    assert flowsctl("up", "--plan", "/nowhere/plan.json").returncode == 2


def test_pairs() -> None:
    assert parse_pairs(["a=1", "b:c=x=y"]) == {"a": "1", "b:c": "x=y"}
    with pytest.raises(UsageError):
        parse_pairs(["=1"])


def test_outputs_show_secrets_only_when_asked() -> None:
    plain = StackOutputs.parse(RAW, show_secrets=False)
    assert plain.as_json() == {
        "engine": "embedded",
        "database": RAW["database"],
        "api": {"url": "http://127.0.0.1:23001"},
        "roles": ["public_backend", "flows"],
    }
    shown = StackOutputs.parse(RAW, show_secrets=True)
    assert shown.as_json()["secrets"] == {"jwt": RAW["jwtSecret"], "passwords": {"tsdbadmin": "geheim"}}
    assert "geheim" not in repr(shown)
    with pytest.raises(FlowsError, match="not complete"):
        StackOutputs.parse({"engine": "x"}, show_secrets=False)


def test_token_has_the_claims_and_verifies() -> None:
    outputs = StackOutputs.parse(RAW, show_secrets=True)
    claims, text = sign(outputs, "public_backend", "6c2b", 60)
    assert jwt.decode(text, outputs.jwt_secret, algorithms=["HS256"], audience="flows-api") == claims
    assert claims["exp"] - claims["iat"] == 60
    with pytest.raises(FlowsError, match="no JWT secret"):
        sign(StackOutputs.parse(RAW, show_secrets=False), "public_backend", "6c2b", 60)


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604800)])
def test_ttl(text: str, value: int) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "0h", "1w", "1.5h"])
def test_ttl_refuses(text: str) -> None:
    with pytest.raises(UsageError):
        seconds(text)


def test_psql_gets_the_password_by_environment() -> None:
    found = connection_variables(StackOutputs.parse(RAW, show_secrets=True))
    assert found["PGPASSWORD"] == "geheim"
    assert found["PGHOST"] == "/run/x"
    assert "PGPASSWORD" not in connection_variables(StackOutputs.parse(RAW, show_secrets=False))


def test_farewell_has_three_things_to_try() -> None:
    outputs = StackOutputs.parse(RAW, show_secrets=False)
    with_esco = farewell("local", outputs, "hmce")
    assert (
        '  curl -H "Authorization: Bearer $(bin/flowsctl token --esco hmce)" http://127.0.0.1:23001/meter_registry'
        in with_esco
    )
    assert len(with_esco) - with_esco.index("next, try:") - 1 == 3
    without = farewell("dev", outputs, "")
    assert "  bin/flowsctl demo load --stack dev" in without
