"""Database objects: every kind behind one handler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import ValidationError

from ..adopt import declared_form, refuse_foreign
from ..drift import as_seen
from ..errors import Declined, ProviderError
from ..kinds import Context, Kind, kind_of
from ..kinds.base import shown
from ..rebuild import plan_change, plan_rename
from ..recording import Caller
from ..sizes import Size
from ..specs import Part, Spec
from ..statement import Refused, Statement
from ..wording import if_it_can_be_asked
from .handler import Call, Difference, Found
from .session import Session
from .wire import UNKNOWN, bare, changed_paths, has_unknown, marked, redact, secret_keys, secret_texts


class ObjectHandler:
    """One kind of object."""

    def __init__(self, kind_name: str) -> None:
        self.kind: Kind[Any] = kind_of(kind_name)

    def _spec(self, properties: dict[str, Any]) -> Spec:
        return spec_of(self.kind.spec, properties)

    def _secrets(self, properties: dict[str, Any]) -> frozenset[str]:
        from pydantic.alias_generators import to_camel

        return secret_keys(properties) | {to_camel(name) for name in self.kind.spec.secret_fields()}

    def _marked(self, spec: Spec, properties: dict[str, Any]) -> dict[str, Any]:
        return marked(spec.to_wire(), self._secrets(properties))

    async def check(self, session: Session, call: Call) -> tuple[dict[str, Any], list[str]]:
        """Validates every property; unknown ones are left for the update. What the state holds already was validated,
        and the Manifest has just validated every declaration again."""
        session.registered.append((self.kind.spec.KIND, call.urn, call.new))
        if call.old and session.whole_is_known and bare(call.old) == bare(call.new):
            return call.new, []
        try:
            spec = self._spec(call.new)
        except ValidationError as error:
            faults = validation_faults(error)
            if has_unknown(call.new):
                return call.new, [
                    fault for fault, value in faults if value is not UNKNOWN and not has_unknown(bare(value))
                ]
            return call.new, [fault for fault, _ in faults]
        if has_unknown(call.new):  # inside a value of any form
            return call.new, []
        return self._marked(spec, call.new), []

    async def diff(self, session: Session, call: Call) -> Difference:
        """Pure: the engine asks twice for every unchanged resource."""
        if bare(call.old) == bare(call.new):
            return Difference({})
        if has_unknown(call.new):
            return Difference(dict(changed_paths(bare(call.old), bare(call.new))))
        old, new = self._spec(call.old), self._spec(call.new)
        if old.comparable() == new.comparable() and not self.kind.secret_changed(old, new):
            return Difference({})
        paths = dict(changed_paths(old.to_wire(), new.to_wire()))
        if session.applier.renames_for(new).follow(old).identity() != new.identity():
            return Difference(paths, frozenset(paths))
        return Difference(paths)

    async def create(self, session: Session, call: Call) -> tuple[str, dict[str, Any]]:
        """Creates the object, or adopts it where the ledger knows it as ours."""
        if call.preview and has_unknown(call.new):
            return "", call.new
        new = self._spec(call.new)
        if call.preview:
            await self._show(session, call, None, new)
        else:
            await self._apply(session, call, None, new)
        return new.import_id(), self._marked(new, call.new)

    async def update(self, session: Session, call: Call) -> dict[str, Any]:
        """Changes the object in place, or rebuilds it."""
        if call.preview and has_unknown(call.new):
            return call.new
        old, new = self._spec(call.old), self._spec(call.new)
        if call.preview:
            await self._show(session, call, old, new)
        else:
            await self._apply(session, call, old, new)
        return self._marked(new, call.new)

    async def _apply(self, session: Session, call: Call, old: Spec | None, new: Spec) -> None:
        statements = await session.applier.apply(self.kind, old, new, _caller(call, session))
        session.has_written |= bool(statements)
        session.snapshots.invalidate()

    async def _show(self, session: Session, call: Call, old: Spec | None, new: Spec) -> None:
        statements, size = await self._planned(session, call, old, new)
        await session.show(call.urn, statements, frozenset(secret_texts(call.new)), size)

    async def _planned(
        self, session: Session, call: Call, old: Spec | None, new: Spec
    ) -> tuple[Sequence[Statement], Size | None]:
        """What the update will run: the step of the whole plan where the server answers, which knows what is already
        done and what other steps do; else the change from what the state holds."""
        planned = await session.plan(call.stack)
        if planned is not None:
            step = planned.plan.step(new)
            if step is not None:
                return step.statements, step.size
            if not any(refusal.subject == shown(new) for refusal in planned.plan.refusals):
                return (), None
        applier = session.applier
        context = Context(session.capabilities(), applier.whole)
        if old is not None:
            old = await if_it_can_be_asked(session.database, old, new)
        try:
            if old is None:
                change = plan_change(self.kind, None, new, context, applier.old_whole)
            else:
                renames = applier.renames_for(new)
                change = plan_rename(self.kind, old, new, context, applier.old_whole, renames)
        except Refused as refusal:
            raise Declined(f"{shown(new)}: {refusal}") from None
        return (await session.settled(change, call.stack)).statements, None

    async def delete(self, session: Session, call: Call) -> None:
        """Drops the object; a missing one is fine."""
        await session.applier.delete(self.kind, self._spec(call.old or call.state), _caller(call, session))
        session.snapshots.invalidate()

    async def read(self, session: Session, call: Call) -> Found | None:
        """What the server shows: as declared while it is as it was after our last change, else the server's words."""
        try:
            identity = self.kind.spec.parse_id(call.id)
        except ValueError as error:
            raise ProviderError(f'{self.kind.spec.KIND}: "{call.id}" is not an import id: {error}.') from None
        known = self._spec(call.old) if call.old else None
        if known is not None:
            identity = known.identity()
        snapshot = await session.snapshots.get()
        live = snapshot.find(self.kind.spec.KIND, identity)
        if live is None:
            return None
        entry = snapshot.entries.get((self.kind.spec.KIND, live.import_id()))
        found = live if entry is None or entry.step else as_seen(entry, live)
        if known is None:  # an import
            refuse_foreign(snapshot, live, call.stack)
            if entry is None:
                found = declared_form(session.applier.whole, self.kind, live, session.capabilities())
        else:  # what the server cannot show stays as it is in the state
            keep = set(found.secret_fields()) | found.VOLATILE
            found = found.model_copy(update={n: getattr(known, n) for n in keep if n in type(found).model_fields})
        properties = self._marked(found, call.old)
        return Found(found.import_id(), properties, properties)


