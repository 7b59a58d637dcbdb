"""What travels through de-identification: mentions of identifiers, and who is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["name", "date", "age", "phone", "email", "url", "id", "address", "zip", "place", "ip"]
Sex = Literal["f", "m", ""]


@dataclass(frozen=True, slots=True)
class Mention:
    """An identifier in a text: character offsets (end exclusive). `known`: of somebody whom we know by data."""

    start: int
    end: int
    kind: Kind
    known: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a person."""

    family: str
    given: tuple[str, ...] = ()
    sex: Sex = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The identifiers of the patient and of those around, as the data has them."""

    names: tuple[Name, ...] = ()
    ids: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()  # of addresses: streets
    cities: tuple[str, ...] = ()
    zips: tuple[str, ...] = ()
