"""Tokens of the API: HS256 over the stack's derived secret."""

from __future__ import annotations

import re
import time
from typing import Any

from flowsctl.errors import FlowsError, UsageError
from flowsctl.stack_outputs import StackOutputs

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> int:
    """`90s`, `15m`, `1h`, `7d` in seconds. Raises UsageError for anything else and for nothing."""
    found = re.fullmatch(r"([1-9]\d*)([smhd])", text.strip())
    if found is None:
        raise UsageError(f"--ttl {text} is not a duration", "write it as 15m, 1h or 7d")
    return int(found[1]) * UNIT_SECONDS[found[2]]


def sign(outputs: StackOutputs, role: str, esco: str, lifetime: int) -> tuple[dict[str, Any], str]:
    """The claims and the signed token, valid from now for `lifetime` seconds.

    Raises FlowsError where the stack exports no secret.
    """
    import jwt

    if not outputs.jwt_secret:
        raise FlowsError("the stack exports no JWT secret", "run flowsctl up again")
    now = int(time.time())
    claims: dict[str, Any] = {"role": role, "esco": esco, "iat": now, "exp": now + lifetime}
    if outputs.api is not None and outputs.api.audience:
        claims["aud"] = outputs.api.audience
    return claims, jwt.encode(claims, outputs.jwt_secret, algorithm="HS256")
