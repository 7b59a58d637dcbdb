"""Join the names of an index to the concepts of an edition (https://www.cdc.gov/nchs/icd/icd-10-cm/files.html)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from terminology.importers.given import refusal
from terminology.source import Name, SourceConcept

ENOUGH = 0.9
"""Share of the index's codes that the edition must hold: below that the index is of another one."""

Concepts = Callable[[], Iterator[SourceConcept]]
Names = Mapping[str, list[Name]]


def with_names(concepts: Concepts, names: Names) -> Concepts:
    """The same concepts with further names; they refuse an index of another edition when they are read."""
    return partial(_named, concepts, names) if names else concepts


def _named(concepts: Concepts, names: Names) -> Iterator[SourceConcept]:
    left = dict(names)
    for concept in concepts():
        if more := left.pop(concept.code, None):
            known = {concept.display, *(n.text for n in concept.names)}
            added = tuple(name for name in more if name.text not in known)
            yield dataclasses.replace(concept, names=(*concept.names, *added))
        else:
            yield concept
    if len(left) > (1 - ENOUGH) * len(names):
        example = next(iter(left))
        raise refusal(f"{len(left)} of {len(names)} codes of the index are not in this edition, such as {example}")
