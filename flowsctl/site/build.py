"""Builds the site: pages into a folder of their own, Sphinx over them, the result to where it was asked for."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from flowsctl.errors import FlowsError
from flowsctl.site.catalogue import Catalogue
from flowsctl.site.pages import pages
from pulumi_timescaledb.whole import Whole

SPHINX = Path(__file__).resolve().parent / "sphinx"
MARK = ".flows-site"
"""Tells a folder that an earlier run has made from one that somebody else fills."""
NEEDED = ("sphinx", "furo", "myst_parser", "sphinx_design", "sphinx_copybutton")


def build(whole: Whole, stack: str, out: Path) -> int:
    """Write the site into `out`, in place of an earlier one; nothing changes there where it fails.

    Returns:
        How many pages there are.

    Raises:
        FlowsError: the tools are not installed, `out` holds something else, or a page is wrong.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise FlowsError(f"the site cannot be built: {', '.join(missing)} is not installed", "run make setup")
    _refuse_foreign(out)
    written = pages(Catalogue(whole), stack)
    with tempfile.TemporaryDirectory(prefix="flows-site-") as folder:
        source, made = Path(folder, "source"), Path(folder, "made")
        shutil.copytree(SPHINX, source, ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in written.items():
            path = source / f"{name}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _run_sphinx(source, made)
        _put(made, out)
    return len(written)


def _refuse_foreign(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise FlowsError(f"{out} is a file", "choose another folder")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).exists():
        raise FlowsError(f"{out} holds files that are not a site made by flowsctl docs", "choose another folder")


def _run_sphinx(source: Path, made: Path) -> None:
    """Warnings are errors: a link that leads nowhere must not be published."""
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-n", "-W", "--keep-going", "-q", "-j", "auto"]
    done = subprocess.run(
        [*command, "-d", str(made.with_name("doctrees")), str(source), str(made)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    if done.returncode:
        lines = [line.replace(f"{source}{os.sep}", "") for line in done.stderr.splitlines() if line.strip()]
        raise FlowsError(f"Sphinx found faults: {'; '.join(lines[:5])}", "correct them")


def _put(made: Path, out: Path) -> None:
    for name in (".doctrees", ".buildinfo", "objects.inv"):
        path = made / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (made / MARK).write_text("written by flowsctl docs\n", encoding="utf-8")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists():
            shutil.rmtree(out)
        shutil.move(made, out)
    except OSError as error:
        raise FlowsError(f"{out} cannot be written: {error.strerror}", "choose another folder") from error
