"""What the replacement of a container means for those who use it; the engine says only that there is one."""

from __future__ import annotations

CONTAINER = "docker:index/container:Container"
_MEANINGS = {
    "database-server": "the database restarts: every connection ends, and none is accepted until the new container is "
    "healthy. The volume with the data stays.",
    "rest-api": "the API restarts: requests fail until the new container is healthy.",
    "scheduler": "a backup that runs is broken off; the next one begins when it is due.",
    "replica": "this standby restarts: its connections end; the database goes on.",
}


def hazard(resource_type: str, name: str, op: str) -> list[str]:
    """Lines to show under a resource, none where nothing restarts."""
    if resource_type != CONTAINER or op != "replace":
        return []
    return [f"-- restart: {said}" for part, said in _MEANINGS.items() if name == part or name.startswith(f"{part}-")]
