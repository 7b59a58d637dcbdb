"""The type of an attachment is found by its bytes."""

import pytest

from extractors.pages import Refused
from extractors.pages.sniff import CCDA, HTML, JPEG, PDF, PNG, RTF, TEXT, TIFF, media_type


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7 ...", PDF),
        (b"\x00\x01junk %PDF-1.4", PDF),
        (b"\x89PNG\r\n\x1a\n...", PNG),
        (b"\xff\xd8\xff\xe0...", JPEG),
        (b"II*\x00...", TIFF),
        (b"MM\x00*...", TIFF),
        (b"{\\rtf1 text}", RTF),
        (b"<!DOCTYPE html><html></html>", HTML),
        (b"<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>", CCDA),
        (b"Blood pressure 120/80. BMI 24.", TEXT),
        ("Größe 1,80 m".encode("utf-16"), TEXT),
        (b"BMI 31, counselled.", TEXT),
    ],
)
def test_known_types(data: bytes, kind: str) -> None:
    """Each accepted type is told by its first bytes."""
    assert media_type(data) == kind


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "required"),
        (b" \r\n\t", "required"),
        (b"PK\x03\x04abc", "not-supported"),
        (b"MZ\x90\x00\x03", "not-supported"),
        (b"\x7fELF\x02", "not-supported"),
        (b'{"resourceType": "Patient"}', "not-supported"),
        (b"[[[[[", "not-supported"),
        (b"<?xml version='1.0'?><note/>", "not-supported"),
        (b"\x01\x02\x00\x04\x05", "not-supported"),
        (b"\x00\x00\x00\x18ftypheic", "not-supported"),
    ],
)
def test_other_types_are_refused_with_what_to_send(data: bytes, code: str) -> None:
    """What cannot be read is refused with a code and a text that says what to do."""
    with pytest.raises(Refused) as refusal:
        media_type(data)
    assert refusal.value.code == code
    assert "Send" in refusal.value.text
