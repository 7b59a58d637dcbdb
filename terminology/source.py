"""What a reader of an official file hands to the writer: one edition, its concepts, and the subsets named in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is (0: not known)."""


class Name(NamedTuple):
    """Another name of a concept.

    `kind` is one of `KINDS`; `language` a BCP 47 tag; `dialects` names the language reference sets that prefer it.
    """

    text: str
    kind: str = "synonym"
    language: str = "en"
    dialects: tuple[str, ...] = ()


KINDS = (
    "inclusion",
    "index",
    "synonym",
    "abbreviation",
    "label",
    "short",
    "medium",
    "long",
    "consumer",
    "brand",
    "fsn",
)
"""Kinds of names: `fsn` is a fully specified name, `index` an entry of an alphabetic index, `label` one of our own."""


class Relation(NamedTuple):
    """A relation other than the hierarchy; those of one `group` above 0 belong together."""

    type: str  # a code of the same system, or a name such as has_ingredient
    target: str  # a code of the same system, or a concrete value: #10, "text", true, false
    group: int = 0


def is_concrete(target: str) -> bool:
    """Whether the target of a relation is a value and no code."""
    return target[:1] in ("#", '"') or target in ("true", "false")


@dataclass(frozen=True, slots=True)
class PropertyDef:
    """A property that an edition declares.

    `type` is one of FHIR's: code, Coding, string, integer, boolean, dateTime, decimal.
    """

    code: str
    type: str = "string"
    uri: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class SourceConcept:
    """A concept as its source states it. The first of `parents` is the one under which it is listed.

    A `group` orders the book (a chapter, a block) and is no code. `start` and `end` are the days of service between
    which the code may be used, where the source says so for the single code. Values of `properties` are texts, whole
    numbers, booleans, `{"code": …, "display": …}` for a Coding, or lists of those.
    """

    code: str
    display: str
    parents: tuple[str, ...] = ()
    billable: bool | None = None
    active: bool = True
    group: bool = False
    start: date | None = None
    end: date | None = None
    names: tuple[Name, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # (kind, text)
    properties: Mapping[str, Any] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Subset:
    """A named list of codes inside an edition: an answer list, a reference set."""

    id: str  # what follows the base of its value set URL
    title: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One edition to write. `fingerprint` names its exact content: an equal one is not written again.

    `concepts` may be called once for each writing, and raises FhirError with file, line and column where the source is
    damaged; then nothing is written. Concepts come in any order in which the children of one parent are to be listed.
    """

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
    properties: tuple[PropertyDef, ...] = ()
    subsets: Callable[[], Iterable[Subset]] = tuple
    sensitive: bool = True  # whether the case of codes counts
    language: str = "en"
    files: tuple[tuple[str, str], ...] = ()  # name and SHA-256 of each file that it was read from
    total: int = 0  # concepts, where known beforehand


class MapRow(NamedTuple):
    """One pair of a map. `equivalence` is R4's; `rules` hold what else the source says, such as scenario and choice."""

    source: str
    target: str | None
    equivalence: str
    rules: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class MapSource:
    """One map between two code systems to write."""

    name: str  # for example icd9cm-icd10cm
    url: str
    version: str
    title: str
    source: str  # system URI
    target: str
    origin: str
    licence: str
    fingerprint: str
    rows: Callable[[], Iterator[MapRow]]
    files: tuple[tuple[str, str], ...] = ()
