"""Expressions over whole tables of claims: the rows of which they are true, over columns laid out as numbers once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from claims.expr.batch import Batch, Frames, Mask
from claims.expr.prepare import Prepared
from claims.expr.tree import Node
from claims.sheet.schema import SCOPES
from claims.tables.columns import Array

__all__ = ["Batch", "Expressions", "Frames"]


class Expressions:
    """Expressions that are asked together, each of the rows of its scope; prepared once for every batch."""

    def __init__(self, nodes: Sequence[tuple[str, Node]]) -> None:
        prepared = Prepared()
        self._parts = [(collection := SCOPES[scope][0], prepared.part(node, collection)) for scope, node in nodes]

    def hits(self, batch: Batch) -> Iterator[tuple[int, str, Array]]:
        """(number, collection, places of the rows) of each expression that is true of some."""
        for number, (collection, part) in enumerate(self._parts):
            rows = batch.whole(collection)
            mask = part.when(rows, True) if rows.count else False
            if mask is not False:
                yield number, collection, np.arange(rows.count) if mask is True else np.flatnonzero(mask)

    def when(self, batch: Batch, number: int, wanted: bool) -> Mask:
        """Where one of them is so, or is not so; where it is not known neither holds."""
        collection, part = self._parts[number]
        return part.when(batch.whole(collection), wanted)
