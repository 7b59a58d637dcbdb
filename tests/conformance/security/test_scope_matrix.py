"""Every spelling of a scope with every interaction on every type of R4, against a table worked out apart (SCOPE-02)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from campaigns.reaching import oracle
from campaigns.reaching.oracle import Holder
from campaigns.reaching.world import TYPES, bodies
from fhir_profiles.definitions import load
from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY, Caller
from server.access.grants import read_scopes
from server.access.reach import permits
from server.http.errors import status_of
from server.interactions.exchange import MERGE_PATCH, Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store
from server.store.migrate import migrate

SPELLINGS = ("read", "write", "*", "c", "r", "u", "d", "s", "rs", "cud", "cruds", "cu", "us")
LEVELS = ("patient", "user", "system")
INTERACTIONS = {
    "read": "r", "vread": "r", "search": "s", "history": "s", "create": "c", "update": "u", "patch": "u", "delete": "d",
}  # fmt: skip
"""The letter that each needs (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#fhir-resource-scope-syntax)."""


def request(interaction: str, kind: str) -> Request:
    """A request for the interaction on the type, about something that is not there."""
    made = {"resourceType": kind, "id": "none", **bodies("A", "B", 0).get(kind, {})}
    if kind == "DocumentReference":  # no pointer to a file, for which there is a rule of its own
        made["content"] = [{"attachment": {"data": "eA==", "contentType": "text/plain"}}]
    body = json.dumps(made).encode()
    match interaction:
        case "read":
            return Request(method="GET", path=(kind, "none"))
        case "vread":
            return Request(method="GET", path=(kind, "none", "_history", "1"))
        case "search":
            return Request(method="GET", path=(kind,), query=(("_id", "none"),))
        case "history":
            return Request(method="GET", path=(kind, "_history"))
        case "create":
            return Request(method="POST", path=(kind,), body=body)
        case "update":
            return Request(method="PUT", path=(kind, "none"), body=body)
        case "patch":
            return Request(method="PATCH", path=(kind, "none"), body=b"{}", content_type=MERGE_PATCH)
    return Request(method="DELETE", path=(kind, "none"))


@pytest.fixture
def status(tmp_path: Path) -> Callable[[Request, Caller], int]:
    """What an empty server answers."""
    migrate(url := f"sqlite:///{tmp_path / 'empty.db'}")
    store = open_store(url, create=False)
    fhir = Fhir(store, Settings(data=tmp_path, coding="off", open=True))

    def ask(asked: Request, caller: Caller) -> int:
        try:
            return fhir.handle_sync(msgspec.structs.replace(asked, caller=caller)).status
        except FhirError as error:
            return status_of(error)

    return ask


def may(holder: Holder, kind: str, letter: str) -> bool:
    """The table: what the scope's letters give on the type."""
    return oracle.may_some(holder, kind, letter)


@pytest.mark.check("SCOPE-02")
def test_scope_02_each_spelling_gives_its_letters_on_each_type() -> None:
    """SCOPE-02: 13 spellings, three levels, by name and by `*`, on all types: 100 % of the cells equal the table."""
    cells = 0
    for kind in load().resource_types:
        for level in LEVELS:
            for spelling in SPELLINGS:
                for named in (kind, "*", "Patient" if kind != "Patient" else "Observation"):
                    holder = Holder("x", (f"{level}/{named}.{spelling}",), "A")
                    caller = Caller(who="x", grants=read_scopes(holder.scopes), patient="A")
                    for letter in "cruds":
                        assert permits(caller, kind, letter) is may(holder, kind, letter), (holder, kind, letter)  # type: ignore[arg-type]
                        cells += 1
    assert cells > 50_000


@pytest.mark.check("SCOPE-02")
def test_scope_02_each_interaction_asks_for_its_letter(status: Callable[[Request, Caller], int]) -> None:
    """SCOPE-02: 403 where the table says no, and no 403 where it says yes, by the interactions themselves."""
    wrong = []
    for kind in load().resource_types:
        if kind in ("Subscription", "AuditEvent"):  # which have rules of their own
            continue
        for interaction, letter in INTERACTIONS.items():
            if interaction in ("create", "update") and kind not in bodies("A", "B", 0):
                continue
            asked = request(interaction, kind)
            for spelling in SPELLINGS:
                holder = Holder("x", (f"user/{kind}.{spelling}",))
                found = status(asked, Caller(who="x", grants=read_scopes(holder.scopes)))
                if (found != 403) is not may(holder, kind, letter):
                    wrong.append((kind, interaction, spelling, found))
            if status(asked, ANYBODY) == 403:
                wrong.append((kind, interaction, "everybody", 403))
    assert not wrong, wrong[:10]
    assert len(TYPES) > 40
