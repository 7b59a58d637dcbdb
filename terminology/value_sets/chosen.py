"""A few codes that a filter of a code system's own chooses, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set


class Chosen(Set[str]):
    """Codes in their order; `fold` makes equal what the code system takes for equal."""

    def __init__(self, codes: Iterable[str], fold: Callable[[str], str]) -> None:
        self._fold = fold
        self._codes = {fold(code): code for code in codes}

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and self._fold(code) in self._codes

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes.values())

    def __len__(self) -> int:
        return len(self._codes)
