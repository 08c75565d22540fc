"""A copy of the working tree to run stacks in: benchmarks and tests leave the user's own stack alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINKED = (".venv", "pulumi_timescaledb/local/node_modules")
"""Installed parts of the tree, which a copy shares."""


def copy_of_tree(target: Path) -> Path:
    """The files of the working tree that git knows or would add, in `target`; installed parts are links."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        source = ROOT / name
        if source.is_file() or source.is_symlink():  # a file may be deleted and not yet staged
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    for name in LINKED:
        (target / name).symlink_to(ROOT / name)
    return target
