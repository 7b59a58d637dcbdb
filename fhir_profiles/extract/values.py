"""From one FHIR value to its index rows (https://hl7.org/fhir/R4/search.html#ptypes).

Each maker takes the parameter codes that share an element and gives a function `(value, index) -> None`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from fhir_profiles.dates import OPEN_HIGH, OPEN_LOW, interval
from fhir_profiles.extract.rows import Index

Emit = Callable[[Any, Index], None]
Codes = tuple[str, ...]

_TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?$")


def normalise(text: str) -> str:
    """The form in which strings are compared: no case, no accents, single spaces."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return " ".join(text.lower().split())


# Token


def code(codes: Codes, system: str | None = None) -> Emit:
    """A code, boolean, string or other primitive; `system` where the binding implies it."""

    def emit(value: Any, index: Index) -> None:
        text = value if type(value) is str else _literal(value)
        for c in codes:
            index.tokens.append((c, system, text))

    return emit


def coding(codes: Codes) -> Emit:
    """A Coding."""

    def emit(value: dict[str, Any], index: Index) -> None:
        text = value.get("code")
        if text is not None:
            system = value.get("system")
            for c in codes:
                index.tokens.append((c, system, text))
        else:
            index.present.update(codes)

    return emit


def concept(codes: Codes) -> Emit:
    """A CodeableConcept: every coding."""

    def emit(value: dict[str, Any], index: Index) -> None:
        for one in value.get("coding", ()):
            text = one.get("code")
            if text is not None:
                system = one.get("system")
                for c in codes:
                    index.tokens.append((c, system, text))
            else:
                index.present.update(codes)
        if "coding" not in value:
            index.present.update(codes)

    return emit


def identifier(codes: Codes) -> Emit:
    """An Identifier: its system and value, and `code:of-type` for each coding of its type."""

    def emit(value: dict[str, Any], index: Index) -> None:
        text = value.get("value")
        if text is None:
            index.present.update(codes)
            return
        system = value.get("system")
        for c in codes:
            index.tokens.append((c, system, text))
        if kind := value.get("type"):
            for one in kind.get("coding", ()):
                if "code" in one:
                    for c in codes:
                        index.tokens.append((f"{c}:of-type", one.get("system"), f"{one['code']}|{text}"))

    return emit


def contact(codes: Codes) -> Emit:
    """A ContactPoint: its use and value."""

    def emit(value: dict[str, Any], index: Index) -> None:
        text = value.get("value")
        if text is not None:
            use = value.get("use")
            for c in codes:
                index.tokens.append((c, use, text))
        else:
            index.present.update(codes)

    return emit


def _literal(value: Any) -> str:
    if value is True:
        return "true"
    return "false" if value is False else str(value)


# String


def text(codes: Codes) -> Emit:
    """A string or markdown."""

    def emit(value: str, index: Index) -> None:
        plain = normalise(value)
        for c in codes:
            index.strings.append((c, plain, value))

    return emit


def parts(codes: Codes, names: tuple[str, ...]) -> Emit:
    """The named parts, each a string or an array of strings, of a HumanName, Address or concept."""
    one = text(codes)

    def emit(value: dict[str, Any], index: Index) -> None:
        index.present.update(codes)
        for name in names:
            part = value.get(name)
            if type(part) is str:
                one(part, index)
            elif part is not None:
                for item in part:
                    if item is not None:
                        one(item, index)

    return emit


HUMAN_NAME = ("text", "family", "given", "prefix", "suffix")
ADDRESS = ("text", "line", "city", "district", "state", "postalCode", "country")

# Date


def moment(codes: Codes) -> Emit:
    """A date, dateTime or instant."""

    def emit(value: str, index: Index) -> None:
        low, high = interval(value)
        for c in codes:
            index.dates.append((c, low, high))

    return emit


def period(codes: Codes) -> Emit:
    """A Period; a missing end is open."""

    def emit(value: dict[str, Any], index: Index) -> None:
        row = _bounds(value)
        if row == (OPEN_LOW, OPEN_HIGH):
            index.present.update(codes)
            return
        for c in codes:
            index.dates.append((c, *row))

    return emit


