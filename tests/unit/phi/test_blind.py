"""Keyed hashes of the index."""

from __future__ import annotations

from fhir_profiles.dates import interval
from server.phi.blind import Blind, spans
from server.phi.fields import clear_tokens
from server.search.rows import index_rows
from server.store.keys import param_key

PERSON = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "urn:x", "value": "SECRET-1"}],
    "name": [{"family": "Secretname", "given": ["Secretgiven"]}],
    "telecom": [{"system": "phone", "value": "SECRET-2"}],
    "birthDate": "1950-02-03",
    "gender": "male",
    "address": [{"city": "Secretcity"}],
}


def test_rows_of_a_person_hold_no_value_that_says_who_it_is() -> None:
    """Names, identifiers, contacts, address and date of birth leave the rows; the sex stays."""
    plain, _ = index_rows(PERSON)
    kept = repr(Blind(bytes(32)).rows(plain, "Patient"))
    low, high = interval("1950-02-03")
    assert "secret" in repr(plain).lower()
    assert str(low) in repr(plain)
    assert "secret" not in kept.lower()
    assert str(low) not in kept
    assert str(high) not in kept
    assert "'male'" in kept


def test_hashes_differ_by_key_tenant_and_field() -> None:
    """The same value has another hash in another field, tenant or database."""
    found = {
        Blind(bytes(32)).word(1, "x"),
        Blind(bytes(32)).word(2, "x"),
        Blind(bytes(32), "b").word(1, "x"),
        Blind(bytes(range(32))).word(1, "x"),
    }
    assert len(found) == 4
    assert Blind(bytes(32)).word(1, "x") in found


def test_what_is_not_known_to_be_coded_is_hidden() -> None:
    """Identifiers, contacts and parameters of one's own are hidden; codes are not."""
    hidden = [("Patient", "identifier"), ("Patient", "phone"), ("Patient", "my-own"), ("Encounter", "identifier")]
    assert not {param_key(*one) for one in hidden} & clear_tokens()
    assert {param_key("Patient", "gender"), param_key("Observation", "code")} <= clear_tokens()


def test_a_day_lies_in_its_month_and_year() -> None:
    """A date is found by its day, its month and its year, also at the end of one."""
    for written in ("1999-12-31", "2000-02-29", "1899-01-01"):
        day = interval(written)
        assert spans(*day) == [day, interval(written[:7]), interval(written[:4])]
    assert spans(*interval("1999-12")) == [interval("1999-12"), interval("1999")]
