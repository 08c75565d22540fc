"""`python -m benchmarks.floor_program FOLDER up|preview|destroy COUNT`: the engine with do-nothing resources."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(folder: Path, verb: str, count: int) -> None:
    """One operation through the Automation API, as flowsctl does it."""
    import pulumi
    from pulumi.automation import LocalWorkspaceOptions, create_or_select_stack

    from flowsctl.pulumi_cli import find

    def program() -> None:
        provider = pulumi.ProviderResource("floor", "floor", {})
        for number in range(count):
            opts = pulumi.ResourceOptions(provider=provider)
            pulumi.CustomResource("floor:index:Nothing", f"nothing-{number}", {"number": number}, opts)

    state = folder / "state"
    state.mkdir(exist_ok=True)
    cli = find(Path(__file__).resolve().parents[1])
    assert cli is not None, "run make setup first"
    os.environ["PATH"] = os.pathsep.join([str(cli.path.parent), os.environ["PATH"]])
    variables = {
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "floor",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }
    options = LocalWorkspaceOptions(work_dir=str(folder), env_vars=variables)
    stack = create_or_select_stack("floor", "floor", program, opts=options)
    getattr(stack, verb)()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
