"""Passwords as the server keeps them."""

from __future__ import annotations

import base64
import hashlib
import hmac


def scram_sha_256(role: str, password: str) -> str:
    """The password as the server would store it (RFC 7677, PostgreSQL src/common/scram-common.c), so that its text
    never reaches the server or its log. The salt comes from role and password: a plan must be the same every time.

    Not for passwords beyond ASCII: they would need SASLprep, so the server is left to do it.
    """
    if not password.isascii():
        return password
    salt = hmac.new(password.encode(), f"salt of {role}".encode(), hashlib.sha256).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", hashlib.sha256).digest()).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256$4096:{parts[0]}${parts[1]}:{parts[2]}"
