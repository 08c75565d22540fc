"""Edition apache on a server of many processes whose Community build runs under the Apache licence: the library then
refuses the same functions as an Apache build."""

from __future__ import annotations

import pytest

from . import apache, native

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB),
]


def test_flows_comes_up_computes_and_is_kept_under_the_apache_licence() -> None:
    with native.running(timescaledb=True, extension=False, timescaledb__license="apache") as dsn:
        apache.all_of_it(dsn)
