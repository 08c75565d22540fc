"""Every secret of a stack, derived from one: known before the run, and nothing else to keep."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StackSecrets:
    """HMAC-SHA256 of a purpose under the stack's root secret, in hexadecimal (256 bits)."""

    root: str = field(repr=False)

    def password(self, role: str) -> str:
        """Password of a login role."""
        return self._derive(f"role:{role}")

    def scram_verifier(self, role: str) -> str:
        """What a server keeps of that password (RFC 5803, as in pg_authid.rolpassword): it lets nobody log in. The salt
        is derived too, so that the same secret gives the same text and a change is seen by comparing."""
        iterations = 4096  # PostgreSQL's scram_iterations
        salt = bytes.fromhex(self._derive(f"salt:{role}"))[:16]
        salted = hashlib.pbkdf2_hmac("sha256", self.password(role).encode(), salt, iterations)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        server = hmac.digest(salted, b"Server Key", "sha256")
        shown = [base64.b64encode(each).decode() for each in (salt, stored, server)]
        return f"SCRAM-SHA-256${iterations}:{shown[0]}${shown[1]}:{shown[2]}"

    def jwt(self) -> str:
        """Key that signs API tokens (HS256)."""
        return self._derive("jwt")

    def backup(self) -> str:
        """Passphrase that backups and archived WAL are encrypted with."""
        return self._derive("backup")

    def _derive(self, purpose: str) -> str:
        return hmac.new(self.root.encode(), purpose.encode(), hashlib.sha256).hexdigest()
