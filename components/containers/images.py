"""The images this repository builds: what they are called follows from what they are built from."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "images"
BASE = "debian:trixie-slim"
IMAGES = ("timescaledb", "postgrest")
PREFIX = "flows"


def tag(name: str, base: str = BASE) -> str:
    """`flows/timescaledb:0123456789ab`: twelve digits of a hash of its folder and its base's name, so that a changed
    Dockerfile is another image. Raises KeyError for an image that is not there."""
    if name not in IMAGES:
        raise KeyError(name)
    digest = hashlib.sha256(base.encode())
    for path in sorted((FOLDER / name).rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{PREFIX}/{name}:{digest.hexdigest()[:12]}"


def local(name: str) -> str:
    """`flows/timescaledb:local`: the newest one that was built here."""
    return f"{PREFIX}/{name}:local"