def timing(codes: Codes) -> Emit:
    """A Timing: the outer limits of its events and bounds."""

    def emit(value: dict[str, Any], index: Index) -> None:
        spans = [interval(e) for e in value.get("event", ()) if e is not None]
        if bounds := value.get("repeat", {}).get("boundsPeriod"):
            spans.append(_bounds(bounds))
        if not spans:
            index.present.update(codes)
            return
        row = min(low for low, _ in spans), max(high for _, high in spans)
        for c in codes:
            index.dates.append((c, *row))

    return emit


def _bounds(value: Mapping[str, Any]) -> tuple[int, int]:
    start, end = value.get("start"), value.get("end")
    return interval(start)[0] if start else OPEN_LOW, interval(end)[1] if end else OPEN_HIGH


# Reference


def reference(targets: tuple[tuple[str, str | None], ...], types: frozenset[str]) -> Emit:
    """A Reference; each code comes with the type it is limited to. A logical one gives `code:identifier` tokens."""
    codes = tuple(c for c, only in targets if only is None)
    limited = tuple((c, only) for c, only in targets if only is not None)

    def emit(value: dict[str, Any], index: Index) -> None:
        if logical := value.get("identifier"):
            declared = value.get("type")
            for c, only in targets:
                if "value" in logical and only in (None, declared):
                    index.tokens.append((f"{c}:identifier", logical.get("system"), logical["value"]))
        written = value.get("reference")
        if not written or written[0] == "#":
            index.present.update(codes)
            return
        kind, id_, url = split(written, types)
        kind = kind or value.get("type")
        for c in codes:
            index.references.append((c, kind, id_, url))
        for c, only in limited:
            if kind == only:
                index.references.append((c, kind, id_, url))

    return emit


def split(written: str, types: frozenset[str]) -> tuple[str | None, str | None, str | None]:
    """(type, id, url) of a literal reference: relative gives type and id, absolute gives type and url."""
    kind, slash, id_ = written.partition("/")
    if slash and "/" not in id_ and kind in types:
        return kind, id_, None
    tail = _TAIL.search(written)
    if tail is None or tail[1] not in types:
        return None, None, written
    if tail.start(1) == 0:
        return tail[1], tail[2], None
    return tail[1], None, written[: tail.end(2)]


def canonical(codes: Codes) -> Emit:
    """A canonical or uri that a reference parameter searches: without its version and, where it has one, with it."""

    def emit(value: str, index: Index) -> None:
        if value[:1] == "#":
            index.present.update(codes)
            return
        url, versioned, _ = value.partition("|")
        for c in codes:
            index.references.append((c, None, None, url))
            if versioned:
                index.references.append((c, None, None, value))

    return emit


def inline(codes: Codes) -> Emit:
    """A resource inside a Bundle that a parameter chains into."""

    def emit(value: dict[str, Any], index: Index) -> None:
        if "id" not in value:
            index.present.update(codes)
            return
        for c in codes:
            index.references.append((c, value["resourceType"], value["id"], None))

    return emit


# What is shown


def shown(place: str) -> Emit:
    """What a person reads of a Coding, CodeableConcept, Identifier or Reference at a place."""

    def emit(value: dict[str, Any], index: Index) -> None:
        texts = [value.get("display"), value.get("text"), *(one.get("display") for one in value.get("coding", ()))]
        if type(kind := value.get("type")) is dict:  # of an Identifier; that of a Reference is a name
            texts.append(kind.get("text"))
        for text in texts:
            if text:
                index.shown.append((place, text))

    return emit


# Position


def position(code: str) -> Emit:
    """A latitude and longitude."""

    def emit(value: dict[str, Any], index: Index) -> None:
        if "latitude" in value and "longitude" in value:
            index.positions.append((code, float(value["latitude"]), float(value["longitude"])))

    return emit


# Uri


def uri(codes: Codes) -> Emit:
    """A uri of any kind, as written."""

    def emit(value: str, index: Index) -> None:
        for c in codes:
            index.uris.append((c, value))

    return emit
