"""Names: any git branch becomes a stack name that is safe, unique and short."""

from __future__ import annotations

import hashlib
import re

from flowsctl.errors import UsageError

PREFIX = "env-"
"""Only environments have stacks that begin so; gc looks at nothing else."""
READABLE_CHARACTERS = 30
DIGEST_CHARACTERS = 8


def stack_of(name: str) -> str:
    """The stack of the environment `name`: `env-`, a readable part, and a digest of the whole name, so that names which
    differ only in what had to be replaced stay apart (`a/b` and `a-b`). The name itself is kept in the record.

    Raises:
        UsageError: there is no name.
    """
    if not name.strip():
        raise UsageError("an environment needs a name", "give the branch's name, such as env create feature/csq")
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:READABLE_CHARACTERS].strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{PREFIX}{readable}-{digest}" if readable else f"{PREFIX}{digest}"
