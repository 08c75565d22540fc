"""A drill: restore for real, hold against the ledger, check pages and indexes, write down how long it took, forget."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flowsctl.backup.tool import Moment, Target
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError
from flowsctl.maintenance.objects import Connection
from flowsctl.restoring import copies
from flowsctl.restoring.judging import Judgement, judge
from flowsctl.restoring.making import Made, Tell, make, phase
from flowsctl.restoring.origin import Origin
from flowsctl.restoring.target import describe
from flowsctl.restoring.unsound import Unsound

CHECK_SECONDS = 24 * 3600
GREEN, RED, UNKNOWN = "green", "red", "unknown"


@dataclass
class Run:
    """One restore of a drill."""

    target: Target
    verdict: str = UNKNOWN
    reasons: list[str] = field(default_factory=list)
    made: Made | None = None
    judgement: Judgement | None = None
    amcheck: str = ""
    """What pg_amcheck found; "" where nothing."""
    versions: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The documented form within `drill --json`."""
        return {
            "target": describe(self.target),
            "verdict": self.verdict,
            "reasons": self.reasons,
            "restore": self.made.as_json() if self.made else None,
            "judgement": self.judgement.as_json() if self.judgement else None,
            "amcheck": self.amcheck,
            "versions": self.versions,
        }


@dataclass
class Drill:
    """All of them."""

    origin: str
    began: datetime
    runs: list[Run] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """red if one is, else unknown if one is, else green."""
        found = {run.verdict for run in self.runs}
        return RED if RED in found else UNKNOWN if UNKNOWN in found or not found else GREEN

    def as_json(self) -> dict[str, Any]:
        """The documented form of `drill --json`."""
        return {
            "stack": self.origin,
            "began": self.began.isoformat(timespec="seconds"),
            "verdict": self.verdict,
            "runs": [run.as_json() for run in self.runs],
        }


def drill(
    host: Host,
    origin: Origin,
    tell: Tell,
    *,
    random_target: bool = False,
    live: Connection | None = None,
    image: str = "",
    seed: int | None = None,
) -> Drill:
    """Restores the newest moment and, with `random_target`, a random one between the first backup and the last
    recovered transaction. Every copy is gone at the end, whatever happens."""
    found = Drill(origin.names.stack, datetime.now(UTC))
    newest = Run(Target())
    found.runs.append(newest)
    _run(host, origin, newest, tell, live, image)
    if random_target and newest.made is not None:
        target = _random(newest.made, seed)
        if target is None:
            newest.reasons.append("no moment between the first backup and the last transaction to choose from")
        else:
            found.runs.append(Run(target))
            _run(host, origin, found.runs[-1], tell, live, image)
    return found


def _run(host: Host, origin: Origin, run: Run, tell: Tell, live: Connection | None, image: str) -> None:
    tell(f"drill: {describe(run.target)}")
    name = f"{copies.DRILL}{secrets.token_hex(4)}"
    made = None
    try:
        made = run.made = make(host, origin, run.target, name, tell, image=image)
        moment = made.recovered_to or made.backup.finished
        with phase(made.seconds, "judgement"):
            tell("holding it against the ledger")
            run.judgement = judge(made.conninfo(), origin.owner, made.backup, moment, live)
            run.reasons += run.judgement.faults
        with phase(made.seconds, "amcheck"):
            tell("checking pages and indexes")
            run.amcheck = _amcheck(host, made)
            run.reasons += [f"pg_amcheck: {run.amcheck}"] if run.amcheck else []
        run.versions = _versions(host, made, run.judgement)
        run.verdict = RED if run.reasons else GREEN
    except Unsound as error:
        run.verdict = RED
        run.reasons.append(error.message)
    except FlowsError as error:
        run.reasons.append(error.message)
    finally:
        if made is not None:
            copies.remove(host, made.names)


def _random(made: Made, seed: int | None) -> Target | None:
    first = made.first_backup
    if made.recovered_to is None or made.recovered_to <= first:
        return None
    share = random.Random(seed).random()
    at = first + timedelta(seconds=(made.recovered_to - first).total_seconds() * share)
    return Target(Moment.TIME, time=at)


def _amcheck(host: Host, made: Made) -> str:
    """Heap and B-tree checks of the whole database. Raises FlowsError where the program cannot work."""
    command = ("pg_amcheck", "-h", "/var/lib/flows/run", "--install-missing", "-d", made.server.database_name)
    done = host.execute(made.names.container(copies.DATABASE), command, timeout=CHECK_SECONDS)
    if done.code == 0:
        return ""
    lines = (done.text or done.complaint).splitlines()
    return lines[0].strip() if lines else f"exit code {done.code}"


def _versions(host: Host, made: Made, judgement: Judgement) -> dict[str, str]:
    container = made.names.container(copies.DATABASE)
    said = host.execute(container, ("pgbackrest", "version")).text
    image = host.client.containers.get(container).attrs["Image"]
    server = judgement.server
    return {
        "postgres": str(server.get("version", "")),
        "timescaledb": str(server.get("timescaledb", "")),
        "edition": str(server.get("edition", "")),
        "tool": said,
        "image": str(image),
    }


def markdown(found: Drill) -> Iterator[str]:
    """The report for people, line by line."""
    yield f"# Restore drill of stack {found.origin}: {found.verdict}"
    yield ""
    yield f"Begun {found.began:%Y-%m-%d %H:%M:%S} UTC."
    for run in found.runs:
        yield ""
        yield f"## To {describe(run.target)}: {run.verdict}"
        yield ""
        yield from (f"- **{reason}**" for reason in run.reasons)
        if run.made is not None:
            yield from _figures(run.made)
        if run.versions:
            yield f"- versions: {', '.join(f'{key} {value}' for key, value in run.versions.items() if value)}"
        if run.judgement is not None:
            yield from _tables(run.judgement)


def _figures(made: Made) -> Iterator[str]:
    report = made.as_json()
    phases = ", ".join(f"{name} {took} s" for name, took in report["seconds"].items())
    yield f"- backup {made.backup.label}, recovered to {report['recovered_to'] or 'its end'} ({made.recovered_lsn})"
    yield f"- RPO: at most {report['rpo_seconds']} s"
    yield f"- RTO: {report['rto_seconds']} s ({phases})"
    own = f"the tool's own figure: {report['tool_megabytes_per_second']} MB/s in {report['tool_seconds']} s"
    yield f"- restored {report['bytes'] / 1e6:.1f} MB at {report['megabytes_per_second']} MB/s; {own}"


def _tables(judgement: Judgement) -> Iterator[str]:
    yield f"- ledger {judgement.ledger}, taken at {judgement.taken_at}"
    yield ""
    yield "| table | rows in the ledger | rows restored |"
    yield "|---|---|---|"
    for name, (was, now) in sorted(judgement.tables.items()):
        yield f"| {name} | {was} | {now} |"
    changed = [row for row in judgement.rows if row.ledger != row.restored]
    if changed:
        yield ""
        yield "| differs | ledger | restored | why |"
        yield "|---|---|---|---|"
        for row in changed:
            why = row.explained or ("**lost**" if row.is_loss else "written since")
            yield f"| {row.name} | {row.ledger} | {row.restored} | {why} |"
