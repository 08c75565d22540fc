"""Look at the API in the browser: Swagger UI, with a token filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.options import Options

if TYPE_CHECKING:
    from flowsctl.apidocs.server import DocsServer
    from flowsctl.stack_outputs import Api, StackOutputs
    from flowsctl.workspace import Workspace

app = typer.Typer()


@app.callback()
def api() -> None:
    """Look at the API in the browser: Swagger UI, with a token filled in."""


@app.command()
def docs(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    esco: Annotated[str, typer.Option(help="Code of the esco whose data the token opens; the first if absent.")] = "",
    role: Annotated[str, typer.Option(help="Role the API takes on.")] = "public_backend",
    ttl: Annotated[str, typer.Option(help="How long the token is valid: a number with s, m, h or d.")] = "1h",
    write: Annotated[
        Path | None,
        typer.Option("--write", file_okay=False, help="Write the page into this folder, without a token, and end."),
    ] = None,
) -> None:
    """Serve Swagger UI for the stack's API on loopback, with a token filled in, until Ctrl-C.

    What it shows is what the API tells that role. Requests from the page go to the API through this process.
    """
    from flowsctl.apidocs.document import assets, fetch, page, placed
    from flowsctl.apidocs.server import DocsServer
    from flowsctl.session import open_engine
    from flowsctl.stack_outputs import StackOutputs
    from flowsctl.tokens import seconds

    options = Options.of(ctx)
    lifetime, files = seconds(ttl), dict(assets())
    engine = open_engine(options)
    outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    place = _place(outputs)
    code, token = _token(engine.workspace, outputs, esco, role, lifetime)
    document = fetch(place.url, token)
    if write is not None:
        return _write(write, {**files, "index.html": page(placed(document, place.url)).encode()}, options)
    server = DocsServer(port, place.url, files)
    about = f"Esco {code} as {role}, for {ttl}. The token is filled in; anybody who has this address may use it."
    server.files["index.html"] = page(placed(document, server.api_url), token, about).encode()
    return _serve(server, options)


def _place(outputs: StackOutputs) -> Api:
    """Where the API is. Raises FlowsError where the stack has none."""
    from flowsctl.errors import FlowsError

    if outputs.api is None:
        raise FlowsError("this stack has no API", "choose an engine with one and run flowsctl up")
    return outputs.api


def _token(workspace: Workspace, outputs: StackOutputs, esco: str, role: str, lifetime: int) -> tuple[str, str]:
    """The esco's code and a token for it. Raises UsageError for a role or esco that is not there."""
    from flowsctl.database import api_role, esco_codes, esco_id
    from flowsctl.errors import UsageError
    from flowsctl.tokens import sign

    role = api_role(workspace, outputs, role)
    known = esco_codes(workspace, outputs) if not esco else [esco]
    if not known:
        raise UsageError("there are no escos yet", "run flowsctl demo load")
    _, token = sign(outputs, role, esco_id(workspace, outputs, known[0]), lifetime)
    return known[0], token


def _write(folder: Path, files: dict[str, bytes], options: Options) -> None:
    import json

    from flowsctl.errors import FlowsError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise FlowsError(f"{folder} cannot be written: {error.strerror}", "choose another folder") from error
    index = folder / "index.html"
    print(json.dumps({"index": str(index)}) if options.json else f"{index}: open it, and authorise with a token")


def _serve(server: DocsServer, options: Options) -> None:
    """Until Ctrl-C or SIGTERM, which are the way it is meant to end."""
    import json
    import signal
    import threading

    def end(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    print(json.dumps({"url": server.url}) if options.json else f"{server.url}\nCtrl-C ends it", flush=True)
    with server:
        server.serve_forever(poll_interval=0.2)
