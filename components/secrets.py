"""Every secret of a stack, derived from one: known before the run, and nothing else to keep."""

from __future__ import annotations

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

    def jwt(self) -> str:
        """Key that signs API tokens (HS256)."""
        return self._derive("jwt")

    def backup(self) -> str:
        """Passphrase that backups and archived WAL are encrypted with."""
        return self._derive("backup")

    def _derive(self, purpose: str) -> str:
        return hmac.new(self.root.encode(), purpose.encode(), hashlib.sha256).hexdigest()
