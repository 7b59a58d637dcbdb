"""The records of the terminology module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Edition:
    """A code-system edition: `version` as FHIR states it, in force from `start` to `end` (inclusive, None: open)."""

    system: str
    version: str
    start: date | None
    end: date | None
    content: str  # complete | fragment
    source: str
    licence: str
    name: str = ""  # short alias, for example icd10cm
    title: str = ""
    fingerprint: str = ""  # of the exact content
    sensitive: bool = True  # whether the case of codes counts
    language: str = "en"  # of the displays


class Concept(NamedTuple):
    """A concept. `billable` is None where the system does not know the idea; a `group` orders the book and is no code.

    `start` and `end` are the days of service between which the code may be used, where its edition says so.
    """

    system: str
    code: str
    display: str
    version: str
    billable: bool | None = None
    active: bool = True
    parent: str | None = None  # the first one
    group: bool = False
    start: date | None = None
    end: date | None = None
    detail: str | None = None  # the properties as JSON: most who ask for a concept do not need them
    number: int = 0  # its place in pre-order
    last: int = 0  # the place of the last one below it along first parents; its own when there is none

    @property
    def properties(self) -> Mapping[str, Any]:
        """The properties that the source gives it, by code."""
        return json.loads(self.detail) if self.detail else {}


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase that names a concept; `kind` is title, inclusion, synonym, abbreviation or label."""

    system: str
    code: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Validation:
    """The answer of `validate_code`: `result` is False with a `message` that a person can act on."""

    result: bool
    system: str
    code: str
    display: str | None = None
    version: str | None = None
    billable: bool | None = None
    message: str | None = None
    issue: str | None = None  # FHIR issue-type: code-invalid, not-found, business-rule …
