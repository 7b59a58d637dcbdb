"""Which backups stay: the newest of each of the last days, weeks and months."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from . import archived
from .manifest import Manifest
from .target import Target


class Keep(NamedTuple):
    """How many days, weeks and months have a backup that stays."""

    daily: int = 7
    weekly: int = 5
    monthly: int = 12


def staying(found: list[Manifest], keep: Keep) -> set[str]:
    """The backups that stay: the newest of all always does, and the newest of each period that had one."""
    newest = sorted(found, key=lambda one: (one.point, one.id), reverse=True)
    stay = {one.id for one in newest[:1]}
    for form, count in (("%Y-%m-%d", keep.daily), ("%G-%V", keep.weekly), ("%Y-%m", keep.monthly)):
        periods: dict[str, str] = {}
        for one in newest:
            periods.setdefault(f"{datetime.fromtimestamp(one.point / 1e6, UTC):{form}}", one.id)
        stay |= set(list(periods.values())[:count])
    return stay


def prune(target: Target, keep: Keep) -> list[str]:
    """Remove the backups that need not stay, and changes from before the oldest that does; their names."""
    found = target.list()
    stay = staying(found, keep)
    gone = [one for one in found if one.id not in stay]
    for one in gone:
        target.drop(one)
    kept = [one for one in found if one.id in stay]
    oldest = min((one.began for one in kept), default=0)
    runs = [run for run, seen in target.runs() if 0 < seen < oldest]  # no backup can go on with these
    segments = archived.before(target.segments(), kept)
    for name in (*runs, *(f"{archived.LOG}/{segment}" for segment in segments)):
        target.forget(name)
    return [*(one.id for one in gone), *runs, *segments]
