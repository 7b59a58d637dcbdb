"""Search parameters of one's own, and indexing again what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.search import reindex as again
from server.search.reindex import is_current, reindex
from server.settings import Settings
from server.store import Store, open_store
from tests.conftest import make_request

Call = Callable[..., Response]
SHOE = "http://example.org/shoe"


def parameter(code: str, expression: str, **more: Any) -> dict[str, Any]:
    """A SearchParameter of Patient."""
    return {
        "resourceType": "SearchParameter",
        "id": code,
        "url": f"http://example.org/{code}",
        "name": code,
        "status": "active",
        "description": code,
        "code": code,
        "base": ["Patient"],
        "type": "token",
        "expression": expression,
        **more,
    }


CONTACT = {"contact": [{"relationship": [{"coding": [{"code": "N"}]}], "name": {"text": "x"}}]}
LINK = {"link": [{"other": {"reference": "Patient/x"}, "type": "refer"}]}
SHOE_SIZE = parameter("shoe", f"Patient.extension.where(url = '{SHOE}').value.as(Coding)")


def patient(call: Call, name: str, size: str) -> None:
    """Store a Patient with shoes."""
    extension = [{"url": SHOE, "valueCoding": {"system": "urn:eu", "code": size}}]
    call("PUT", f"Patient/{name}", {"resourceType": "Patient", "id": name, "extension": extension})


def ids(call: Call, query: str) -> list[str]:
    """The ids that a strict search of patients finds."""
    body = json.loads(call("GET", f"Patient?{query}", prefer="handling=strict").body)
    return sorted(entry["resource"]["id"] for entry in body.get("entry", ()))


def test_a_parameter_serves_new_writes_at_once_and_old_ones_after_reindexing(call: Call, fhir: Fhir) -> None:
    """From POST to search, sort and :missing without a restart; retired, it is not known any more."""
    patient(call, "old", "41")
    with pytest.raises(FhirError, match="no search parameter"):
        ids(call, "shoe=44")
    call("PUT", "SearchParameter/shoe", SHOE_SIZE)
    patient(call, "new", "44")
    call("PUT", "Patient/none", {"resourceType": "Patient", "id": "none"})
    assert ids(call, "shoe=urn:eu|44") == ["new"]
    assert ids(call, "shoe=41") == []
    assert list(reindex(fhir.store, fhir.indexing, ("Patient",))) == [(3, 3)]
    assert ids(call, "shoe=41,44") == ["new", "old"]
    assert ids(call, "shoe:missing=true") == ["none"]
    assert ids(call, "shoe:not=44") == ["none", "old"]
    first = json.loads(call("GET", "Patient?_sort=-shoe").body)["entry"][0]
    assert first["resource"]["id"] == "new"
    call("PUT", "SearchParameter/shoe", {**SHOE_SIZE, "status": "retired"})
    with pytest.raises(FhirError, match="no search parameter"):
        ids(call, "shoe=44")


def test_the_capability_statement_lists_it(call: Call) -> None:
    """A client can find out what can be asked."""
    call("PUT", "SearchParameter/shoe", SHOE_SIZE)
    statement = json.loads(call("GET", "metadata").body)
    listed = next(one for one in statement["rest"][0]["resource"] if one["type"] == "Patient")["searchParam"]
    assert {"name": "shoe", "definition": SHOE_SIZE["url"], "type": "token"}.items() <= next(
        one for one in listed if one["name"] == "shoe"
    ).items()


def test_another_process_notices_within_seconds(call: Call, database_url: str, settings: Settings) -> None:
    """What one process stores, another can ask for when it looks again."""
    other = open_store(database_url, create=False)
    try:
        there = Fhir(other, settings)
        assert "shoe" not in there.indexing.params().of("Patient")
        call("PUT", "SearchParameter/shoe", SHOE_SIZE)
        there.indexing._until = 0.0
        assert "shoe" in there.indexing.params().of("Patient")
    finally:
        other.close()


@pytest.mark.parametrize(
    ("kind", "expression", "element", "found", "not_found"),
    [
        ("string", "Patient.name.given.first()", {"name": [{"given": ["Ada", "Bea"]}]}, "ad", "bea"),
        ("date", "Patient.birthDate | Patient.deceased.ofType(dateTime)", {"deceasedDateTime": "2020"}, "2020", "2021"),
        ("reference", "Patient.link.other", LINK, "x", "y"),
        ("token", "Patient.name.where(use = 'old').exists()", {"name": [{"use": "old", "text": "x"}]}, "true", "false"),
        ("token", "Patient.contact.relationship.first()", CONTACT, "N", "M"),
        ("number", "Patient.name.count()", {"name": [{"text": "a"}, {"text": "b"}]}, "2", "1"),
        ("uri", "Patient.identifier.system.distinct()", {"identifier": [{"system": "urn:a"}]}, "urn:a", "urn:b"),
    ],
)  # fmt: skip
def test_expressions_beyond_the_fast_forms(
    call: Call, kind: str, expression: str, element: dict[str, Any], found: str, not_found: str
) -> None:
    """What the compiler does not know, the FHIRPath engine answers."""
    target = ["Patient"] if kind == "reference" else []
    call(
        "PUT", "SearchParameter/own", parameter("own", expression, type=kind, **({"target": target} if target else {}))
    )
    call("PUT", "Patient/a", {"resourceType": "Patient", "id": "a", **element})
    assert ids(call, f"own={found}") == ["a"]
    assert ids(call, f"own={not_found}") == []


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"type": "composite"}, "cannot be added"),
        ({"expression": "Patient.name.("}, "not FHIRPath"),
        ({"base": ["Pateint"]}, "base|Pateint|value set|not in|code"),
        ({"code": "shoe"}, "Another active"),
    ],
)
def test_a_parameter_that_cannot_be_searched_for_is_refused(call: Call, change: dict[str, Any], match: str) -> None:
    """Better now than at the first search that finds nothing; a draft may say anything."""
    call("PUT", "SearchParameter/shoe", SHOE_SIZE)
    wrong = {**parameter("wrong", "Patient.name"), **change}
    with pytest.raises(FhirError, match=match):
        call("PUT", "SearchParameter/wrong", wrong)
    if "base" not in change:
        call("PUT", "SearchParameter/wrong", {**wrong, "status": "draft"})


def test_a_definition_of_r4_itself_changes_nothing(call: Call) -> None:
    """R4's own parameter stays what it is when somebody stores one with its name."""
    call("PUT", "SearchParameter/gender", parameter("gender", "Patient.birthDate"))
    call("PUT", "Patient/a", {"resourceType": "Patient", "id": "a", "gender": "female"})
    assert ids(call, "gender=female") == ["a"]


