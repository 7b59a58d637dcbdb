"""`$expand` and `$validate-code` hold each other to the same members (https://hl7.org/fhir/R4/valueset.html#expansion)."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from asking import SET, A, ask, system, value_set, values

Json = dict[str, Any]
CODES = [f"c{n}" for n in range(24)]
OTHER = "http://example.org/other"


def concepts(dice: random.Random) -> list[Json]:
    """A hierarchy in which some concepts have a second parent, a colour, or are out of use."""
    made = []
    for n, code in enumerate(CODES):
        above = dice.sample(CODES[:n], min(n, dice.choice((0, 1, 1, 2))))
        said = [{"code": "parent", "valueCode": parent} for parent in above]
        said += [{"code": "colour", "valueString": dice.choice(("red", "green"))}] if dice.random() < 0.7 else []
        said += [{"code": "inactive", "valueBoolean": True}] if dice.random() < 0.2 else []
        made.append({"code": code, "display": f"Thing {n}", "property": said})
    return made


def part(dice: random.Random) -> Json:
    """An include or exclude of one of the kinds there are."""
    op = dice.choice(("is-a", "descendent-of", "is-not-a", "generalizes", "child-of"))
    return dice.choice(
        (
            {"system": A},
            {"system": A, "concept": [{"code": code} for code in dice.sample(CODES, 5)]},
            {"system": A, "filter": [{"property": "concept", "op": op, "value": dice.choice(CODES)}]},
            {"system": A, "filter": [{"property": "colour", "op": "=", "value": "red"}]},
            {"system": A, "filter": [{"property": "code", "op": "regex", "value": "c1.*"}]},
            {"valueSet": [OTHER]},
            {"system": A, "filter": [{"property": "colour", "op": "exists", "value": "false"}], "valueSet": [OTHER]},
        )
    )


def listed(contains: list[Json]) -> list[str]:
    """The codes of an expansion, those within others too."""
    return [code for one in contains for code in (one["code"], *listed(one.get("contains", [])))]


def test_what_is_listed_is_valid_and_nothing_else_is() -> None:
    """Over random value sets, with and without what is out of use; pages together are the whole."""
    dice = random.Random(11)
    for _ in range(60):
        book = system(
            *concepts(dice), property=[{"code": "parent", "type": "code"}, {"code": "colour", "type": "string"}]
        )
        other = {**value_set(part(dice) | {"valueSet": []}), "url": OTHER}
        other["compose"]["include"] = [{k: v for k, v in one.items() if v} for one in other["compose"]["include"]]
        if not other["compose"]["include"][0].get("system"):
            other["compose"]["include"] = [{"system": A, "concept": [{"code": "c3"}, {"code": "c4"}]}]
        asked = value_set(*(part(dice) for _ in range(dice.choice((1, 1, 2)))))
        if dice.random() < 0.5:
            asked["compose"]["exclude"] = [part(dice)]
        active = dice.random() < 0.4
        shared = {"url": SET, "activeOnly": active}
        whole = ask("ValueSet/$expand", book, other, asked, **shared)["expansion"]
        found = listed(whole.get("contains", []))
        assert len(found) == len(set(found)) == whole["total"]
        flat = listed(
            ask("ValueSet/$expand", book, other, asked, excludeNested=True, **shared)["expansion"].get("contains", [])
        )
        assert sorted(flat) == sorted(found)
        size = dice.randrange(1, 9)
        pages = [
            ask("ValueSet/$expand", book, other, asked, count=str(size), offset=str(at), **shared)["expansion"]
            for at in range(0, len(found) + size, size)
        ]
        assert [code for page in pages for code in listed(page.get("contains", []))] == flat
        assert {page["total"] for page in pages} == {len(found)}
        for code in CODES:
            answer = values(ask("ValueSet/$validate-code", book, other, asked, system=A, code=code, **shared))
            assert answer["result"] is (code in found), (asked, code, active)
