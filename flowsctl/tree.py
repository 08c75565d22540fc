"""Copies of the working tree to run stacks in: tests, benchmarks and trials leave the user's own stack alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

LINKED = (".venv", "pulumi_timescaledb/local/node_modules", "tools/diagram/node_modules", "tools/swagger/node_modules")
"""Installed parts of the tree, which a copy shares."""


def copy_of_tree(root: Path, target: Path) -> Path:
    """The files of the working tree `root` that git knows or would add, in `target`. If `target` is a tree of git,
    files that `root` has not go from it, but for what git ignores. Installed parts are links.

    Raises:
        subprocess.CalledProcessError: `root` is no git working tree.
    """
    names = _listed(root)
    if (target / ".git").exists():
        for name in _listed(target) - names:
            (target / name).unlink(missing_ok=True)
    for name in sorted(names):
        source = root / name
        if source.is_file() or source.is_symlink():  # a file may be deleted and not yet staged
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).unlink(missing_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    link_installed(root, target)
    return target


def link_installed(root: Path, target: Path) -> None:
    """What setup installed in `root`, for `target` too."""
    for name in LINKED:
        if (root / name).exists() and not (target / name).exists() and (target / name).parent.is_dir():
            (target / name).symlink_to((root / name).resolve())


def _listed(root: Path) -> set[str]:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True).stdout
    return set(filter(None, names.split("\0")))
