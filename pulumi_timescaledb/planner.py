"""Planning against a live database, without the engine: one bulk read, then the pure plan, then what would be lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from . import ledger
from .capabilities import ServerCapabilities
from .column_renames import in_renamed_columns
from .connection import Database
from .errors import Declined, Unreachable
from .executor import query, transaction
from .kinds import kind_of
from .losses import may_be_forbidden, may_lose, refuse_forbidden, refuse_losses
from .manifest import violations
from .plan import Plan, Refusal, Standing, Step, make_plan
from .policing import Policies, refusals
from .policy import Finding
from .preflight import examine
from .rebuild import Change
from .relations import Relations, from_rows, names_of, select_sql
from .render import render
from .sizes import grows, measure, relation_of
from .snapshot import Snapshot, take
from .specs import Reference, kind_names
from .standing import put_right_in, standing
from .succession.settle import ask
from .whole import Whole
from .wording import in_new_words


@dataclass
class Planned:
    """A plan, and what it was made against."""

    plan: Plan
    standing: Standing = field(default_factory=Standing)
    capabilities: ServerCapabilities = field(default_factory=ServerCapabilities)
    identity: dict[str, str] | None = None
    """Which database it is: `ledger` and `systemIdentifier`; None where there is no ledger yet."""
    findings: list[Finding] = field(default_factory=list)
    """What breaks a policy. Those of mandatory ones are refusals as well."""

    def judge(self, new: Whole, policies: Policies) -> None:
        """Adds what the policies find in the declarations."""
        self.findings = policies.findings(new)
        self.plan.refusals += [Refusal("", text) for text in refusals(self.findings)]


async def plan_database(
    database: Database,
    new: Whole,
    stack: str,
    allowed: Iterable[str] = (),
    policies: Policies | None = None,
    *,
    server_changes: bool = False,
) -> Planned:
    """What an update of `stack` to `new` would do to the database. Everything that would stop it is in the plan's
    refusals; policies are looked at where they are given. A database that is not there yet is planned as an empty one
    on a current server; `server_changes`: another server is about to take the place of the one that is there.

    Raises:
        Unreachable: the server cannot be reached.
    """
    wanted = new
    if database.gone():
        nothing = Snapshot({kind: {} for kind in kind_names()}, {})
        found = Planned(Plan(), standing(nothing, new, stack), database.settings.expected())
        faults = violations(new, found.capabilities)
    else:
        snapshot = await take(database)
        stands = standing(snapshot, new, stack)
        wanted = put_right_in(snapshot, stands, new)
        applied = await in_renamed_columns(database, snapshot, stands.applied, wanted)
        stands = replace(stands, applied=await in_new_words(database, snapshot, applied, wanted))
        capabilities, faults = await examine(database, new, server_changes=server_changes)
        found = Planned(Plan(), stands, capabilities)
        found.identity = await identity_of(database)
    if faults:
        found.plan.refusals = [Refusal("", fault) for fault in faults]
        return found
    found.standing = replace(found.standing, relations=await _relations(database, found, new))
    found.plan = await _settled_plan(database, found, wanted, stack)
    if not database.gone():
        found.plan.steps = await sized(database, found.plan.steps)
    found.plan.refusals += await losses(database, found.plan.steps, frozenset(allowed))
    if policies is not None:
        found.judge(new, policies)
    return found


async def _relations(database: Database, found: Planned, new: Whole) -> Relations:
    """What the relations are whose changes depend on that."""
    old = found.standing.applied
    changed = [spec for reference, spec in old.specs.items() if new.specs.get(reference) != spec]
    changed += [spec for reference, spec in new.specs.items() if old.specs.get(reference) != spec]
    names = names_of(*(spec for spec in changed if kind_of(spec.KIND).asks_relation))
    if not names or database.gone():
        return {}
    async with database.connection() as connection:
        return from_rows(await query(connection, select_sql(names, await database.capabilities())))


async def _settled_plan(database: Database, found: Planned, new: Whole, stack: str) -> Plan:
    """The plan, made again with what the server says of it until nothing is left to ask: an aggregate that is changed
    in place leaves those built on it to their own turns."""
    known: dict[Reference, Change] = {}
    while True:
        plan = make_plan(found.standing, new, found.capabilities, known)
        asked = {change.closure.root.reference(): change for change in plan.unsettled if change.closure is not None}
        if not asked or database.gone():
            return plan
        for reference, change in asked.items():
            known[reference] = await ask(database, change, stack)


async def identity_of(database: Database) -> dict[str, str] | None:
    """Which database this is; None where there is no ledger."""
    async with database.connection() as connection:
        if ledger.format_of((await query(connection, ledger.EXISTS))[0]) is None:
            return None
        row = (await query(connection, render("ledger/identity")))[0]
    return {"systemIdentifier": row["system_identifier"], "ledger": row["ledger"]}


async def sized(database: Database, steps: Sequence[Step]) -> list[Step]:
    """The steps, those whose cost or harm grows with a relation with its size."""
    touched = {
        step.spec.reference(): relation
        for step in steps
        if grows(step.statements) and (relation := relation_of(step.before or step.spec)) is not None
    }
    if not touched:
        return list(steps)
    has_extension = (await database.capabilities()).timescaledb is not None
    async with transaction(database) as connection:
        sizes = await measure(connection, list(dict.fromkeys(touched.values())), has_extension)
    return [
        replace(step, size=sizes.get(touched[reference])) if (reference := step.spec.reference()) in touched else step
        for step in steps
    ]


async def losses(database: Database, steps: Iterable[Step], allowed: frozenset[str]) -> list[Refusal]:
    """A refusal for every statement that loses data, was not allowed and has something to lose. If the server cannot
    be asked, the answer is no."""
    disposable = database.settings.disposable
    losing = [] if disposable else [step for step in steps if may_lose(step.statements, allowed | step.allow)]
    asked = [step for step in steps if step in losing or may_be_forbidden(step.statements)]
    if not asked:
        return []
    found = []
    try:
        if not database.running():
            raise Unreachable("the server is not running.")
        async with transaction(database) as connection:
            for step in asked:
                for statement in step.statements:
                    try:
                        allowing = allowed | step.allow
                        await refuse_forbidden(connection, step.subject, [statement])
                        await refuse_losses(connection, step.subject, [statement], disposable, allowing, step.size)
                    except Declined as refusal:
                        found.append(Refusal("", str(refusal)))
    except Unreachable as error:
        if not losing:
            return []
        names = ", ".join(dict.fromkeys(step.subject for step in losing))
        fault = f"{names}: cannot tell whether data would be lost, because {error} Start the server, or allow the loss."
        return [Refusal("", fault)]
    return found
