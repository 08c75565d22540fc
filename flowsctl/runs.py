"""Carries one engine operation out for a command: shown while it runs, told when it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from flowsctl import progress
from flowsctl.errors import FlowsError
from flowsctl.options import Options
from flowsctl.report import Report

Operation = Callable[[Report], None]


def carry_out(
    options: Options,
    title: str,
    operation: Operation,
    *,
    planned: bool,
    more: Callable[[], dict[str, Any]] | None = None,
) -> Report:
    """Run `operation` and tell what it did; `planned` words it as something still to be done.

    `more` is asked for further members of the `--json` report once the run has worked.
    Raises the operation's FlowsError, after telling what happened until then.
    """
    failure: FlowsError | None = None
    with progress.shown(title, quiet=options.json, follow=not planned) as report:
        try:
            operation(report)
        except FlowsError as error:
            failure = error
    if options.json:
        extra = more() if more is not None and failure is None else {}
        print(json.dumps(report.as_json() | extra, indent=2))
    else:
        progress.tell(report, planned=planned, failed=failure is not None)
    if options.debug:
        for found in report.diagnostics:
            print(found.traceback, end="", file=sys.stderr)
    if failure is not None:
        raise failure
    return report
