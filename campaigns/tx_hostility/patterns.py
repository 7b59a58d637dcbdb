"""Regular expressions that take a backtracking engine for ever, and filters by the thousand."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.tx_hostility.making import (
    COSTLY,
    FINE,
    FRUIT,
    UNSUPPORTED,
    WRONG,
    Attack,
    Json,
    code_system,
    concepts,
    expand,
    validate,
    value_set,
)
from fhir_profiles.systems import ICD10CM

LONG_CODES = code_system(FRUIT, [{"code": "a" * n + "!"} for n in range(1, 200)])
LINEAR = (
    "(a+)+$",
    "(a*)*b",
    "(a|aa)+$",
    "(.*)*x",
    "(a|a?)+c",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(x+x+)+y",
    ".*.*.*.*=.*",
)
REFUSED = (
    "((a{1,100}){1,100}){1,100}",
    "a{1000000}",
    r"(a)\1",
    "(?=a)a",
    "(?<!b)a",
    "(?P<n>a)(?P=n)",
    "[",
    "(" * 500,
    "x" * 10_000,
    "|".join(f"w{n}" * 3 for n in range(2_000)),
    r"\p{L}{1000}{1000}",
    "(?>a+)b",
    "a**",
    "((((a{9}){9}){9}){9}){9}",
)


def by(system: str, op: str, value: str, name: str = "code") -> Json:
    """An include by one filter."""
    return {"system": system, "filter": [{"property": name, "op": op, "value": value}]}


def attacks() -> Iterator[Attack]:
    """Each pattern in an expansion and in a validation, over codes on which it would backtrack; then many filters."""
    given = (("tx-resource", LONG_CODES),)
    for fits, patterns in ((FINE, LINEAR), (WRONG, REFUSED)):
        for n, pattern in enumerate(patterns):
            told = f"pattern {pattern[:24]!r}" if len(pattern) < 60 else f"long pattern {n}"
            of = value_set("urn:x:p", by(FRUIT, "regex", pattern))
            yield expand(told, of, fits, FINE, more=given)
            yield validate(told, of, fits, FINE, more=given)
    over = value_set("urn:x:p", by(ICD10CM, "regex", "(.+)+[0-9]{1,7}(.*)*"))
    yield expand("a pattern over all of ICD-10-CM", over, COSTLY, FINE, more=(("count", 10),))
    many = {"system": ICD10CM, "filter": [{"property": "code", "op": "regex", "value": ".*"}] * 1_000}
    yield expand("1,000 patterns over ICD-10-CM", value_set("urn:x:p", many), COSTLY, FINE, more=(("count", 10),))
    yield validate("1,000 patterns", value_set("urn:x:p", {**many, "system": FRUIT}), COSTLY, FINE, more=given)
    different = [{"property": "code", "op": "regex", "value": f"[A-Z]{{{n}}}.*"} for n in range(1, 500)]
    yield expand("500 patterns", value_set("urn:x:p", {"system": ICD10CM, "filter": different}), COSTLY, FINE)
    long = code_system(FRUIT, [{"code": "a" * 1_000_000}, {"code": "b" * 1_000_000}])
    yield expand(
        "a pattern over codes of 1 MB",
        value_set("urn:x:p", by(FRUIT, "regex", "(a|b|ab)*c")),
        FINE,
        WRONG,
        more=(("tx-resource", long),),
    )
    big = code_system(FRUIT, concepts(100_000))
    yield expand(
        "a pattern over 100,000 codes",
        value_set("urn:x:p", by(FRUIT, "regex", "(c|[0-9])+$")),
        FINE,
        COSTLY,
        more=(("tx-resource", big), ("count", 5)),
    )
    for op in ("exists", "=", "in", "not-in", "is-not-a", "generalizes", "child-of", "descendent-of", "is-a"):
        include = by(
            ICD10CM, op, "true" if op == "exists" else "E11", "billable" if op in ("exists", "=") else "concept"
        )
        yield expand(
            f"{op} over all of ICD-10-CM", value_set("urn:x:f", include), COSTLY, FINE, WRONG, more=(("count", 3),)
        )
    listed = ",".join(f"A{n}" for n in range(100_000))
    yield expand(
        "in with 100,000 codes", value_set("urn:x:f", by(ICD10CM, "in", listed, "concept")), FINE, COSTLY, WRONG
    )
    yield expand("an operator of 1 MB", value_set("urn:x:f", by(ICD10CM, "o" * 1_000_000, "x")), UNSUPPORTED, WRONG)
    yield expand(
        "a property of 1 MB", value_set("urn:x:f", by(ICD10CM, "=", "x", "p" * 1_000_000)), FINE, WRONG, UNSUPPORTED
    )
