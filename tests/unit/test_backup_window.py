"""The restorable window from backups and the names of archived segments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from flowsctl.backup.tool import Archive, Backup, Kind, Repository, Segment
from flowsctl.backup.window import Gap, Stretch, Window, window

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def name(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def backup(minutes: int, first: int, last: int | None = None, timeline: int = 1) -> Backup:
    """Ends at `minutes`, when its last segment was archived."""
    stop = name(last or first, timeline)
    label = f"backup-{minutes}"
    return Backup(label, Kind.FULL, at(minutes - 0.5), at(minutes), "0/0", "0/0", name(first, timeline), stop, 1, 1)


def archive(numbers: Iterable[int], timelines: Iterable[int] = (), timeline: int = 1) -> Archive:
    """Segment n was archived at minute n."""
    segments = tuple(Segment(name(number, timeline), at(number), 1) for number in numbers)
    return Archive(segments, frozenset(timelines))


def of(backups: list[Backup], found: Archive) -> Window:
    return window(Repository(tuple(backups)), found)


def test_no_backup_no_window() -> None:
    found = of([], archive(range(1, 9)))
    assert (found.start, found.end, found.gaps) == (None, None, ())


def test_a_whole_archive_is_one_stretch_however_many_backups() -> None:
    found = of([backup(3, 3), backup(6, 6)], archive(range(1, 10)))
    assert found == Window((Stretch(at(3), at(9)),))
    assert found.holds(at(4))
    assert not found.holds(at(2))
    assert not found.holds(at(10))


def test_a_missing_segment_is_named_and_the_next_backup_begins_anew() -> None:
    found = of([backup(3, 3), backup(8, 8)], archive([1, 2, 3, 4, 7, 8, 9]))
    assert found.stretches == (Stretch(at(3), at(4)), Stretch(at(8), at(9)))
    assert found.gaps == (Gap(at(4), at(8), (name(5), name(6))),)
    assert found.missing == (name(5), name(6))
    assert not found.holds(at(7))


def test_a_segment_missing_after_the_newest_backup_ends_the_window() -> None:
    found = of([backup(3, 3)], archive([3, 4, 6, 7]))
    assert found.end == at(4)
    assert found.gaps == (Gap(at(4), None, (name(5),)),)


def test_a_backup_without_wal_of_its_own_time_is_of_no_use() -> None:
    found = of([backup(3, 3), backup(6, 5, 6)], archive([3, 4, 5, 7, 8]))
    assert found.unusable == ("backup-6",)
    assert found.stretches == (Stretch(at(3), at(5)),)
    assert found.missing == (name(6),)


def test_the_only_backup_is_of_no_use() -> None:
    found = of([backup(6, 5, 6)], archive([5, 7]))
    assert (found.start, found.missing, found.unusable) == (None, (name(6),), ("backup-6",))


def test_wal_older_than_the_oldest_backup_may_be_missing() -> None:
    assert of([backup(6, 6)], archive([1, 3, 6, 7])).gaps == ()


def test_numbers_go_on_across_logs() -> None:
    found = of([backup(250, 250)], archive(range(250, 260)))
    assert found.end == at(259)
    assert of([backup(250, 250)], archive([*range(250, 256), *range(257, 260)])).missing == (name(256),)


def test_recovery_follows_a_new_timeline_whose_history_is_there() -> None:
    old, new = archive([3, 4, 5]), archive([5, 6, 7], timeline=2)
    joined = old.segments + new.segments
    assert of([backup(3, 3)], Archive(joined, frozenset({2}))).end == at(7)
    assert of([backup(3, 3)], Archive(joined)).end == at(5)


@pytest.mark.parametrize("size", [1, 64])
def test_segments_of_another_size(size: int) -> None:
    per_log = 4096 // size
    names = [f"00000001{n // per_log:08X}{n % per_log:08X}" for n in range(per_log - 1, per_log + 2)]
    segments = tuple(Segment(each, at(index), 1) for index, each in enumerate(names))
    only = Backup("b", Kind.FULL, at(-1), at(0), "0/0", "0/0", names[0], names[0], 1, 1)
    assert window(Repository((only,)), Archive(segments), size * 1024 * 1024).end == at(2)
