"""Lists of codes that can be shown by the page without being listed whole."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence, Set
from functools import partial
from itertools import islice
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
        self._file, self._intervals, self._active = file, intervals, active

    @property
    def intervals(self) -> tuple[tuple[int, int], ...]:
        """The pairs of ids: first and last, in rising order."""
        return tuple(self._intervals)

    @property
    def _out(self) -> array[int]:
        """The ids that do not count, rising."""
        return self._file.resting if self._active else self._file.headings

    def __contains__(self, code: object) -> bool:
        number = self._file.id_of(code) if isinstance(code, str) else None
        return number is not None and any(first <= number <= last for first, last in self._intervals)

    def __iter__(self) -> Iterator[str]:
        where = f"id BETWEEN ? AND ? AND NOT heading{' AND active' if self._active else ''}"
        for interval in self._intervals:
            yield from (c for (c,) in self._file.db.execute(f"SELECT code FROM concept WHERE {where}", interval))

    def __len__(self) -> int:
        return sum(self._count(first, last) for first, last in self._intervals)

    def _count(self, first: int, last: int) -> int:
        out = self._out
        return last - first + 1 - (bisect_right(out, last) - bisect_left(out, first))

    def page(self, offset: int, count: int) -> list[str]:
        """Some of the codes."""
        return self._file.codes_of(list(islice(self._ids(offset), count)))

    def _ids(self, offset: int) -> Iterator[int]:
        """The ids that count, without the first `offset`."""
        out = self._out
        for first, last in self._intervals:
            here = self._count(first, last)
            if offset >= here:
                offset -= here
                continue
            first += bisect_left(range(first, last + 1), offset + 1, key=partial(self._count, first))
            offset = 0
            at = bisect_left(out, first)
            for number in range(first, last + 1):
                if at < len(out) and out[at] == number:
                    at += 1
                else:
                    yield number

    def active(self) -> Stretch:
        """Those in use."""
        return Stretch(self._file, self._intervals, active=True)
