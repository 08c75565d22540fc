"""The Pulumi engine's part, small: state that survives kills, a real plugin process that does not."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from pulumi_timescaledb.adapter.protocol import provider_pb2, provider_pb2_grpc
from pulumi_timescaledb.adapter.wire import to_python, to_struct
from pulumi_timescaledb.specs import Reference, Spec, spec_type
from pulumi_timescaledb.whole import Whole

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0
"""Seconds that one call may take before it counts as hanging: longer than the pool's patience with a dead server."""


class Broken(Exception):
    """A call that did not come to its end: the plugin died, or said what is wrong."""


class Plugin:
    """One provider process."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pulumi_timescaledb.plugin"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline())
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self.call("Configure", args=to_struct(settings), acceptSecrets=True)

    def call(self, method: str, **fields: Any) -> Any:
        """A call and its answer.

        Raises:
            Broken: the provider refused, or died.
        """
        request = getattr(provider_pb2, f"{method}Request")(**fields)
        try:
            return getattr(self._stub, method)(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            raise Broken(f"{method}: {error.details()}") from None

    def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Over and gone, whatever its state."""
        self.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._channel.close()


@dataclass
class Held:
    """One resource of the state."""

    kind: str
    name: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @property
    def spec(self) -> Spec:
        """The declaration it was made from."""
        return spec_type(self.kind).from_wire(self.inputs)


@dataclass
class Engine:
    """Runs one stack through one plugin at a time. `state` is what a checkpoint holds; `lossy`: whether what the
    plugin answers from now on is lost, as when the engine itself is killed."""

    plugin: Plugin
    stack: str = "dev"
    state: dict[tuple[str, str], Held] = field(default_factory=dict)
    lossy: bool = False
    changed: list[str] = field(default_factory=list)
    """Operations of the last run, as the engine would print them."""

    def up(self, whole: Whole, allow: Iterable[str] = ()) -> None:
        """Makes the database what `whole` says: book-ends, creates and updates in order, then what is gone."""
        self.changed = []
        before = self._known()
        self._register("Manifest", "manifest", {"declarations": whole.pack(), "allow": list(allow)})
        for reference in whole.creation_order:
            spec = whole.specs[reference]
            self._register(spec.KIND, spec.import_id(), spec.to_wire())
        digest = hashlib.sha256(whole.pack().encode()).hexdigest()
        self._register("Seal", "seal", {"declarations": digest})
        self._delete(before, [reference for reference in before.specs if reference not in whole.specs])

    def preview(self, whole: Whole) -> list[str]:
        """What `up` after a refresh would do: differences of declaration and state, of state and server."""
        self.changed = []
        inputs = {"declarations": whole.pack(), "allow": []}
        manifest = self.state.get(("Manifest", "manifest"))
        self._check("Manifest", "manifest", inputs, manifest.inputs if manifest else {})
        wanted = {(spec.KIND, spec.import_id()): spec for spec in whole.specs.values()}
        for key in [*(key for key in self.state if key[0] not in ("Manifest", "Seal") and key not in wanted)]:
            self.changed.append(f"delete {' '.join(key)}")
        for (kind, name), spec in wanted.items():
            held = self.state.get((kind, name))
            if held is None:
                self.changed.append(f"create {kind} {name}")
                continue
            if self._diff(held, spec.to_wire()):
                self.changed.append(f"update {kind} {name}")
            both = {"inputs": to_struct(held.inputs), "properties": to_struct(held.outputs)}
            found = self.plugin.call("Read", urn=self._urn(kind, name), type=_token(kind), id=name, **both)
            if to_python(found.inputs) != held.inputs:
                self.changed.append(f"drift {kind} {name}")
        return self.changed

    def destroy(self) -> None:
        """Deletes all: the Seal is asked first, the Manifest goes last."""
        self.changed = []
        known = self._known()
        self._drop("Seal", "seal")
        self._delete(known, list(known.specs))
        self._drop("Manifest", "manifest")

    def _known(self) -> Whole:
        return Whole(held.spec for key, held in self.state.items() if key[0] not in ("Manifest", "Seal"))

    def _delete(self, known: Whole, gone: list[Reference]) -> None:
        """Dependents first. What goes with its carrier is only taken out of the state."""
        for reference in reversed(known.creation_order):
            if reference in gone:
                spec = known.specs[reference]
                carrier = known.carrier(reference)
                if carrier is not None and carrier in gone:
                    self.state.pop((spec.KIND, spec.import_id()), None)
                else:
                    self._drop(spec.KIND, spec.import_id())

    def _drop(self, kind: str, name: str) -> None:
        held = self.state.get((kind, name))
        if held is None:
            return
        fields = {"old_inputs": to_struct(held.inputs), "properties": to_struct(held.outputs)}
        self.plugin.call("Delete", urn=self._urn(kind, name), type=_token(kind), id=name, **fields)
        if self.lossy:
            raise Broken("the engine was killed")
        del self.state[(kind, name)]
        self.changed.append(f"delete {kind} {name}")

    def _register(self, kind: str, name: str, inputs: dict[str, Any]) -> None:
        held = self.state.get((kind, name))
        inputs = self._check(kind, name, inputs, held.inputs if held else {})
        if held is None:
            fields = {"urn": self._urn(kind, name), "type": _token(kind), "properties": to_struct(inputs)}
            outputs = to_python(self.plugin.call("Create", **fields).properties)
            self._keep(kind, name, inputs, outputs, "create")
        elif self._diff(held, inputs):
            fields = {
                "old_inputs": to_struct(held.inputs),
                "olds": to_struct(held.outputs),
                "news": to_struct(inputs),
            }
            answer = self.plugin.call("Update", urn=self._urn(kind, name), type=_token(kind), id=name, **fields)
            self._keep(kind, name, inputs, to_python(answer.properties), "update")

    def _keep(self, kind: str, name: str, inputs: dict[str, Any], outputs: dict[str, Any], verb: str) -> None:
        if self.lossy:
            raise Broken("the engine was killed")
        self.state[(kind, name)] = Held(kind, name, inputs, outputs)
        self.changed.append(f"{verb} {kind} {name}")

    def _check(self, kind: str, name: str, inputs: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        fields = {"news": to_struct(inputs), "olds": to_struct(old)}
        answer = self.plugin.call("Check", urn=self._urn(kind, name), type=_token(kind), **fields)
        if answer.failures:
            raise Broken("; ".join(failure.reason for failure in answer.failures))
        return to_python(answer.inputs)

    def _diff(self, held: Held, inputs: dict[str, Any]) -> bool:
        fields = {
            "old_inputs": to_struct(held.inputs),
            "olds": to_struct(held.outputs),
            "news": to_struct(inputs),
        }
        urn = self._urn(held.kind, held.name)
        answer = self.plugin.call("Diff", urn=urn, type=_token(held.kind), id=held.name, **fields)
        assert not answer.replaces, f"{urn} would be replaced"
        return bool(answer.diffs)

    def _urn(self, kind: str, name: str) -> str:
        return f"urn:pulumi:{self.stack}::kills::{_token(kind)}::{name}"

    def saved(self) -> str:
        """The state as text."""
        return json.dumps([[held.kind, held.name, held.inputs, held.outputs] for held in self.state.values()])


def restored(text: str) -> dict[tuple[str, str], Held]:
    """The inverse of `Engine.saved`."""
    return {(kind, name): Held(kind, name, inputs, outputs) for kind, name, inputs, outputs in json.loads(text)}


def _token(kind: str) -> str:
    return f"timescaledb:index:{kind}"
