"""What a reader of an official file hands to the writer: one edition and its concepts in tree order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Progress = Callable[[str, int, int], None]  # what, done, total


@dataclass(frozen=True, slots=True)
class SourceConcept:
    """A concept as its source states it; a parent always comes before its children."""

    code: str
    display: str
    parent: str | None = None
    billable: bool | None = None
    active: bool = True
    terms: tuple[tuple[str, str], ...] = ()  # (kind, text)
    notes: tuple[tuple[str, str], ...] = ()  # (kind, text)
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """One edition to write. `fingerprint` names its exact content: an equal one is not written again."""

    name: str  # file name stem and alias, for example icd10cm
    system: str
    version: str
    title: str
    start: date | None
    end: date | None
    content: str  # complete | fragment
    origin: str
    licence: str
    fingerprint: str
    concepts: Callable[[], Iterator[SourceConcept]]
