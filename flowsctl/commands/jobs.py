"""Run TimescaleDB's jobs by hand, for a server without background workers."""

from __future__ import annotations

from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.callback()
def jobs() -> None:
    """Run TimescaleDB's jobs by hand, for a server without background workers."""


@app.command()
def run(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Run every job, not only those that are due.")] = False,
) -> None:
    """Run the jobs that are due, one after the other."""
    import json
    import sys

    from flowsctl.database import connect
    from flowsctl.errors import FlowsError
    from flowsctl.jobs import due_jobs, run_job
    from flowsctl.session import open_engine
    from flowsctl.stack_outputs import StackOutputs

    options = Options.of(ctx)
    engine = open_engine(options)
    outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    results = []
    with connect(engine.workspace, outputs) as connection:
        for job in due_jobs(connection, every=every):
            print(f"job {job.id} {job.name} ...", file=sys.stderr, flush=True)
            results.append(run_job(connection, job))
    if options.json:
        print(json.dumps({"jobs": [result.as_json() for result in results]}, indent=2))
    else:
        for result in results:
            print(result)
        print(f"{len(results)} jobs run" if results else "no job is due (--all runs every job)")
    failed = [result for result in results if result.error]
    if failed:
        raise FlowsError(
            f"{len(failed)} of {len(results)} jobs failed", "correct what their messages say and run it again"
        )
