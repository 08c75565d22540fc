"""Files as Docker takes them into a container that does not run yet."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import PurePosixPath

from components.containers.spec import File


def packed(files: Iterable[File]) -> bytes:
    """A tar archive with absolute places; everything belongs to root. Folders that are there keep their rights."""
    found = tuple(files)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in sorted({parent for file in found for parent in _folders(file.path)}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for file in found:
            content = file.content.encode()
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode = len(content), file.mode
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _folders(path: str) -> list[str]:
    """Its folders below the first one, which every image has."""
    return [str(parent).lstrip("/") for parent in PurePosixPath(path).parents if len(parent.parts) > 2]
