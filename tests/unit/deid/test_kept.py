"""What was replaced can be undone by who holds the sealed map, and by nobody else."""

import base64
from datetime import date

import pytest

from extractors.deid.kept import Kept
from extractors.deid.resource import Deidentifier
from tests.unit.deid.test_resource import BUNDLE, DOCUMENT, KEY, PATIENT


@pytest.fixture(scope="module")
def both(vocabulary):
    cleaner = Deidentifier(vocabulary, KEY, date(2026, 1, 1))
    return cleaner.resource(BUNDLE), cleaner.kept()


def test_elements_texts_and_references_come_back(both):
    """Names, identifiers, days, ids, references and the attachment are the originals; what was left out stays out."""
    made, kept = both
    back = kept.resource(made)
    patient, document = (entry["resource"] for entry in back["entry"])
    for field in ("id", "name", "identifier", "telecom", "birthDate"):
        assert patient[field] == PATIENT[field]
    assert document["id"] == "d1" and document["subject"]["reference"] == "Patient/pat1"
    assert document["date"] == DOCUMENT["date"]
    assert document["content"][0]["attachment"]["data"] == DOCUMENT["content"][0]["attachment"]["data"]
    assert "extension" not in patient and "line" not in patient["address"][0]


def test_a_text_about_it_comes_back(both):
    """An answer in other words, that names the stand-ins, names the originals again."""
    made, kept = both
    document = made["entry"][1]["resource"]
    note = base64.b64decode(document["content"][0]["attachment"]["data"]).decode()
    given, family = note.split(" seen ")[0].split()
    back = kept.text(f"The patient, {family.upper()} ({given}), has asthma.")
    assert "SCHWARZENBERG" in back and family.upper() not in back


def test_a_changed_resource_comes_back(both):
    """What somebody added to the answer stays, and its texts are read too."""
    made, kept = both
    patient = made["entry"][0]["resource"]
    family = patient["name"][0]["family"]
    added = {
        "resourceType": "Basic",
        "code": {"text": f"Seen: {family}"},
        "subject": {"reference": f"Patient/{patient['id']}"},
    }
    back = kept.resource({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": added}]})
    found = back["entry"][0]["resource"]
    assert found["code"]["text"] == "Seen: Schwarzenberg" and found["subject"]["reference"] == "Patient/pat1"


def test_two_that_became_alike_stay_as_they_are(vocabulary):
    """Two ZIP codes of the same three digits: which of them it was cannot be known, so neither is claimed."""
    both = [{"postalCode": code} for code in ("45402", "45403")]
    cleaner = Deidentifier(vocabulary, KEY, date(2026, 1, 1))
    made = cleaner.resource({"resourceType": "Patient", "id": "p", "address": both})
    assert [one["postalCode"] for one in made["address"]] == ["454", "454"]
    assert [one["postalCode"] for one in cleaner.kept().resource(made)["address"]] == ["454", "454"]


def test_the_map_is_kept_sealed(both):
    """It leaves memory only through the seal, and opens to the same."""
    _, kept = both
    sealed = kept.sealed(lambda plain: bytes(b ^ 0x5A for b in plain))
    assert b"Schwarzenberg" not in sealed and b"pat1" not in sealed
    assert Kept.opened(sealed, lambda data: bytes(b ^ 0x5A for b in data)) == kept