def spec_of(kind: type[Spec], properties: dict[str, Any]) -> Spec:
    """The spec that resource properties stand for.

    Raises:
        pydantic.ValidationError: they are not valid.
    """
    return kind.from_wire({**dict.fromkeys(nullable(kind)), **bare(properties)})


def nullable(part: type[Part]) -> list[str]:
    """Properties that must be given and may be None. The protocol's other end drops nulls: left out means None."""
    fields = part.model_fields.items()
    return [f.alias or n for n, f in fields if f.is_required() and type(None) in get_args(f.annotation)]


def _caller(call: Call, session: Session) -> Caller:
    secrets = frozenset(text for each in (call.old, call.new) for text in secret_texts(each))
    return Caller(
        call.stack,
        call.urn,
        lambda text: redact(text, secrets),
        lambda text: session.log.info(call.urn, redact(text, secrets), status=True),
    )


def validation_faults(error: ValidationError) -> list[tuple[str, Any]]:
    """(fault with its property path, offending value) for every fault."""
    faults = []
    places = [each["loc"] for each in error.errors(include_url=False)]
    for each in error.errors(include_url=False):
        here = each["loc"]
        if each["type"] == "too_short" and any(len(p) > len(here) and p[: len(here)] == here for p in places):
            continue  # it is only short of the items that are wrong themselves
        path = ""
        for part in each["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
        message = each["msg"].removeprefix("Value error, ")
        if each["type"] == "missing":
            message = "is required"
        elif each["type"] == "extra_forbidden":
            message = "there is no such property"
        elif each["type"] == "too_short":
            message = f"at least {each['ctx']['min_length']} is needed"
        faults.append((f"{path}: {message}" if path else message, each["input"]))
    return faults
