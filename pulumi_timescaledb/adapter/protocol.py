"""Pulumi's protobuf modules without the rest of its SDK.

`import pulumi` runs the whole SDK (0.38 s); the plugin starts several times a run and needs none of it. Empty parent
packages that know only their folder let the generated modules load alone.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def _shallow(name: str, folder: Path) -> list[str]:
    """Stands an empty package in for `name`, if it is not loaded; gives the names it made."""
    if name in sys.modules:
        return []
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    return [name]


_found = importlib.util.find_spec("pulumi")
if _found is None or _found.origin is None:
    raise ImportError("the Python package `pulumi` is not installed")
_root = Path(_found.origin).parent
_stand_ins = [
    *_shallow("pulumi", _root),
    *_shallow("pulumi.runtime", _root / "runtime"),
    *_shallow("pulumi.runtime.proto", _root / "runtime" / "proto"),
]

from pulumi.runtime.proto import (  # noqa: E402
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

for _name in _stand_ins:  # whoever imports pulumi later in this process gets the real one
    del sys.modules[_name]

__all__ = ["engine_pb2", "engine_pb2_grpc", "plugin_pb2", "provider_pb2", "provider_pb2_grpc"]
