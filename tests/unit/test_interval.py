"""Intervals: one form for every spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_timescaledb.interval import Duration, normal_interval, parse_interval

from ..properties import DETERMINISTIC

_LARGE = 10**6
durations = st.builds(
    Duration,
    months=st.integers(-_LARGE, _LARGE),
    days=st.integers(-_LARGE, _LARGE),
    microseconds=st.integers(-(10**15), 10**15),
)


@DETERMINISTIC
@given(durations)
def test_text_round_trip(duration: Duration) -> None:
    assert parse_interval(str(duration)) == duration


@DETERMINISTIC
@given(durations)
def test_normal_form_is_a_fixed_point(duration: Duration) -> None:
    text = normal_interval(str(duration))
    assert normal_interval(text) == text


@DETERMINISTIC
@given(durations, durations)
def test_equal_texts_mean_equal_durations(one: Duration, other: Duration) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("7 days", "7 days"),
        ("1 week", "7 days"),
        ("7d", "7 days"),
        ("1 day 24:00:00", "1 day 24 hours"),
        ("00:30:00", "30 minutes"),
        ("-00:30", "-30 minutes"),
        ("1 mon 02:30:00", "1 month 2 hours 30 minutes"),
        ("1 year 2 mons", "1 year 2 months"),
        ("90 sec", "1 minute 30 seconds"),
        ("00:00:00.5", "500000 microseconds"),
        ("5 ms", "5000 microseconds"),
        ("0 days", "0 seconds"),
        ("  2  HOURS ", "2 hours"),
    ],
)
def test_normal_interval(text: str, normal: str) -> None:
    assert normal_interval(text) == normal


@pytest.mark.parametrize("text", ["", "  ", "soon", "5", "5 parsecs", "1 day ago", "1.5 days", "-", "days 5"])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="interval"):
        parse_interval(text)


def test_order_counts_a_month_as_thirty_days() -> None:
    assert parse_interval("1 month").approximate_days() == parse_interval("30 days").approximate_days()
    assert parse_interval("36 hours").approximate_days() == 1.5
