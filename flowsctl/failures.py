"""What the engine's messages and the Pulumi command's last words become: one error for people."""

from __future__ import annotations

import re

from flowsctl.errors import EXIT_FAILED, EXIT_REFUSED, FlowsError
from flowsctl.report import Report

_HEADING = re.compile(r"\s*(code: -?\d+|stdout:|stderr:)\s*$")
"""What the Automation API writes around the CLI's own words."""


def failure(error: Exception, report: Report) -> FlowsError:
    """The run's own messages as one error; the CLI's last words where it gave none."""
    messages = [_sentence(found.message, found.urn) for found in report.errors]
    if not messages:
        messages = [last_error(str(error))]
    more = [f"\n       {message}" for message in messages[1:]]
    code = EXIT_REFUSED if report.refused else EXIT_FAILED
    return FlowsError(messages[0] + "".join(more), "correct it and run the same command again", code)


def last_error(text: str) -> str:
    """The last `error:` line of the CLI's output, else its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _HEADING.match(line)]
    marked = [line.split("error:", 1)[1].strip() for line in lines if "error:" in line]
    return (marked or lines or ["the Pulumi command ended without a message, as when it is killed"])[-1]


def _sentence(message: str, urn: str) -> str:
    name = urn.split("::", 3)[3] if urn.count("::") >= 3 and "pulumi:pulumi:Stack" not in urn else ""
    return f"{name}: {message}" if name else message
