"""Lists of codes that can be shown by the page without being listed whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from terminology.store.file import EditionFile


@runtime_checkable
class Paged(Protocol):
    """Codes in book order."""

    def __len__(self) -> int:
        """How many there are."""

    def page(self, offset: int, count: int) -> list[str]:
        """Some of them."""

    def active(self) -> Paged:
        """Those that are in use."""


class Stretch(Set[str]):
    """The codes of an edition between some pairs of ids, without the headings of the book."""

    def __init__(self, file: EditionFile, intervals: Sequence[tuple[int, int]], *, active: bool = False) -> None:
        self._file, self._intervals = file, intervals
        self._where = f"id BETWEEN ? AND ? AND NOT heading{' AND active' if active else ''}"

    @property
    def intervals(self) -> tuple[tuple[int, int], ...]:
        """The pairs of ids: first and last, in rising order."""
        return tuple(self._intervals)

    def __contains__(self, code: object) -> bool:
        number = self._file.id_of(code) if isinstance(code, str) else None
        return number is not None and any(first <= number <= last for first, last in self._intervals)

    def __iter__(self) -> Iterator[str]:
        for interval in self._intervals:
            yield from (c for (c,) in self._file.db.execute(f"SELECT code FROM concept WHERE {self._where}", interval))

    def __len__(self) -> int:
        return sum(self._count(interval) for interval in self._intervals)

    def _count(self, interval: tuple[int, int]) -> int:
        return int(self._file.db.execute(f"SELECT count(*) FROM concept WHERE {self._where}", interval).fetchone()[0])

    def page(self, offset: int, count: int) -> list[str]:
        """Some of the codes."""
        found: list[str] = []
        sql = f"SELECT code FROM concept WHERE {self._where} ORDER BY id LIMIT ? OFFSET ?"
        for interval in self._intervals:
            if len(found) >= count:
                break
            here = self._count(interval)
            if offset < here:
                found += [c for (c,) in self._file.db.execute(sql, (*interval, count - len(found), offset))]
            offset = max(offset - here, 0)
        return found

    def active(self) -> Stretch:
        """Those in use."""
        return Stretch(self._file, self._intervals, active=True)
