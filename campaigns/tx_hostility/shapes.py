"""Texts that are no texts, values of the wrong kind, XML that is a weapon, expressions of SNOMED CT without end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from campaigns.tx_hostility.making import (
    BROKEN,
    COSTLY,
    EVERY_ICD,
    FINE,
    FRUIT,
    LONG,
    UNKNOWN,
    UNSUPPORTED,
    WRONG,
    Attack,
    Json,
    expand,
    got,
    parameters,
    posted,
    validate,
    value_set,
)
from fhir_profiles.systems import ICD10CM, SNOMED

VALIDATE, LOOKUP, EXPAND = "CodeSystem/$validate-code", "CodeSystem/$lookup", "ValueSet/$expand"
TEXTS = {
    "a zero byte": "E11\0.9",
    "control characters": "\x01\x02\x1b[31m",
    "right to left": "\u202e9.11E",
    "a homoglyph": "Е11.9",
    "zero width": "E11\u200b.9",
    "a line break": "E11.9\r\nSet-Cookie: a=b",
    "SQL": "' OR 1=1; DROP TABLE concept; --",
    "a template": "{0}{system}%s%n${jndi:ldap://x}",
    "markup": "<script>alert(1)</script>",
    "emoji": "\U0001f34e" * 100,
    "a path": "../../../../etc/passwd",
    "spaces": " " * 5_000,
    "wildcards": "%_*?",
    "combining": "e\u0301" * 3_000,
}
STRANGE: tuple[Any, ...] = (None, 7, True, [], [[]], {}, {"a": 1}, "x", ["x"])
XML = (("Content-Type", "application/fhir+xml"),)


def attacks() -> Iterator[Attack]:
    """All of them."""
    yield from texts()
    yield from kinds()
    yield from xml()
    yield from expressions()


def texts() -> Iterator[Attack]:
    """Hostile codes, systems and displays by GET and POST, and bytes that are no UTF-8."""
    for name, text in TEXTS.items():
        yield got(f"GET a code with {name}", VALIDATE, (("url", ICD10CM), ("code", text)), FINE, WRONG, LONG)
        yield posted(
            f"a code with {name}", LOOKUP, parameters(("system", ICD10CM), ("code", text)), UNKNOWN, WRONG, CODE
        )
        yield posted(f"a system with {name}", LOOKUP, parameters(("system", text), ("code", "a")), UNKNOWN, WRONG)
        yield posted(
            f"a display with {name}",
            VALIDATE,
            parameters(("url", ICD10CM), ("code", "E11.9"), ("display", text)),
            FINE,
            WRONG,
        )
    head = (
        b'{"resourceType":"Parameters","parameter":[{"name":"system","valueUri":"http://hl7.org/fhir/sid/icd-10-cm"},'
    )
    for name, code in (
        ("a lone surrogate", rb"\ud800"),
        ("no UTF-8", b"\xff\xfe"),
        ("a half escape", rb"\u12"),
        ("overlong", b"\xc0\xaf"),
    ):
        yield posted(
            f"JSON with {name}", LOOKUP, head + b'{"name":"code","valueCode":"' + code + b'"}]}', BROKEN, UNKNOWN, WRONG
        )
    good = json.dumps(parameters(("system", ICD10CM), ("code", "E11.9"))).encode()
    yield posted("a byte order mark", LOOKUP, b"\xef\xbb\xbf" + good, FINE, BROKEN)
    yield posted("UTF-16", LOOKUP, good.decode().encode("utf-16"), BROKEN)
    yield got("a query that is no UTF-8", LOOKUP, "system=%FF%FE&code=%C0", BROKEN)
    for url in (
        "|||",
        "#",
        "?fhir_vs",
        f"{ICD10CM}?fhir_vs=isa/E11",
        f"{ICD10CM}?fhir_vs=refset/x",
        "file:///etc/passwd",
        "http://[::1",
        f"{ICD10CM}?fhir_vs|1|2",
    ):
        yield got(f"$expand: url {url}", EXPAND, (("url", url), ("count", "1")), UNKNOWN, WRONG, FINE, UNSUPPORTED)


def kinds() -> Iterator[Attack]:
    """Values of another kind in every place that the operations read."""
    fine = value_set("urn:x:v", {"system": FRUIT, "concept": [{"code": "a"}]})
    fits = (WRONG, BROKEN, FINE, UNKNOWN, UNSUPPORTED, "required", "value", CODE)
    places: dict[str, Any] = {
        "compose": lambda v: {**fine, "compose": v},
        "include": lambda v: {**fine, "compose": {"include": v}},
        "an include": lambda v: {**fine, "compose": {"include": [v]}},
        "a system": lambda v: value_set("urn:x:v", {"system": v}),
        "a version": lambda v: value_set("urn:x:v", {"system": FRUIT, "version": v}),
        "concept": lambda v: value_set("urn:x:v", {"system": FRUIT, "concept": v}),
        "a concept": lambda v: value_set("urn:x:v", {"system": FRUIT, "concept": [v]}),
        "filter": lambda v: value_set("urn:x:v", {"system": ICD10CM, "filter": v}),
        "valueSet": lambda v: value_set("urn:x:v", {"valueSet": v}),
        "expansion": lambda v: {"resourceType": "ValueSet", "expansion": v},
        "contains": lambda v: {"resourceType": "ValueSet", "expansion": {"contains": [v]}},
        "contained": lambda v: {**fine, "contained": v},
        "extension": lambda v: {**fine, "extension": v},
        "url": lambda v: {**fine, "url": v},
    }
    for place, made in places.items():
        for value in STRANGE:
            resource: Json = made(value)
            told = f"{place} is {json.dumps(value)}"
            yield expand(told, resource, *fits, more=(("count", 1),))
            yield validate(told, resource, *fits)
    for value in STRANGE:
        told = json.dumps(value)
        for key in ("valueCode", "valueCoding", "valueCodeableConcept", "resource", "part"):
            body = {
                "resourceType": "Parameters",
                "parameter": [{"name": n, key: value} for n in ("url", "code", "coding", "valueSet")],
            }
            yield posted(f"{key} is {told}", "ValueSet/$validate-code", body, *fits)
        yield posted(f"parameter is {told}", LOOKUP, {"resourceType": "Parameters", "parameter": value}, *fits)
        yield posted(f"resourceType is {told}", LOOKUP, {"resourceType": value}, *fits)
        yield posted(f"the body is {told}", LOOKUP, json.dumps(value).encode(), *fits)
        given = {"resourceType": "CodeSystem", "url": FRUIT, "content": "complete", "concept": value}
        yield posted(
            f"concepts of a code system are {told}",
            LOOKUP,
            parameters(("tx-resource", given), ("system", FRUIT), ("code", "a")),
            *fits,
        )
        mapped = {"resourceType": "ConceptMap", "url": "urn:x:m", "group": value}
        yield posted(
            f"groups of a map are {told}",
            "ConceptMap/$translate",
            parameters(("conceptMap", mapped), ("system", FRUIT), ("code", "a")),
            *fits,
        )


CODE = "code-invalid"


def xml() -> Iterator[Attack]:
    """Bodies in XML."""
    laughs = b'<!DOCTYPE p [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    head = b'<Parameters xmlns="http://hl7.org/fhir">'
    one = b'<parameter><name value="code"/><valueCode value="%s"/></parameter></Parameters>'
    fits = (BROKEN, WRONG, UNSUPPORTED, LONG, COSTLY)
    yield posted("XML that laughs a billion times", LOOKUP, laughs + b"]>" + head + one % b"&j;", *fits, headers=XML)
    outside = b'<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    yield posted("XML that reads a file", LOOKUP, outside + head + one % b"&x;", *fits, headers=XML)
    yield posted(
        "XML with a DTD from elsewhere",
        LOOKUP,
        b'<!DOCTYPE p SYSTEM "http://127.0.0.1:1/x.dtd">' + head + one % b"a",
        *fits,
        headers=XML,
    )
    yield posted("XML 50,000 levels deep", LOOKUP, head + b"<part>" * 50_000, *fits, headers=XML)
    yield posted(
        "XML of 10 MB",
        LOOKUP,
        head + one.replace(b"</Parameters>", b"") % b"a" * 100_000 + b"</Parameters>",
        *fits,
        headers=XML,
    )
    yield posted(
        "XML with 100,000 attributes",
        LOOKUP,
        head + b"<parameter " + b"".join(b'a%d="" ' % n for n in range(100_000)) + b"/></Parameters>",
        *fits,
        headers=XML,
    )


def expressions() -> Iterator[Attack]:
    """Expression constraints and implicit value sets of SNOMED CT, loaded or not."""
    fits = (UNKNOWN, WRONG, COSTLY, FINE, LONG, UNSUPPORTED)
    for name, text in {
        "brackets": "(" * 3_000,
        "disjunctions": " OR ".join(["<< 138875005"] * 500),
        "signs": "<" * 5_000,
        "nested refinement": "* : " + "1=(* : " * 200 + "*" + ")" * 200,
        "a wildcard": "*",
        "minus": " MINUS ".join(["*"] * 300),
        "half a term": "138875005 |" + "x" * 5_000,
    }.items():
        query = f"url={quote(f'{SNOMED}?fhir_vs=ecl/', safe='')}{quote(quote(text))}&count=5"
        yield got(f"$expand: expression of {name}", EXPAND, query, *fits)
        include = {"system": SNOMED, "filter": [{"property": "constraint", "op": "=", "value": text}]}
        yield expand(f"constraint of {name}", value_set("urn:x:ecl", include), *fits, more=(("count", 5),))
    yield got("$expand: SNOMED CT", EXPAND, (("url", f"{SNOMED}?fhir_vs"),), *fits)
    yield got("$expand: every code by a text of zeros", EXPAND, (("url", EVERY_ICD), ("filter", "\0\0")), *fits)
