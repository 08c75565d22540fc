"""Which moments can be restored: from the end of each backup as far as every WAL segment after it is there.

pgBackRest does not tell: `info` knows the first and the last segment only, and `verify` (2.55.1) reads the files that
are there and finds nothing wrong when one between them is gone. So the names in the repository are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from .tool import Archive, Backup, Repository, Segment

SEGMENT_BYTES = 16 * 1024 * 1024
MOST_NAMED = 1000
"""Missing segments that are named, for each gap."""


@dataclass(frozen=True)
class Stretch:
    """Every moment from `start` to `end` can be restored. `end` is when the last segment was archived: the last commit
    in it may be up to archive_timeout older."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Gap:
    """No moment after `start` can be restored, until `end`: the end of the next backup, None where there is none."""

    start: datetime
    end: datetime | None
    missing: tuple[str, ...]
    """Names of the WAL segments that are not in the repository."""


@dataclass(frozen=True)
class Window:
    """What can be restored, oldest first."""

    stretches: tuple[Stretch, ...] = ()
    gaps: tuple[Gap, ...] = ()
    unusable: tuple[str, ...] = ()
    """Labels of backups that lack WAL of their own time: they cannot be made consistent."""

    @property
    def start(self) -> datetime | None:
        """The oldest moment."""
        return self.stretches[0].start if self.stretches else None

    @property
    def end(self) -> datetime | None:
        """The newest moment."""
        return self.stretches[-1].end if self.stretches else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Every missing segment, in order."""
        return tuple(name for gap in self.gaps for name in gap.missing)

    def holds(self, moment: datetime) -> bool:
        """Whether a moment can be restored."""
        return any(stretch.start <= moment <= stretch.end for stretch in self.stretches)


@dataclass(frozen=True)
class _Reach:
    """How far one backup reaches: the place of the last segment. `usable`: at least to its own end."""

    backup: Backup
    end: datetime
    place: tuple[int, int]
    missing: tuple[str, ...]
    usable: bool = True


def window(repository: Repository, archive: Archive, segment_bytes: int = SEGMENT_BYTES) -> Window:
    """The restorable window of a repository."""
    log = _Log(archive, segment_bytes)
    reaches = [_reach(backup, log) for backup in repository.backups]
    unusable = [reach for reach in reaches if not reach.usable]
    # Backups from which recovery ends at the same segment lie on one unbroken line.
    lines: dict[tuple[int, int], list[_Reach]] = {}
    for reach in reaches:
        if reach.usable:
            lines.setdefault(reach.place, []).append(reach)
    stretches = [
        Stretch(min(each.backup.finished for each in line), max(each.end for each in line)) for line in lines.values()
    ]
    missing = [line[0].missing for line in lines.values()]
    return Window(
        tuple(stretches), tuple(_gaps(stretches, missing, unusable)), tuple(reach.backup.label for reach in unusable)
    )


class _Log:
    """The archive by timeline and number."""

    def __init__(self, archive: Archive, segment_bytes: int) -> None:
        self.per_log = 0x1_0000_0000 // segment_bytes
        self.timelines = archive.timelines
        self.found: dict[tuple[int, int], Segment] = {self.place(each.name): each for each in archive.segments}
        self.last: dict[int, int] = {}
        for timeline, number in self.found:
            self.last[timeline] = max(number, self.last.get(timeline, 0))

    def place(self, name: str) -> tuple[int, int]:
        """Timeline and number of a segment's name."""
        return int(name[:8], 16), int(name[8:16], 16) * self.per_log + int(name[16:], 16)

    def name(self, timeline: int, number: int) -> str:
        """A segment's name."""
        return f"{timeline:08X}{number // self.per_log:08X}{number % self.per_log:08X}"

    def after(self, timeline: int, number: int) -> tuple[int, int] | None:
        """The place that recovery goes on at: the same timeline first, else one that branched off here."""
        if (timeline, number + 1) in self.found:
            return timeline, number + 1
        for other in sorted(each for each in self.timelines if each > timeline):
            for start in (number, number + 1):
                if (other, start) in self.found:
                    return other, start
        return None

    def missing_after(self, timeline: int, number: int) -> tuple[str, ...]:
        """What lies between a place and the next segment of its timeline; nothing at the archive's end."""
        last = self.last.get(timeline, number)
        names: list[str] = []
        for each in range(number + 1, last):
            if (timeline, each) in self.found or len(names) == MOST_NAMED:
                break
            names.append(self.name(timeline, each))
        return tuple(names)


def _reach(backup: Backup, log: _Log) -> _Reach:
    timeline, first = log.place(backup.wal_start)
    place = log.place(backup.wal_stop)
    own = [number for number in range(first, place[1] + 1) if (timeline, number) not in log.found]
    if own:
        return _Reach(backup, backup.finished, place, tuple(log.name(timeline, each) for each in own), usable=False)
    end = max(backup.finished, log.found[place].archived)
    while (following := log.after(*place)) is not None:
        place = following
        end = max(end, log.found[place].archived)
    return _Reach(backup, end, place, log.missing_after(*place))


def _gaps(
    stretches: Sequence[Stretch], missing: Sequence[tuple[str, ...]], unusable: Sequence[_Reach]
) -> Iterator[Gap]:
    """One after every stretch that WAL is missing behind; then what backups of no use lack, if not named yet."""
    named: set[str] = set()
    for index, stretch in enumerate(stretches):
        following = stretches[index + 1].start if index + 1 < len(stretches) else None
        if missing[index] or following is not None:
            named |= set(missing[index])
            yield Gap(stretch.end, following, missing[index])
    for reach in unusable:
        if not named >= set(reach.missing):
            named |= set(reach.missing)
            following = next((each.start for each in stretches if each.start > reach.end), None)
            yield Gap(reach.backup.started, following, reach.missing)
