"""References: which forms there are, and what a transaction rewrites."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.definitions import load
from fhir_profiles.extract.values import split
from fhir_profiles.references import references, rewrite, target_type

UUID = "urn:uuid:5f3c1a52-7ad1-4cf6-a0ee-1f6c8c1b3c30"
NEW = {UUID: "Patient/7"}
TYPES = frozenset(load().resource_types)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Patient/1", "Patient"),
        ("Patient/1/_history/2", "Patient"),
        ("Patient?identifier=a|b", "Patient"),
        ("https://e.org/fhir/Patient/1", "Patient"),
        ("https://e.org/anything", ""),
        ("https://e.org/Banana/1", ""),
        (UUID, ""),
        ("#c1", ""),
        ("#", ""),
        ("Banana/1", None),
        ("patient/1", None),
        ("Patient", None),
        ("Patient/a b", None),
        ("1", None),
    ],
)
def test_the_forms_of_a_reference(written: str, names: str | None) -> None:
    """Each form says which type it is to, that it does not say, or that it is none."""
    assert target_type(written, load()) == names


@pytest.mark.parametrize(
    ("written", "row"),
    [
        ("Patient/1", ("Patient", "1", None)),
        ("Patient/1/_history/2", ("Patient", "1", None)),
        ("https://e.org/fhir/Patient/1/_history/2", ("Patient", None, "https://e.org/fhir/Patient/1")),
        ("https://e.org/x", (None, None, "https://e.org/x")),
        (UUID, (None, None, UUID)),
        ("Banana/1", (None, None, "Banana/1")),
    ],
)
def test_a_reference_is_split_for_the_index(written: str, row: tuple[Any, ...]) -> None:
    """Relative: type and id; absolute: url; the version is cut."""
    assert split(written, TYPES) == row


def test_every_reference_is_found(patient: dict[str, Any]) -> None:
    """Those in extensions, in contained resources and in entries too."""
    patient["extension"].append({"url": "x", "valueReference": {"reference": "Group/1"}})
    patient["contained"][0]["qualification"] = [{"code": {"text": "x"}, "issuer": {"reference": "Organization/2"}}]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": patient}]}
    found = sorted(r["reference"] for r in references(bundle))
    assert found == ["#d2", "Group/1", "Organization/2", "Practitioner/d1"]


def test_links_are_rewritten_where_the_transaction_rules_say() -> None:
    """References, uri and url elements, narrative links and entries inside; nothing else."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{UUID}">x</a> {UUID}</div>'
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "text": {"status": "generated", "div": div},
        "status": "current",
        "subject": {"reference": UUID, "display": UUID},
        "content": [{"attachment": {"url": UUID, "title": UUID}}],
        "context": {"related": [{"reference": f"{UUID}#part"}, {"reference": "Patient/8"}]},
        "extension": [{"url": "http://e.org/x", "valueReference": {"reference": UUID}}],
        "contained": [{"resourceType": "List", "id": "l", "entry": [{"item": {"reference": UUID}}]}],
        "_language": {"extension": [{"url": "http://e.org/y", "valueUri": UUID}]},
    }
    assert rewrite(resource, NEW) == 7
    assert resource["subject"] == {"reference": "Patient/7", "display": UUID}
    assert resource["content"] == [{"attachment": {"url": "Patient/7", "title": UUID}}]
    assert resource["context"]["related"] == [{"reference": "Patient/7#part"}, {"reference": "Patient/8"}]
    assert resource["extension"][0]["valueReference"]["reference"] == "Patient/7"
    assert resource["contained"][0]["entry"][0]["item"]["reference"] == "Patient/7"
    assert resource["_language"]["extension"][0]["valueUri"] == "Patient/7"
    assert resource["text"]["div"].count("Patient/7") == 1


def test_a_canonical_is_left_alone() -> None:
    """A canonical names a definition, not an entry."""
    resource = {"resourceType": "Procedure", "instantiatesCanonical": [UUID], "subject": {"reference": "Patient/1"}}
    assert rewrite(resource, NEW) == 0
