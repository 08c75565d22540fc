"""`make docs`: docs/policies.md, every policy with its level, what it wants and why."""

from __future__ import annotations

from pathlib import Path

from flows.policies import POLICIES
from pulumi_timescaledb.policing import names, policy

TARGET = Path(__file__).parents[1] / "docs" / "policies.md"
HEAD = """\
# Policies

Written by `make docs` from `pulumi_timescaledb/policies` and `flows/policies.py`. Do not edit.

A policy looks at the declarations, not at the server, and says what is wrong with them:

- **advisory**: a warning in `flowsctl preview`, `flowsctl plan`, `flowsctl up` and the review reports;
- **mandatory**: the whole run is refused before any SQL, with exit code 3;
- **off**: nobody looks.

What no server could carry out, or what would certainly lose data, is no policy: such rules have no level.

## Choosing

A program gives the levels, the exemptions and the schemas that its API shows:

```python
from pulumi_timescaledb.program import Policies, declare

declare(
    settings,
    declarations,
    policies=Policies(
        levels={"grant-to-public": "mandatory", "table-without-primary-key": "off"},
        exempt={"hypertable-without-retention": {"Hypertable app.ledger": "kept by law"}},
        exposed=("api",),
    ),
)
```

In other languages they are the Manifest's input `policies`: `levels`, `exempt` and `exposedSchemas`. The key of an
exemption is the object as a finding names it, kind and import id. A name that does not exist is an error that tells the
nearest one; an exemption without a reason is an error; one that spares nothing is a warning.

In the Flows project, levels are config, and exemptions stand with their reasons in `flows/policies.py`:

```sh
bin/flowsctl plan --config 'flows:policies={"hypertable-without-retention": "mandatory"}'
```

| policy | level | in Flows |
|---|---|---|
"""


def document() -> str:
    """The page."""
    found = {name: policy(name) for name in names()}
    rows = [f"| [{name}](#{name}) | {each.level} | {POLICIES.level(name)} |\n" for name, each in found.items()]
    return HEAD + "".join(rows) + "".join(_section(name) for name in found) + _exemptions()


def _section(name: str) -> str:
    found = policy(name)
    return (
        f"\n## {name}\n\n{found.demand}\n\n"
        f"- Without: {found.harm}\n- What to do: {found.remedy}\n- Source: {found.source}.\n"
    )


def _exemptions() -> str:
    rows = [
        f"| {name} | {subject} | {reason} |\n"
        for name, spared in POLICIES.exempt.items()
        for subject, reason in spared.items()
    ]
    return "\n## Exemptions of the Flows database\n\n| policy | object | reason |\n|---|---|---|\n" + "".join(rows)


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
