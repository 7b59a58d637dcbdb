"""Claims that a certified biller would send as they are, and that no rule may accuse."""

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from campaigns.claiming.defects.defect import contained, earlier, place, service
from campaigns.claiming.making import claim, paid_by
from campaigns.claiming.tables import made_tables
from claims.answer import scrub
from claims.answer.head import read_head
from claims.edit import Edits
from claims.rules.rule import own_rules
from claims.sheet.read import read_claim

Json = dict[str, Any]
TABLES = made_tables()
RULES = {rule.id: rule for rule in own_rules()}


def at(where: str, code: str, *mods: str) -> Callable[[Json], None]:
    """The first line for a service in a place."""

    def change(made: Json) -> None:
        service(made, 0, code, *mods)
        place(made, where)

    return change


def after(days: int, code: str, carries: tuple[str, ...] = (), **said: Any) -> Callable[[Json], list[Json]]:
    """A visit, days after an operation as an earlier claim tells it."""

    def change(made: Json) -> list[Json]:
        service(made, 0, "99214", *carries)
        return [earlier(made, code, days, **said)]

    return change


def beside(*services: tuple[str, ...]) -> Callable[[Json], None]:
    """Services of one day, each a code with its modifiers."""

    def change(made: Json) -> None:
        for number, one in enumerate(services):
            service(made, number, *one)

    return change


def nameless_site(made: Json) -> None:
    """Care in a place that has no number of its own."""
    made["contained"].append({"resourceType": "Location", "id": "f", "name": "Annex"})
    made["facility"] = {"reference": "#f"}


def free_vaccine(made: Json) -> None:
    """A vaccine that the state supplied."""
    service(made, 0, "90686", "SL")
    made["item"][0]["net"]["value"] = made["item"][0]["unitPrice"]["value"] = 0


def pregnant(made: Json) -> None:
    """A man by his papers, with the modifier that tells why."""
    contained(made, "p").update(gender="male", birthDate="1995-02-03")
    made["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] = "O09.91"
    service(made, 0, "S0201", "KX")


def managed_care(made: Json) -> None:
    """A policy of managed care, which is no Medicare."""
    contained(made, "v")["type"]["coding"][0]["code"] = "MCPOL"


def epidural(made: Json) -> None:
    """A day of an epidural after the operation, which has no minutes."""
    service(made, 0, "01996", "AA")


def ambulance(made: Json) -> None:
    """A ride that Medicare pays by another schedule."""
    paid_by(made, "medicare")
    service(made, 0, "A0428", "RH")


@pytest.mark.parametrize(
    ("rules", "change"),
    [
        (("POS-002",), at("22", "S0001", "26")),
        (("POS-003",), at("02", "99232")),
        (("POS-003",), at("26", "99221")),
        (("POS-005",), at("02", "99284")),
        (("IDN-005",), nameless_site),
        (("IDN-016", "COB-005"), managed_care),
        (("PXV-007",), ambulance),
        (("ANE-001", "PXV-012"), epidural),
        (("CHG-001",), free_vaccine),
        (("DXV-024", "DXV-006"), pregnant),
        (("NCC-011",), beside(("S0130",), ("S0131", "91"))),
        (("GLB-001",), beside(("99214", "FT"), ("S0209",))),
        (("GLB-003",), beside(("99214", "FT"), ("S0207",))),
        (("GLB-002",), after(60, "S0207", ("FT",))),
        (("GLB-002",), after(60, "S0207", status="denied")),
        (("GLB-002",), after(60, "S0207", mods=["80"])),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)  # fmt: skip
def test_a_correct_claim_is_not_accused(rules: tuple[str, ...], change: Callable[[Json], list[Json] | None]) -> None:
    """The rule is silent about what only looks like its fault."""
    made = claim(random.Random(7), 7)
    history = change(made)
    record = read_claim(orjson.dumps(made), history=history)
    assert Edits([RULES[rule] for rule in rules], TABLES).of_record(record) == []


def test_a_long_claim_has_the_findings_of_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond some lines the form for many claims answers, and answers the same."""
    made = claim(random.Random(7), 7)
    made["item"] = [{**made["item"][0], "sequence": n} for n in range(1, 131)]
    body = orjson.dumps(made)
    over = scrub.Scrub.over(TABLES)
    fast = over.one(read_claim(body), read_head(body))
    monkeypatch.setattr(scrub, "MANY_LINES", 200)
    slow = over.one(read_claim(body), read_head(body))
    assert len(fast.findings) > 100
    assert sorted((f.rule.id, f.place or 0) for f in fast.findings) == sorted(
        (f.rule.id, f.place or 0) for f in slow.findings
    )
