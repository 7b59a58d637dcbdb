"""Value sets, code systems, supplements and maps that lead back to themselves, or fan out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaigns.tx_hostility.making import (
    COSTLY,
    CYCLE,
    FINE,
    FRUIT,
    UNKNOWN,
    WRONG,
    Attack,
    Json,
    code_system,
    expand,
    parameters,
    posted,
    validate,
    value_set,
)

APPLE = {"system": FRUIT, "concept": [{"code": "apple"}]}
BELOW_A = {"system": FRUIT, "filter": [{"property": "concept", "op": "is-a", "value": "a"}]}


def ring(length: int) -> list[tuple[str, Any]]:
    """Value sets that each import the next, the last the first."""
    made = [value_set(f"urn:x:r{n}", {"valueSet": [f"urn:x:r{(n + 1) % length}"]}) for n in range(length)]
    return [("tx-resource", one) for one in made]


def attacks() -> Iterator[Attack]:
    """All of them."""
    for length in (1, 2, 3, 15, 50, 300):
        start = value_set("urn:x:r", APPLE, {"valueSet": ["urn:x:r0"]})
        yield expand(f"a ring of {length} value sets", start, CYCLE, COSTLY, more=ring(length))
        yield validate(f"a ring of {length} value sets", start, CYCLE, COSTLY, FINE, more=ring(length))
    yield expand("a value set of itself", value_set("urn:x:s", {"valueSet": ["urn:x:s"]}), CYCLE)
    inner = {**value_set("", {"valueSet": ["#a"]}), "id": "a"}
    del inner["url"]
    yield expand(
        "a contained value set of itself", value_set("urn:x:i", {"valueSet": ["#a"]}, contained=[inner]), CYCLE, COSTLY
    )
    pair = [{**value_set("", {"valueSet": [f"#{other}"]}), "id": me} for me, other in (("a", "b"), ("b", "a"))]
    yield expand(
        "two contained value sets of each other",
        value_set("urn:x:i", {"valueSet": ["#a"]}, contained=pair),
        CYCLE,
        COSTLY,
    )
    chain = [("tx-resource", value_set(f"urn:x:k{n}", {"valueSet": [f"urn:x:k{n + 1}"]})) for n in range(150)]
    yield expand(
        "a chain of 150 imports", value_set("urn:x:k", {"valueSet": ["urn:x:k0"]}), COSTLY, UNKNOWN, more=chain
    )
    doubled = [
        ("tx-resource", value_set(f"urn:x:d{n}", {"valueSet": [f"urn:x:d{n + 1}"]}, {"valueSet": [f"urn:x:d{n + 1}"]}))
        for n in range(18)
    ]
    last = ("tx-resource", value_set("urn:x:d18", APPLE))
    for make in (expand, validate):
        yield make(
            "imports that double 18 times",
            value_set("urn:x:d", {"valueSet": ["urn:x:d0"]}),
            COSTLY,
            UNKNOWN,
            FINE,
            more=(*doubled, last),
        )
    yield from systems()
    yield from maps()


def systems() -> Iterator[Attack]:
    """Code systems whose concepts stand above themselves, and supplements of supplements."""
    for name in ("parent", "child"):
        turned = [
            {"code": c, "property": [{"code": name, "valueCode": o}]} for c, o in (("a", "b"), ("b", "c"), ("c", "a"))
        ]
        given = code_system(FRUIT, turned, property=[{"code": name, "type": "code"}])
        more = (("tx-resource", given),)
        yield expand(f"concepts in a ring by {name}", value_set("urn:x:c", BELOW_A), FINE, CYCLE, WRONG, more=more)
        asked = (*more, ("system", FRUIT), ("codeA", "a"), ("codeB", "c"))
        yield posted(f"$subsumes: in a ring by {name}", "CodeSystem/$subsumes", parameters(*asked), FINE)
        yield posted(
            f"$lookup: in a ring by {name}",
            "CodeSystem/$lookup",
            parameters(*more, ("system", FRUIT), ("code", "a")),
            FINE,
        )
    twice = [{"code": "a", "concept": [{"code": "b", "concept": [{"code": "a"}]}]}]
    yield expand(
        "a concept below itself",
        value_set("urn:x:c", BELOW_A),
        FINE,
        WRONG,
        more=(("tx-resource", code_system(FRUIT, twice)),),
    )
    fruit = code_system(FRUIT, [{"code": "a"}])
    for told, pairs in (
        ("of each other", (("urn:x:s1", "urn:x:s2"), ("urn:x:s2", "urn:x:s1"))),
        ("of itself", (("urn:x:s1", "urn:x:s1"),)),
        ("of the system that it is", ((FRUIT, FRUIT),)),
    ):
        made: list[tuple[str, Any]] = [
            ("tx-resource", code_system(url, [{"code": "a", "display": "A"}], content="supplement", supplements=of))
            for url, of in pairs
        ]
        body = parameters(
            ("tx-resource", fruit), *made, ("useSupplement", pairs[0][0]), ("system", FRUIT), ("code", "a")
        )
        yield posted(f"$lookup: a supplement {told}", "CodeSystem/$lookup", body, FINE, UNKNOWN, WRONG)
        body = parameters(*made, ("useSupplement", pairs[0][0]), ("system", pairs[0][0]), ("code", "a"))
        yield posted(f"$lookup: in a supplement {told}", "CodeSystem/$lookup", body, FINE, UNKNOWN, WRONG)


def maps() -> Iterator[Attack]:
    """Maps with very many targets, and maps that send on to each other."""

    def concept_map(elements: list[Json], url: str = "urn:x:m", **group: Any) -> Json:
        base: Json = {"resourceType": "ConceptMap", "url": url, "status": "active"}
        return {**base, "group": [{"source": FRUIT, "target": "urn:x:t", "element": elements, **group}]}

    def asked(*resources: Json, **more: str) -> Json:
        pairs = [("tx-resource", r) for r in resources]
        return parameters(("system", FRUIT), ("code", "a"), *more.items(), *pairs)

    path = "ConceptMap/$translate"
    for number in (2_000, 100_000):
        targets = [{"code": f"t{n}", "equivalence": "equivalent"} for n in range(number)]
        yield posted(
            f"$translate: {number:,} targets",
            path,
            asked(concept_map([{"code": "a", "target": targets}])),
            FINE,
            COSTLY,
        )
    same = [{"code": "a", "target": [{"code": "t", "equivalence": "equal"}]}] * 50_000
    yield posted("$translate: 50,000 times the same", path, asked(concept_map(same)), FINE, COSTLY)
    sent = [
        concept_map([], f"urn:x:m{n}", unmapped={"mode": "other-map", "url": f"urn:x:m{(n + 1) % 3}"}) for n in range(3)
    ]
    yield posted("$translate: maps that send on in a ring", path, asked(*sent), FINE, UNKNOWN, WRONG)
    yield posted(
        "$translate: 800 maps",
        path,
        asked(*[concept_map([{"code": "a", "target": [{"code": f"t{n}"}]}], f"urn:x:m{n}") for n in range(800)]),
        FINE,
        COSTLY,
    )
