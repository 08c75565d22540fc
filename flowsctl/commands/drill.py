"""Restore for practice: into a throw-away copy, held against the ledger, with a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def drill(
    ctx: typer.Context,
    random_target: Annotated[
        bool, typer.Option("--random-target", help="Also a random moment of the restorable window.")
    ] = False,
    report: Annotated[Path | None, typer.Option("--report", help="Folder for a JSON and a Markdown report.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed chooses the same share of the window.")] = None,
) -> None:
    """Restore for practice. Exit code 0 green, 2 red (the backups are not as promised), 1 it could not tell."""
    from flowsctl.containers.host import Host
    from flowsctl.errors import EXIT_FAILED, FlowsError
    from flowsctl.restoring import told
    from flowsctl.restoring.drilling import GREEN, RED, markdown
    from flowsctl.restoring.drilling import drill as carry_out
    from flowsctl.restoring.origin import origin_of

    options = Options.of(ctx)
    origin = origin_of(options)
    told.end_like_ctrl_c()
    tell, live = told.teller(options.json), None
    try:
        from flowsctl.live import connect

        live, _ = connect(options)
    except FlowsError as error:
        tell(f"the live database cannot be asked about what was deleted since: {error.message}")
    host = Host(origin.server.docker_host)
    found = carry_out(host, origin, tell, random_target=random_target, live=live, seed=seed)
    text = "\n".join(markdown(found)) + "\n"
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        stem = report / f"drill-{found.began:%Y%m%dT%H%M%SZ}"
        stem.with_suffix(".json").write_text(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        stem.with_suffix(".md").write_text(text)
    print(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if options.json else text, end="")
    raise typer.Exit({GREEN: 0, RED: 2}.get(found.verdict, EXIT_FAILED))
