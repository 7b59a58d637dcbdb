"""Which documents are coded, and what makes them be coded again."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fhir_profiles.systems import PROCESSING_TAG
from server.jobs.attachments import binary_id, fingerprint, read_attachment
from server.jobs.children import Failure
from server.jobs.selection import is_wanted
from server.settings import Settings

TEXT = base64.b64encode(b"Asthma.").decode()


def document(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"data": TEXT}}],
        **more,
    }


def tagged(code: str) -> dict[str, Any]:
    return document(meta={"tag": [{"system": PROCESSING_TAG, "code": code}]})


KIND = {"category": [{"coding": [{"system": "urn:kinds", "code": "note"}]}]}


@pytest.mark.parametrize(
    ("given", "settings", "wanted"),
    [
        (document(), {}, True),
        (document(), {"coding": "off"}, False),
        (tagged("code"), {"coding": "off"}, False),
        (document(), {"coding": "opt-in"}, False),
        (tagged("code"), {"coding": "opt-in"}, True),
        (tagged("skip"), {}, False),
        (document(**KIND), {"coding": "opt-in", "coding_categories": ("urn:kinds|note",)}, True),
        (document(**KIND), {"coding_skip_categories": ("urn:kinds|note",)}, False),
        (document(content=[{"attachment": {"title": "elsewhere"}}]), {}, False),
        (document(status="entered-in-error"), {}, False),
    ],
)
def test_settings_tags_and_categories_decide(given: dict[str, Any], settings: dict[str, Any], wanted: bool) -> None:
    """All with a readable attachment by default; a tag or a category opts in or out."""
    assert is_wanted(given, Settings(**settings)) is wanted


def test_only_what_is_read_changes_the_fingerprint() -> None:
    """A new description is not a new document; a new file or another patient is."""
    first = fingerprint(document())
    assert fingerprint(document(description="Letter")) == first
    assert fingerprint(document(content=[{"attachment": {"data": "QQ=="}}])) != first
    assert fingerprint(document(subject={"reference": "Patient/1"})) != first


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("Binary/b1", "b1"),
        ("Binary/b1/_history/2", "b1"),
        ("https://ehr.example/fhir/Binary/b1", "b1"),
        ("https://elsewhere.example/fhir/Binary/b1", None),
        ("file:///etc/passwd", None),
        ("Patient/b1", None),
        ("Binary/b1/../../x", None),
    ],
)
def test_only_a_binary_of_ours_is_followed(url: str, found: str | None) -> None:
    """Relative or below our own base; anything else is foreign."""
    assert binary_id(url, "https://ehr.example/fhir") == found


def attached(**attachment: Any) -> dict[str, Any]:
    return document(content=[{"attachment": attachment}])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (attached(url="https://elsewhere.example/x.pdf"), "not-supported"),
        (attached(url="Binary/gone"), "not-found"),
        (attached(data="not base64!"), "structure"),
        (attached(data="QUFBQUFBQUFBQUFBQUFBQUFBQUE="), "too-long"),
        (attached(title="nothing"), "required"),
    ],
)
def test_an_attachment_that_cannot_be_read_says_what_to_do(given: dict[str, Any], code: str) -> None:
    """Each refusal has an issue type and a sentence that repeats nothing of the document."""
    with pytest.raises(Failure) as failure:
        read_attachment(given, None, lambda _: None, 8)
    assert failure.value.code == code
    assert "elsewhere.example" not in failure.value.text
    assert failure.value.text.endswith(".")


def test_the_first_attachment_with_content_is_read() -> None:
    """The others hold the same document in other formats."""
    content = [{"attachment": {"title": "x"}}, {"attachment": {"data": TEXT}}]
    assert read_attachment(document(content=content), None, lambda _: None, 100) == b"Asthma."
    assert read_attachment(attached(url="Binary/b1"), None, {"b1": b"x"}.get, 100) == b"x"
