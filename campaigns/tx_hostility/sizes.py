"""Too much of everything: codes, pages, parameters, bytes, levels."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from campaigns.tx_hostility.making import (
    BROKEN,
    COSTLY,
    EVERY_ICD,
    FHIR,
    FINE,
    FRUIT,
    LONG,
    UNKNOWN,
    UNSUPPORTED,
    WRONG,
    Attack,
    Json,
    code_system,
    concepts,
    expand,
    got,
    parameters,
    posted,
    validate,
    value_set,
)
from fhir_profiles.systems import ICD10CM

ICD = (("url", EVERY_ICD),)
EXPAND, VALIDATE, LOOKUP = "ValueSet/$expand", "ValueSet/$validate-code", "CodeSystem/$lookup"
ASKED = (("system", ICD10CM), ("code", "E11.9"))
MB = 1_000_000


def attacks() -> Iterator[Attack]:
    """All of them."""
    yield from expansions()
    yield from numbers()
    yield from calls()
    yield from bytes_()
    yield from levels()


def expansions() -> Iterator[Attack]:
    """Expansions that would be too long."""
    yield got("$expand: all of ICD-10-CM", EXPAND, ICD, COSTLY)
    yield got("$expand: all of ICD-10-CM, nested", EXPAND, (*ICD, ("excludeNested", "false")), COSTLY)
    yield got("$expand: 1,000 of a common letter", EXPAND, (*ICD, ("filter", "a"), ("count", "1000")), FINE, COSTLY)
    yield got("$expand: a common letter, uncounted", EXPAND, (*ICD, ("filter", "a")), COSTLY)
    yield got(
        "$expand: with designations", EXPAND, (*ICD, ("count", "1000"), ("includeDesignations", "true")), FINE, COSTLY
    )
    whole = {"valueSet": [EVERY_ICD]}
    crossed = value_set("urn:x:c", {"valueSet": [EVERY_ICD] * 5})
    yield expand("ICD-10-CM crossed with itself 5 times", crossed, COSTLY, FINE, more=(("count", 10),))
    yield expand("ICD-10-CM 100 times over", value_set("urn:x:c", *[whole] * 100), COSTLY, FINE, more=(("count", 10),))
    yield expand(
        "ICD-10-CM as 5,000 includes",
        value_set("urn:x:c", *[{"system": ICD10CM}] * 5_000),
        COSTLY,
        FINE,
        more=(("count", 10),),
    )
    yield expand("6,000 includes", value_set("urn:x:c", *[{"system": FRUIT}] * 6_000), COSTLY, UNKNOWN)
    taken = value_set("urn:x:c", {"system": ICD10CM})
    taken["compose"]["exclude"] = [
        {"system": ICD10CM, "filter": [{"property": "concept", "op": "is-a", "value": "A00"}]}
    ] * 200
    yield expand("ICD-10-CM without 200 excludes", taken, COSTLY, FINE, more=(("count", 10),))
    taken = value_set("urn:x:c", {"system": ICD10CM})
    taken["compose"]["exclude"] = [{"valueSet": [EVERY_ICD]}]
    yield expand("ICD-10-CM without itself", taken, COSTLY, FINE, more=(("count", 10),))
    for number, fits in ((100_000, (FINE, COSTLY)), (1_000_000, (COSTLY, LONG))):
        given = code_system(FRUIT, concepts(number))
        more = (("tx-resource", given),)
        of = value_set("urn:x:m", {"system": FRUIT})
        yield expand(f"{number:,} concepts in the call", of, COSTLY, *fits, more=more)
        yield expand(f"{number:,} concepts in the call, a page", of, *fits, more=(*more, ("count", 10)))
        yield expand(
            f"{number:,} concepts in the call, by text", of, *fits, more=(*more, ("filter", "c1"), ("count", 3))
        )
        yield validate(f"{number:,} concepts in the call", of, *fits, more=more)
        listed = value_set("urn:x:m", {"system": FRUIT, "concept": concepts(number)})
        yield validate(f"{number:,} codes listed", listed, *fits)
        yield expand(f"{number:,} codes listed", listed, COSTLY, UNKNOWN, LONG)
    held: Json = {
        "resourceType": "ValueSet",
        "url": "urn:x:e",
        "status": "active",
        "expansion": {
            "timestamp": "2026-01-01",
            "contains": [{"system": FRUIT, "code": f"c{n}"} for n in range(250_000)],
        },
    }
    yield validate("an expansion of 250,000", held, COSTLY, LONG)
    yield expand(
        "150,000 times one code",
        value_set("urn:x:d", {"system": FRUIT}),
        COSTLY,
        FINE,
        more=(("tx-resource", code_system(FRUIT, [{"code": "a"}] * 150_000)), ("count", 10)),
    )


def numbers() -> Iterator[Attack]:
    """Counts and offsets that are no numbers, or beyond all bounds."""
    for count in ("0", "1000001", "999999999", "9" * 30, "-1", "1e3", "٣", "0x10", " 1", "", "NaN"):
        yield got(f"$expand: count={count}", EXPAND, (*ICD, ("count", count)), FINE, WRONG, COSTLY)
    for offset in ("999999999", "9" * 30, "-1", "98000"):
        yield got(f"$expand: offset={offset}", EXPAND, (*ICD, ("count", "10"), ("offset", offset)), FINE, WRONG, COSTLY)
    body = parameters(("url", EVERY_ICD), ("count", 2**63), ("offset", 2**63))
    yield posted("$expand: count and offset of 2^63", EXPAND, body, WRONG)
    raw = b'{"resourceType":"Parameters","parameter":[{"name":"count","valueInteger":1E400}]}'
    yield posted("$expand: count of 1E400", EXPAND, raw, WRONG, BROKEN)


def calls() -> Iterator[Attack]:
    """Parameters by the thousand."""
    yield posted("100,000 parameters", LOOKUP, parameters(*[("property", "x")] * 100_000), WRONG, COSTLY, LONG)
    yield posted("1,000,000 parameters", LOOKUP, parameters(*[("p", "")] * MB), WRONG, COSTLY, LONG)
    yield posted("$lookup: 990 properties", LOOKUP, parameters(*ASKED, *[("property", "x" * 1_000)] * 990), FINE)
    yield posted("$lookup: 10,000 properties", LOOKUP, parameters(*ASKED, *[("property", "x")] * 10_000), WRONG, COSTLY)
    yield got("$lookup: 1,100 pairs", LOOKUP, (*ASKED, *[("property", "x")] * 1_100), COSTLY, LONG)
    for name in ("system-version", "check-system-version", "default-valueset-version", "force-system-version"):
        pins = [(name, f"urn:x:{n}|{n}") for n in range(900)]
        yield posted(f"$expand: 900 times {name}", EXPAND, parameters(("url", EVERY_ICD), ("count", 1), *pins), FINE)
    yield posted(
        "900 supplements", LOOKUP, parameters(*ASKED, *[("useSupplement", f"urn:x:{n}") for n in range(900)]), UNKNOWN
    )
    given = [("tx-resource", code_system(f"urn:x:{n}", concepts(200))) for n in range(900)]
    yield validate("900 code systems in the call", value_set("urn:x:v", {"system": FRUIT}), FINE, COSTLY, more=given)
    sets = [("tx-resource", value_set(f"urn:x:{n}", {"system": FRUIT})) for n in range(900)]
    yield validate(
        "900 value sets in the call",
        value_set("urn:x:v", {"valueSet": [f"urn:x:{n}" for n in range(900)]}),
        COSTLY,
        more=sets,
    )
    one = parameters(("coding", {"system": ICD10CM, "code": "E11.9"}))
    batch = "ValueSet/$batch-validate-code"
    yield posted(
        "$batch-validate-code: 100,000", batch, parameters(*[("validation", one)] * 100_000), WRONG, COSTLY, LONG
    )
    yield posted("$batch-validate-code: 990", batch, parameters(("url", EVERY_ICD), *[("validation", one)] * 990), FINE)
    listed = value_set("urn:x:b", {"system": FRUIT, "concept": concepts(50_000)})
    yield posted(
        "$batch-validate-code: 900 against 50,000 codes",
        batch,
        parameters(("valueSet", listed), *[("validation", one)] * 900),
        FINE,
        COSTLY,
    )
    held = code_system(FRUIT, concepts(50_000))
    yield posted(
        "$batch-validate-code: 900 with a large code system",
        batch,
        parameters(("tx-resource", held), ("url", EVERY_ICD), *[("validation", one)] * 900),
        FINE,
        COSTLY,
    )
    codings = {"coding": [{"system": ICD10CM, "code": f"A{n}"} for n in range(20_000)]}
    for url in (EVERY_ICD, ICD10CM):
        kind = "ValueSet" if "?" in url else "CodeSystem"
        body = parameters(("url", url), ("codeableConcept", codings))
        yield posted(f"{kind}: 20,000 codings", f"{kind}/$validate-code", body, FINE, COSTLY)
    displays = [{"language": "en", "value": f"{n} " + "d" * 1_000} for n in range(5_000)]
    named = code_system(FRUIT, [{"code": "a", "display": "A", "designation": displays}])
    body = parameters(("tx-resource", named), ("url", FRUIT), ("code", "a"), ("display", "x" * MB))
    yield posted("a display of 1 MB against 5,000 names", "CodeSystem/$validate-code", body, FINE, COSTLY, LONG)
    yield posted(
        "a display of 10 MB",
        "CodeSystem/$validate-code",
        parameters(("url", ICD10CM), ("code", "E11.9"), ("display", "x " * (5 * MB))),
        FINE,
        WRONG,
        LONG,
        COSTLY,
    )
    for name, text in (
        ("10,000 words", " ".join(f"w{n}" for n in range(10_000))),
        ("one letter", "e"),
        ("one word 5,000 times", "pain " * 5_000),
        ("1 MB", "a" * MB),
        ("signs", "%_*?\\'\"()[]{}^$.|" * 50),
        ("1,000 letters", "a b c d e f g h i j " * 50),
        ("unicode", "\u0301" * 2_000),
        ("misspelt at length", "diabetesssmellitusss" * 20),
    ):
        body = parameters(("url", EVERY_ICD), ("filter", text), ("count", 10))
        yield posted(f"$expand: filter of {name}", EXPAND, body, FINE, WRONG, COSTLY, LONG)


def bytes_() -> Iterator[Attack]:
    """Bodies and texts of many bytes."""
    yield posted(
        "10 MB of one code", LOOKUP, parameters(("system", ICD10CM), ("code", "x" * 10 * MB)), UNKNOWN, WRONG, LONG
    )
    yield posted(
        "1 MB of a code", VALIDATE, parameters(*ICD, ("system", ICD10CM), ("code", "x" * MB)), FINE, WRONG, LONG
    )
    yield posted(
        "1 MB of a system", LOOKUP, parameters(("system", "urn:" + "x" * MB), ("code", "a")), UNKNOWN, WRONG, LONG
    )
    yield posted("1 MB of a url", VALIDATE, parameters(("url", "urn:" + "x" * MB), ("code", "a")), UNKNOWN, WRONG, LONG)
    yield posted("1 MB of a version", LOOKUP, parameters(*ASKED, ("version", "1." * (MB // 2))), UNKNOWN, WRONG, LONG)
    yield posted(
        "a version of wildcards",
        LOOKUP,
        parameters(*ASKED, ("version", "x." * 5_000 + "x")),
        UNKNOWN,
        FINE,
        WRONG,
        LONG,
    )
    yield posted(
        "1 MB of languages", LOOKUP, parameters(*ASKED, ("displayLanguage", "de;q=0.1," * (MB // 9))), FINE, WRONG, LONG
    )
    yield Attack(
        "30 kB of Accept-Language",
        "GET",
        f"{LOOKUP}?system={ICD10CM}&code=E11.9",
        frozenset((FINE, WRONG)),
        headers=(("Accept-Language", "de;q=0.1," * 3_300),),
    )
    yield posted(
        "12 MB of a value set",
        EXPAND,
        parameters(("valueSet", value_set("urn:x:v", description="x" * 12 * MB))),
        FINE,
        LONG,
        COSTLY,
    )
    yield posted("70 MB", EXPAND, b" " * 70 * MB, LONG)
    yield posted("10 MB of zeros", EXPAND, b"\0" * 10 * MB, BROKEN, LONG)
    yield posted("10 MB of brackets", EXPAND, b"[" * 10 * MB, BROKEN, COSTLY, LONG)
    yield posted("10 MB of numbers", EXPAND, b'{"a":[' + b"1," * (5 * MB) + b"1]}", WRONG, BROKEN, COSTLY, LONG)
    yield posted("10 MB of empty objects", EXPAND, b'{"a":[' + b"{}," * (3 * MB) + b"{}]}", WRONG, BROKEN, COSTLY, LONG)
    yield posted("a number of 1,000,000 digits", EXPAND, b'{"a":' + b"9" * MB + b"}", WRONG, BROKEN)
    bomb = zlib.compress(b" " * 200 * MB, 9)
    yield posted("a body that unpacks to 200 MB", EXPAND, bomb, LONG, headers=(*FHIR, ("Content-Encoding", "deflate")))
    yield got("a URL of 20 kB", LOOKUP, (("system", "x" * 20_000), ("code", "a")), LONG, BROKEN)


def levels() -> Iterator[Attack]:
    """Nesting."""
    yield posted("JSON 100,000 levels deep", EXPAND, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, BROKEN, COSTLY)
    part: Json = {"name": "p", "valueString": "x"}
    for _ in range(45):
        part = {"name": "p", "part": [part]}
    yield posted(
        "parts in parts", LOOKUP, {"resourceType": "Parameters", "parameter": [part]}, BROKEN, WRONG, UNSUPPORTED
    )
    concept: Json = {"code": "c0"}
    for n in range(1, 48):
        concept = {"code": f"c{n}", "concept": [concept]}
    of = value_set("urn:x:l", {"system": FRUIT, "filter": [{"property": "concept", "op": "is-a", "value": "c47"}]})
    yield expand(
        "a hierarchy of 48 levels", of, FINE, BROKEN, COSTLY, more=(("tx-resource", code_system(FRUIT, [concept])),)
    )
    chain = [{"code": f"c{n}", "property": [{"code": "parent", "valueCode": f"c{n - 1}"}]} for n in range(20_000)]
    linked = code_system(FRUIT, chain, property=[{"code": "parent", "type": "code"}])
    of = value_set("urn:x:l", {"system": FRUIT, "filter": [{"property": "concept", "op": "is-a", "value": "c0"}]})
    yield expand("a chain of 20,000 parents", of, FINE, COSTLY, more=(("tx-resource", linked), ("count", 10)))
    ends = (("tx-resource", linked), ("system", FRUIT), ("codeA", "c0"), ("codeB", "c19999"))
    yield posted("$subsumes: along 20,000 parents", "CodeSystem/$subsumes", parameters(*ends), FINE, COSTLY)
    contained: Json = {"system": FRUIT, "code": "x"}
    for _ in range(45):
        contained = {"system": FRUIT, "code": "x", "contains": [contained]}
    held = {"resourceType": "ValueSet", "url": "urn:x:h", "status": "active", "expansion": {"contains": [contained]}}
    yield validate("an expansion of 46 levels", held, FINE, BROKEN)
