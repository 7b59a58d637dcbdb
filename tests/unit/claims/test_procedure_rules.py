"""What looks like a fault of a procedure and is none."""

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from campaigns.claiming.defects.defect import contained, earlier, service, units
from campaigns.claiming.making import NPIS, claim, paid_by
from campaigns.claiming.tables import made_tables
from claims.edit import Edits
from claims.rules.rule import own_rules
from claims.sheet.read import read_claim

Json = dict[str, Any]
TABLES = made_tables()
RULES = {rule.id: rule for rule in own_rules()}
PLAIN = ("S0214", "S0212", "S0213")


def finds(rule: str, change: Callable[[Json], Any], codes: tuple[Any, ...]) -> bool:
    """Whether a claim for these services, each a code or a code with modifiers, breaks a rule."""
    made = claim(random.Random(7), 7)
    for number, one in enumerate((*codes, *PLAIN)[:3]):
        service(made, number, *(one if isinstance(one, tuple) else (one,)))
    history = change(made)
    record = read_claim(orjson.dumps(made), history=history if isinstance(history, list) else None)
    return bool(Edits([RULES[rule]], TABLES).of_record(record))


def nothing(_claim: Json) -> None:
    """No other change."""


def other_day(made: Json) -> None:
    """The second service on a day of its own."""
    made["item"][1]["servicedDate"] = "2026-01-15"


def past(code: str, before: int = 0, **said: Any) -> Callable[[Json], list[Json]]:
    """A line of an earlier claim."""
    return lambda made: [earlier(made, code, before, **said)]


@pytest.mark.parametrize(
    ("rule", "codes", "change"),
    [
        ("NCC-001", ("S0101", "S0212"), nothing),
        ("NCC-001", ("S0100", "S0101"), other_day),
        ("NCC-001", ("S0104", "S0105"), nothing),
        ("NCC-002", ("S0102", ("S0103", "XS")), nothing),
        ("NCC-002", (("S0102", "59"), "S0103"), nothing),
        ("NCC-002", ("S0104", "S0105"), nothing),
        ("NCC-004", (("S0103", "59"),), past("S0102")),
        ("NCC-004", ("S0103",), past("S0102", 1)),
        ("NCC-004", ("S0103",), past("S0102", provider_npi=NPIS[5])),
        ("NCC-004", ("S0103",), past("S0102", status="denied")),
        ("NCC-005", (("S0102", "LT"), ("S0103", "RT")), nothing),
        ("NCC-007", ("S0121", "S0120"), nothing),
        ("NCC-007", ("S0121",), past("S0120")),
        ("NCC-012", ("S0131",), nothing),
        ("UNT-001", (("S0201"),), lambda made: units(made, 0, 2)),
        ("UNT-002", ("S0110",), lambda made: units(made, 0, 2)),
        ("UNT-004", ("S0112",), past("S0112", 1, units=5.0)),
        ("UNT-009", ("S0140",), past("S0140", 10)),
        ("MOD-016", (("S0201", "79"),), past("S0207", 90)),
        ("MOD-016", (("S0201", "79"),), nothing),
        ("MOD-015", (("99214", "24"),), nothing),
        ("MOD-013", (("99495", "25"),), nothing),
        ("MOD-036", (("S0200", "26", "GT"),), nothing),
        ("GLB-001", (("99214", "25"), "S0209"), nothing),
        ("GLB-002", ("99214",), past("S0207", 91)),
        ("GLB-002", ("99214",), past("S0208", 11)),
        ("GLB-002", ("99214",), past("S0207", 5, provider_npi=NPIS[5], specialty="208600000X")),
        ("GLB-004", (("S0209", "78"),), past("S0207", 5)),
        ("EMV-001", ("99204",), past("99214", 1096)),
        ("EMV-001", ("99204",), past("99214", 30, specialty="208600000X")),
        ("EMV-002", ("99214",), nothing),
        ("EMV-003", ("99214", ("99215", "25")), nothing),
        ("EMV-011", ("G0439",), past("G0438", 366)),
        ("DUP-001", ("S0201", ("S0201", "76")), nothing),
        ("DUP-002", (("S0201", "76"),), past("S0201")),
        ("DUP-004", (("S0201", "26"),), past("S0201", provider_npi=NPIS[5])),
        ("PXV-006", ("S0301",), nothing),
        ("TEL-001", ("S0201",), nothing),
        ("SRG-010", ("S0421",), nothing),
        ("PRC-002", (), lambda made: paid_by(made, "medicare")),
        ("NCC-001", (("S0104", "59"), "S0105"), nothing),
    ],
)
def test_near_misses(rule: str, codes: tuple[Any, ...], change: Callable[[Json], Any]) -> None:
    """The other day, provider, period, modifier or payer by which the same services are right."""
    assert not finds(rule, change, codes)


@pytest.mark.parametrize(
    ("rule", "codes", "change"),
    [
        ("GLB-002", ("99214",), past("S0207", 90)),
        ("GLB-002", ("99214",), past("S0207", 5, provider_npi=NPIS[5])),
        ("GLB-002", ("99214",), past("S0208", 10)),
        ("EMV-001", ("99204",), past("99214", 1095)),
        ("UNT-003", (("S0111", "LT"), ("S0111", "RT")), lambda made: units(made, 0, 2)),
        ("UNT-003", ("S0111",), past("S0111", units=2.0)),
        ("NCC-004", ("S0102",), past("S0103")),
        ("DUP-002", ("S0201",), past("S0201", status="billed")),
        ("EMV-004", ("99242",), lambda made: contained(made, "y")["identifier"][0].update(value="N")),
    ],
)
def test_the_edge_is_on_the_right_side(rule: str, codes: tuple[Any, ...], change: Callable[[Json], Any]) -> None:
    """The last day of a period, another of the same group and specialty, units over two lines or claims."""
    assert finds(rule, change, codes)
