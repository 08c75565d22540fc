"""Policies at their own levels: the plain schema has offences of its own, which cost what they would cost anybody."""

from __future__ import annotations

from pulumi_timescaledb.policing import Policies

from .settings import Settings

EXPOSED: tuple[str, ...] = ()
POLICIES = Policies(exposed=EXPOSED)


def policies(settings: Settings) -> Policies:
    """The same for every stack."""
    return POLICIES
