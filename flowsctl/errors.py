"""Errors meant for people: one sentence, what to do next, and an exit code."""

from __future__ import annotations

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CHANGES = 2
EXIT_REFUSED = 3
EXIT_INTERRUPTED = 130


class FlowsError(Exception):
    """A failure that is told to the user without a traceback.

    `message` is one sentence; `hint` says what to do next (may be empty);
    `code` is the process's exit code.
    """

    def __init__(self, message: str, hint: str = "", code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def as_json(self) -> dict[str, object]:
        """The documented form that `--json` writes to standard error."""
        return {"error": {"message": self.message, "next": self.hint, "exit_code": self.code}}


class UsageError(FlowsError):
    """The command cannot be carried out as it was typed (exit code 2)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, EXIT_USAGE)


class Interrupted(FlowsError):
    """The user pressed Ctrl-C; the engine has finished cancelling (exit code 130)."""

    def __init__(self) -> None:
        super().__init__("cancelled", "run the same command again to converge", EXIT_INTERRUPTED)
