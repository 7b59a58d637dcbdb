"""What an expression constraint selects in an edition: tested by code, listed by the page, kept for a while."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Iterator, Set
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np

from terminology.ecl.evaluate import evaluate
from terminology.ecl.grammar import read
from terminology.ecl.substrate import Mask, Substrate

if TYPE_CHECKING:
    from terminology.store.file import EditionFile

KEPT = 16 * 2**20
"""Bytes of selections of one edition that stay at hand; one of half a million concepts takes 60 kB."""

_BATCH = 4_096


class Selection(Set[str]):
    """The codes that are selected, in book order."""

    def __init__(self, substrate: Substrate, bits: bytes, count: int) -> None:
        self._of, self._bits, self._count = substrate, bits, count

    def __contains__(self, code: object) -> bool:
        number = self._of.file.id_of(code) if isinstance(code, str) else None
        return number is not None and bool(self._bits[number >> 3] >> (number & 7) & 1)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        ids = self._ids().tolist()
        for start in range(0, len(ids), _BATCH):
            yield from self._of.file.codes_of(ids[start : start + _BATCH])

    def page(self, offset: int, count: int) -> list[str]:
        """Some of the codes."""
        return self._of.file.codes_of(self._ids()[offset : offset + count].tolist())

    def active(self) -> Selection:
        """Those in use."""
        return _selection(self._of, self._mask() & self._of.active)

    @property
    def weight(self) -> int:
        """The bytes that it takes."""
        return len(self._bits)

    def _mask(self) -> Mask:
        flags = np.unpackbits(np.frombuffer(self._bits, np.uint8), count=self._of.size, bitorder="little")
        return flags.astype(bool)

    def _ids(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        return np.flatnonzero(self._mask())


def _selection(substrate: Substrate, mask: Mask) -> Selection:
    return Selection(substrate, np.packbits(mask, bitorder="little").tobytes(), int(np.count_nonzero(mask)))


class _Kept:
    """The selections of one edition, the latest used last."""

    def __init__(self, file: EditionFile) -> None:
        self.substrate = Substrate(file)
        self._found: OrderedDict[str, Selection] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def select(self, expression: str) -> Selection:
        with self._lock:
            found = self._found.get(expression)
            if found is not None:
                self._found.move_to_end(expression)
                return found
        found = _selection(self.substrate, evaluate(self.substrate, read(expression)))
        with self._lock:
            if expression not in self._found:
                self._found[expression] = found
                self._weight += found.weight + len(expression)
            while self._weight > KEPT and len(self._found) > 1:
                text, old = self._found.popitem(last=False)
                self._weight -= old.weight + len(text)
        return found


_kept: weakref.WeakKeyDictionary[EditionFile, _Kept] = weakref.WeakKeyDictionary()


def select(file: EditionFile, expression: str) -> Selection:
    """What an expression selects; FhirError where it is wrong, too costly, or the edition is not of SNOMED CT."""
    tree = read(expression)  # a mistake is told before the edition is looked at
    assert tree is not None
    kept = _kept.get(file)
    if kept is None:
        kept = _kept[file] = _Kept(cast("EditionFile", weakref.proxy(file)))  # so that the file can go
    return kept.select(expression)
