"""pg_hba.conf of a container: who may connect from where, and how they prove it."""

from __future__ import annotations

REPLICATOR = "replicator"
"""The role that standbys stream with."""


def pg_hba(replication: bool = False) -> str:
    """The local socket is for the operating system's user of the same name, which is `postgres` alone: the scheduler's
    and the administrator's way in. Everybody else comes over TCP with SCRAM; the superuser `postgres` never does.
    """
    rules = [
        ("local", "all", "postgres", "", "peer"),
        ("local", "replication", "postgres", "", "peer"),
        ("host", "all,replication", "postgres", "all", "reject"),
    ]
    if replication:
        rules.append(("host", "replication", REPLICATOR, "samenet", "scram-sha-256"))
        rules.append(("host", "all", REPLICATOR, "all", "reject"))
    rules.append(("host", "all", "all", "all", "scram-sha-256"))
    return "".join("\t".join(field for field in rule if field) + "\n" for rule in rules)
