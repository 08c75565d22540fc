"""Take, list, check and verify backups of a stack of engine docker."""

from __future__ import annotations

from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.callback()
def backup() -> None:
    """Take, list, check and verify backups of a stack of engine docker."""


@app.command()
def run(
    ctx: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Everything, not only what changed since the last one.")] = False,
) -> None:
    """Take a backup now, beside those of the schedule. Exit code 3 while another one is running."""
    import json

    from flowsctl.backup.place import place_of
    from flowsctl.backup.progress import shown
    from flowsctl.backup.telling import backup_json, table
    from flowsctl.backup.tool import Kind

    options = Options.of(ctx)
    tool = place_of(options).scheduler()
    with shown("backup", quiet=options.json) as progress:
        taken = tool.run(Kind.FULL if full else Kind.DIFFERENTIAL, progress)
    print(json.dumps(backup_json(taken), indent=2) if options.json else table([taken]))


@app.command("list")
def list_backups(ctx: typer.Context) -> None:
    """Show the backups, the restorable window and its gaps."""
    import json

    from flowsctl.backup.evidence import look
    from flowsctl.backup.place import place_of
    from flowsctl.backup.telling import list_json, size, table, window_text
    from flowsctl.errors import FlowsError

    options = Options.of(ctx)
    seen = look(place_of(options), thorough=False)
    if seen.repository.problem:
        raise FlowsError(f"the repository cannot be read: {seen.repository.problem}", "run flowsctl backup check")
    if options.json:
        print(json.dumps(list_json(seen), indent=2))
        return
    print(table(seen.repository.backups))
    print(f"{len(seen.archive.segments)} WAL segments, {size(sum(each.size for each in seen.archive.segments))}")
    if seen.repository.progress is not None:
        print(f"a backup is running: {seen.repository.progress:.0%}")
    print(window_text(seen.window))


@app.command()
def check(ctx: typer.Context) -> None:
    """Say whether backups are as promised. Exit code 0 they are, 2 something is wrong, 1 could not tell."""
    import json

    from flowsctl.backup.checking import findings
    from flowsctl.backup.evidence import look
    from flowsctl.backup.place import place_of
    from flowsctl.backup.telling import check_json, window_text

    options = Options.of(ctx)
    place = place_of(options)
    seen = look(place)
    found = findings(seen, place.backup)
    if options.json:
        print(json.dumps(check_json(seen, found), indent=2))
    else:
        for each in found:
            print(f"wrong: {each.sentence}\nnext:  {each.way_out}")
        if not found:
            print(f"archive and backups are as promised; {window_text(seen.window)}")
    raise typer.Exit(2 if found else 0)


@app.command()
def verify(ctx: typer.Context) -> None:
    """Read every file of the repository and compare it with its checksum. Exit code 2 where one is bad or missing."""
    import json

    from flowsctl.backup.evidence import look
    from flowsctl.backup.place import place_of
    from flowsctl.backup.progress import shown
    from flowsctl.backup.telling import verify_json

    options = Options.of(ctx)
    place = place_of(options)
    with shown("verify", quiet=options.json):
        found = place.reader().verify()
        window = look(place, thorough=False).window
    if options.json:
        print(json.dumps(verify_json(found, window), indent=2))
    else:
        for fault in found.faults:
            print(f"bad: {fault.file}: {fault.what}")
        for label, whole in found.backups.items():
            print(f"{'whole' if whole else 'BAD  '} {label}")
        for name in window.missing:
            print(f"missing: WAL {name}")
        print(f"{found.files_checked} files of {len(found.backups)} backups and {found.wal_checked} WAL segments read")
    raise typer.Exit(0 if found.ok and not window.missing else 2)
