"""Fill the database with demo data, or remove it: escos, meters and plausible time series."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.options import Options

if TYPE_CHECKING:
    from flowsctl.demo.load import Loaded
    from flowsctl.demo.summary import Shown

app = typer.Typer()

# The limits of flowsctl.demo.ids, stated here so that --help need not import it; a test compares them.
MAX_ESCOS = 50
MAX_METERS = 2000
MAX_DAYS = 730


@app.callback()
def demo() -> None:
    """Fill the database with demo data, or remove it: escos, meters and plausible time series."""


@app.command()
def load(
    ctx: typer.Context,
    escos: Annotated[int, typer.Option(min=1, max=MAX_ESCOS, help="How many escos.")] = 2,
    meters: Annotated[int, typer.Option(min=1, max=MAX_METERS, help="Meters of each esco.")] = 50,
    days: Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="Days of series, back from --until.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed makes the same rows.")] = 1,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="End of the series, ISO 8601, UTC (default: now).")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="First delete what demo load made before.")] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Also time the same rows by the fastest bare path.")
    ] = False,
) -> None:
    """Load demo data, refresh and compress as the policies would, and show what the API says."""
    import json

    from flowsctl.database import connect
    from flowsctl.demo.load import carry_out, plan
    from flowsctl.demo.show import shown_progress
    from flowsctl.demo.summary import shown
    from flowsctl.session import open_engine
    from flowsctl.stack_outputs import StackOutputs

    options = Options.of(ctx)
    planned = plan(escos, meters, days, seed, moment(until))
    engine = open_engine(options)
    outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    with shown_progress(quiet=options.json) as show:
        with connect(engine.workspace, outputs) as connection:
            loaded = carry_out(connection, planned, show, replace=replace, measure=measure)
        report: list[Shown] = []
        if outputs.api is not None:
            show.step("asking the API")
            report = [shown(outputs, esco.code, str(esco.id), planned.until) for esco in planned.escos]
    if options.json:
        print(json.dumps({**loaded.as_json(), "escos": [each.as_json() for each in report]}, indent=2))
    else:
        tell(loaded, report, options.stack)


@app.command()
def remove(ctx: typer.Context) -> None:
    """Delete what demo load made, and nothing else."""
    import json

    from flowsctl.database import connect
    from flowsctl.demo import load as steps
    from flowsctl.demo.show import shown_progress
    from flowsctl.session import open_engine
    from flowsctl.stack_outputs import StackOutputs

    options = Options.of(ctx)
    engine = open_engine(options)
    outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    with shown_progress(quiet=options.json) as show, connect(engine.workspace, outputs) as connection:
        removed = steps.remove(connection, show)
    if options.json:
        print(json.dumps({"removed": removed}, indent=2))
    else:
        print(f"removed {', '.join(removed)}" if removed else "there is no demo data")


def moment(text: str | None) -> datetime | None:
    """`--until` as a moment; UTC where it names no zone. Raises UsageError for anything else."""
    from datetime import UTC

    from flowsctl.errors import UsageError

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text} is not a time", "write it as 2025-06-30T12:30 or with a zone") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def tell(loaded: Loaded, report: list[Shown], stack: str) -> None:
    """The result for people."""
    total, flag = sum(loaded.rows.values()), "" if stack == "local" else f" --stack {stack}"
    where = "COPY" if loaded.copy else "INSERT from arrays; the server has no COPY FROM STDIN"
    print(f"{total} rows in {loaded.load_seconds:.1f} s ({total / loaded.load_seconds:.0f} a second, {where})")
    print(f"aggregates, columnstore and statistics: {loaded.finish_seconds:.1f} s")
    if loaded.measured is not None:
        found = loaded.measured
        print(
            f"measured: load {found.load_seconds:.2f} s, bare path {found.bare_seconds:.2f} s, ratio {found.ratio:.2f}"
        )
    if report:
        print("\nthe API shows")
        print("\n".join(f"  {each}" for each in report))
        print(f"\nnext, try: bin/flowsctl token --esco {report[0].code}{flag}")