def test_reindexing_makes_what_a_write_makes(call: Call, fhir: Fhir, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table has the same rows afterwards, batch by batch, and the database says that it is current."""
    monkeypatch.setattr(again, "BATCH", 2)
    call("PUT", "SearchParameter/shoe", SHOE_SIZE)
    for n in range(5):
        patient(call, f"p{n}", str(n))
        call("PUT", f"Location/l{n}", {"resourceType": "Location", "id": f"l{n}", "name": f"Ward {n}"})
    call("DELETE", "Patient/p4")
    store = fhir.store

    def rows() -> dict[str, list[tuple[Any, ...]]]:
        tables = ("idx_token", "idx_string", "idx_date", "idx_reference", "idx_quantity", "idx_uri", "idx_composite")
        columns = dict.fromkeys(tables, "*") | {"idx_text": "rid, narrative, content"}
        return {
            table: sorted(map(repr, store.query(f"SELECT {names} FROM {table}"))) for table, names in columns.items()
        }

    before = rows()
    store.write_sync(lambda tx: tx.execute("DELETE FROM idx_token WHERE n >= 0"))
    store.write_sync(lambda tx: tx.execute("UPDATE index_state SET version = 1"))
    assert not is_current(store)
    assert list(reindex(store, fhir.indexing))[-1] == (10, 10)
    assert rows() == before
    assert is_current(store)


def test_words_can_be_switched_off(store: Store, tmp_path: Path) -> None:
    """Without `search_text` a write has no words, and everything else is found."""
    fhir = Fhir(store, Settings(data=tmp_path / "var", open=True, search_text=False))
    fhir.handle_sync(make_request("PUT", "Patient/a", {"resourceType": "Patient", "id": "a", "gender": "male"}))
    assert store.query("SELECT rid FROM idx_text") == []
