"""Draw what the stack declares and what needs what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def graph(
    ctx: typer.Context,
    around: Annotated[
        str,
        typer.Argument(metavar="[OBJECT]", help="Only this object and its neighbourhood, such as flows.meter_csq."),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="File to write; its ending tells the format.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="svg|dot|mermaid", help="Format, where the file's ending does not tell.")
    ] = "",
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only objects of this kind; repeatable, such as Table.")
    ] = None,
    schema: Annotated[list[str] | None, typer.Option("--schema", help="Only this schema; repeatable.")] = None,
    depth: Annotated[int, typer.Option(min=0, max=20, help="Steps from OBJECT, either way.")] = 1,
    full: Annotated[
        bool, typer.Option("--full", help="Every object on its own: indexes, policies, grants ...")
    ] = False,
) -> None:
    """Draw what the stack declares and what needs what, a cluster per schema.

    Indexes, triggers, policies and the like are counted in their relation; roles and rights are left out. An arrow
    leads from what is needed to what needs it. Works without a database.
    """
    import json

    from flowsctl.graphs.selection import select
    from flowsctl.graphs.writing import text
    from flowsctl.planning import read_program

    options = Options.of(ctx)
    chosen = _form(out, form)
    whole = read_program(options).whole
    found = select(whole, around=around, depth=depth, kinds=kind or (), schemas=schema or (), unfolded=full)
    if out is not None:
        _write(out, text(found, chosen))
    if options.json:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    elif out is None:
        print(text(found, chosen), end="")
    else:
        print(f"{len(found.nodes)} objects, {len(found.edges)} dependencies: {out}")


def _form(out: Path | None, form: str) -> str:
    """The format asked for, or told by the file's ending; dot where nothing tells."""
    from flowsctl.errors import UsageError
    from flowsctl.graphs.writing import ENDINGS, FORMATS

    chosen = form.lower() or (ENDINGS.get(out.suffix.lower(), "") if out else "dot")
    if chosen not in FORMATS:
        raise UsageError(
            f"--format {form} is not a format" if form else f"the ending of {out} tells no format",
            f"take --format {', '.join(FORMATS)}",
        )
    return chosen


def _write(path: Path, content: str) -> None:
    from flowsctl.errors import FlowsError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise FlowsError(f"{path} cannot be written: {error.strerror}", "choose another place") from error
