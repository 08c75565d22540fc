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
    """How far one backup reaches; `usable` is false where it does not even reach its own end."""

    backup: Backup
    end: datetime
    missing: tuple[str, ...]
    usable: bool


def window(repository: Repository, archive: Archive, segment_bytes: int = SEGMENT_BYTES) -> Window:
    """The restorable window of a repository."""
    log = _Log(archive, segment_bytes)
    reaches = [_reach(backup, log) for backup in repository.backups]
    usable = [reach for reach in reaches if reach.usable]
    stretches = _merged([Stretch(reach.backup.finished, reach.end) for reach in usable])
    return Window(
        tuple(stretches),
        tuple(_gaps(stretches, reaches)),
        tuple(reach.backup.label for reach in reaches if not reach.usable),
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
    _, last = log.place(backup.wal_stop)
    own = [number for number in range(first, last + 1) if (timeline, number) not in log.found]
    if own:
        return _Reach(backup, backup.finished, tuple(log.name(timeline, number) for number in own), False)
    place, end = (timeline, last), max(backup.finished, log.found[timeline, last].archived)
    while (following := log.after(*place)) is not None:
        place = following
        end = max(end, log.found[place].archived)
    return _Reach(backup, end, log.missing_after(*place), True)


def _merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for stretch in sorted(stretches, key=lambda each: each.start):
        if merged and stretch.start <= merged[-1].end:
            merged[-1] = Stretch(merged[-1].start, max(merged[-1].end, stretch.end))
        else:
            merged.append(stretch)
    return merged


def _gaps(stretches: Sequence[Stretch], reaches: Sequence[_Reach]) -> Iterator[Gap]:
    """One for every end of a stretch after which WAL is missing, and for backups that reach nothing."""
    named: set[str] = set()
    for index, stretch in enumerate(stretches):
        missing = dict.fromkeys(name for reach in reaches if reach.end == stretch.end for name in reach.missing)
        following = stretches[index + 1].start if index + 1 < len(stretches) else None
        named |= missing.keys()
        if missing or following is not None:
            yield Gap(stretch.end, following, tuple(missing))
    for reach in reaches:
        if not reach.usable and not named >= set(reach.missing):
            named |= set(reach.missing)
            following = next((each.start for each in stretches if each.start > reach.end), None)
            yield Gap(reach.backup.started, following, reach.missing)
