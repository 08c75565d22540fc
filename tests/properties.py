"""What the property-based tests share: the same examples every time, no files left behind."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), f"hypothesis-{os.getuid()}"))

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

DETERMINISTIC = settings(
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")

texts = st.text(_CHARACTERS, max_size=40)
"""Texts that PostgreSQL can hold."""

hostile = st.lists(
    st.sampled_from(
        ["'", '"', "\\", ";", "--", "/*", "*/", "$$", "$body$", ".", " ", "\n", "é", "💡", "a", "SELECT", "{{"]
    ),
    max_size=12,
).map("".join)
"""Texts made of what breaks quoting."""


def _fits(name: str) -> bool:
    return 0 < len(name.encode()) <= 63


names = st.one_of(texts, hostile).filter(_fits)
"""Identifiers that PostgreSQL keeps whole."""
