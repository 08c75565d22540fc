"""Runs a page's `console` blocks as they are printed, and its `diff` blocks as patches of the working tree.

A line that begins with `$ ` is a command, `> ` continues it. What follows is what it must say, standard error too: a
line of three dots stands for any lines, dots at an end for any rest. `(exit code N)` ends a command that does not end
with 0. All commands of a section run in one bash, so that `cd` and `export` hold.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "flowsctl" / "site" / "templates" / "migration.md.j2"
BLOCK = re.compile(r"^```(console|diff|ini)\n(.*?)^```$", re.M | re.S)
CODE = re.compile(r"\(exit code (\d+)\)\Z")
SECONDS = 900


@dataclass
class Step:
    """One command or patch, what it must say, and how it must end."""

    command: str
    said: list[str] = field(default_factory=list)
    code: int = 0


def section(heading: str) -> list[Step]:
    """The steps under a heading of the second level."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found: list[Step] = []
    for language, body in BLOCK.findall(text):
        found += _commands(body) if language == "console" else [_patch(body)] if language == "diff" else []
    return found


def _patch(body: str) -> Step:
    return Step(f"patch -p1 --quiet <<'END_OF_PATCH'\n{body}END_OF_PATCH")


def _commands(body: str) -> list[Step]:
    found: list[Step] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:]))
        elif line.startswith("> "):
            found[-1].command += f"\n{line[2:]}"
        elif code := CODE.match(line):
            found[-1].code = int(code[1])
        else:
            found[-1].said.append(line)
    return found


def run(steps: list[Step], root: Path, path: Mapping[str, str], replaced: Mapping[str, str] | None = None) -> None:
    """Carry out the steps in `root`; `path` is added to the environment, `replaced` texts stand for what the page
    leaves to the reader, such as the name of a host."""
    script = ["set -uo pipefail"]
    for number, step in enumerate(steps):
        command = step.command
        for old, new in (replaced or {}).items():
            command = command.replace(old, new)
        script.append(f"printf '\\n@@ {number}\\n'\n{command}\nprintf '\\n@@ code %s\\n' $?")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")} | dict(path)
    done = subprocess.run(
        ["bash"], input="\n".join(script), env=environment, cwd=root, timeout=SECONDS, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    parts = re.split(r"^@@ \d+\n", done.stdout, flags=re.M)[1:]
    assert len(parts) == len(steps), done.stdout[-3000:]
    for step, part in zip(steps, parts, strict=True):
        said, _, code = part.rpartition("\n@@ code ")
        assert int(code) == step.code, f"$ {step.command}\n{said}\n(exit code {code.strip()}, not {step.code})"
        assert matches(step.said, said), f"$ {step.command}\nsaid\n{said}\nand the page\n" + "\n".join(step.said)


def matches(wanted: list[str], said: str) -> bool:
    """Whether a command said what the page shows of it; nothing is shown, nothing is asked."""
    if not wanted:
        return True
    pattern = ""
    for line in wanted:
        if line == "...":
            pattern += r"(?:.*\n)*"
        elif line.endswith("..."):
            pattern += rf"\s*{re.escape(line[:-3].strip())}.*\n"
        else:
            pattern += rf"\s*{re.escape(line.strip())}\s*\n"
    return re.fullmatch(pattern + r"\s*", said.strip("\n") + "\n") is not None
