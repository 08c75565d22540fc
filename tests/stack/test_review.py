"""A pull request reviewed from a clone without state: reports, exit codes, the change proved on a copy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack-review")]

EDITS = {
    "flows/tables/meters.py": (
        'col("hardware", "text"',
        'col("imsi", "text", "Subscriber identity of the SIM card."),\n        col("hardware", "text"',
    ),
    "flows/settings.py": ('keep("meter_csq", "90 days")', 'keep("meter_csq", "60 days")'),
    "Pulumi.yaml": (
        'meterCsqRetention:\n    type: string\n    default: "90 days"',
        'meterCsqRetention:\n    type: string\n    default: "60 days"',
    ),
    "flows/views.py": (
        """    "meters_clock_drift": (
        "Meters whose clock is off, the worst first.",
        {"clock_time_diff_seconds": "Clock error in seconds, either sign.", **_METER},
    ),
""",
        "",
    ),
}
"""A column more, a retention cut short, a view gone."""
VIEW_QUERY = """\
        "meters_clock_drift": sql("views/meters_clock_drift", clock_drift_seconds=settings.clock_drift_seconds),
"""
ALLOWED = ("--config", 'allow=["retention:flows.meter_csq"]')
KEEP = ("--config", "disposable=false")


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def clone(new_stack: Callable[[], Stack]) -> Iterator[Stack]:
    """A clone whose branch holds the change, its base one commit earlier; nothing is up."""
    stack = new_stack()
    git(stack.root, "init", "--quiet")
    (stack.root / ".git" / "info").mkdir(exist_ok=True)
    (stack.root / ".git" / "info" / "exclude").write_text(".venv\nnode_modules\n")
    git(stack.root, "add", "--all")
    git(stack.root, "commit", "--quiet", "--message", "base")
    for name, (old, new) in EDITS.items():
        path = stack.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1).replace(VIEW_QUERY, ""))
    git(stack.root, "commit", "--quiet", "--all", "--message", "change")
    yield stack
    assert git(stack.root, "worktree", "list").count("\n") == 1, "a trial's tree was left"


def reports(stack: Stack) -> tuple[dict[str, Any], str, str]:
    document, comment, page = (stack.root / f"pr.{ending}" for ending in ("json", "md", "html"))
    return json.loads(document.read_text()), comment.read_text(), page.read_text()


FILES = ("--markdown", "pr.md", "--html", "pr.html", "--json-file", "pr.json")


def in_root(stack: Stack) -> tuple[str, ...]:
    return tuple(str(stack.root / name) if "." in name else name for name in FILES)


def test_refused_until_the_loss_is_allowed(clone: Stack) -> None:
    done = clone.ctl("preview", "--against", "HEAD~1", *KEEP, *in_root(clone), check=False)
    assert done.returncode == 3, done.stderr
    assert 'add "retention:flows.meter_csq" to `allow`' in done.stdout
    document, comment, page = reports(clone)
    ops = {f"{each['kind']} {each['id']}": each["verb"] for each in document["changes"]}
    assert ops["Table flows.meter_registry"] == "update"
    assert ops["RetentionPolicy flows.meter_csq"] == "update"
    assert ops["View flows.meters_clock_drift"] == ops["View api.meters_clock_drift"] == "delete"
    assert document["headline"] in comment
    assert 'ADD COLUMN "imsi" text' in comment
    assert 'ADD COLUMN "imsi" text' in page.replace("&#34;", '"')
    assert "flowchart LR" in comment
    assert "<svg" in page, "the picture is drawn"
    own = clone.root / ".flows"
    assert not (own / "data").exists(), "the clone's own database was touched"
    assert not any((own / "state").rglob("*.json")), "the clone's own stack was touched"


def test_proved_once_allowed(clone: Stack) -> None:
    done = clone.ctl("preview", "--against", "HEAD~1", "--prove", *KEEP, *ALLOWED, *in_root(clone), check=False)
    assert done.returncode == 2, done.stderr
    proof = reports(clone)[0]["proof"]
    assert proof["holds"]
    assert proof["secondPreview"] == proof["changedTables"] == proof["strongerThanPlanned"] == []
    assert proof["untouchedTables"] > 20
    assert proof["locks"]["Table flows.meter_registry"]["flows.meter_registry"] == "ACCESS EXCLUSIVE"


def test_an_unknown_base_is_named(clone: Stack) -> None:
    done = clone.ctl("preview", "--against", "no-such-commit", check=False)
    assert done.returncode == 1
    assert "git does not know the commit no-such-commit" in done.stderr
