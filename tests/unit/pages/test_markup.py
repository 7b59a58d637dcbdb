"""Plain text, HTML, RTF and C-CDA become text with tables."""

import pytest

from extractors.model import Document
from extractors.pages import Limits, Refused, from_text, read


def tables(document: Document) -> list[list[list[str]]]:
    """Tables as text."""
    return [[[document.text[a:b] for a, b in row] for row in table.rows] for table in document.tables]


def test_plain_text_is_unchanged() -> None:
    """Offsets into plain text hold in the source."""
    text = "Line one.\r\n\tBP 120/80\x0c end"
    assert from_text(text).text == text
    assert read(text.encode("utf-16")).text == text
    assert read("Größe 1,80 m. Señor Muñoz, müde und krank.".encode("cp1252")).text.startswith("Größe")


def test_html_drops_scripts_and_keeps_tables() -> None:
    """What a reader sees, with cells on their row."""
    page = b"""<html><head><title>Visit</title><script>alert(1)</script></head><body><h1>Visit  note</h1>
    <p>BP is <b>high</b>.</p><style>p {}</style>
    <table><tr><th>Test</th><th>Result</th></tr><tr><td>TSH</td><td>2.1 <i>uIU/mL</i></td></tr></table></body></html>"""
    document = read(page)
    assert document.title == "Visit"
    assert "Visit note\nBP is high.\n" in document.text
    assert "alert" not in document.text
    assert tables(document) == [[["Test", "Result"], ["TSH", "2.1 uIU/mL"]]]


def test_rtf() -> None:
    """Paragraphs and table rows of RTF."""
    source = (
        rb"{\rtf1\ansi Hypertension\par\trowd\cellx10\cellx20 Test\cell Result\cell\row"
        rb" Sodium\cell 140\cell\row\pard end}"
    )
    document = read(source)
    assert "Hypertension" in document.text
    assert tables(document) == [[["Test", "Result"], ["Sodium", "140"]]]


def test_ccda() -> None:
    """Patient, section titles, narrative and tables of a C-CDA."""
    source = b"""<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Summary</title>
    <recordTarget><patientRole><id extension="998991"/><patient>
    <name><given>Eve</given><family>Betterhalf</family></name>
    <administrativeGenderCode code="F"/><birthTime value="19750501"/></patient></patientRole></recordTarget>
    <component><structuredBody><component><section><code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/>
    <title>Problems</title><text><paragraph>Asthma, <content>mild</content></paragraph>
    <table><thead><tr><th>Code</th><th>Status</th></tr></thead><tbody><tr><td>J45.909</td><td>Active</td></tr></tbody></table>
    </text></section></component></structuredBody></component></ClinicalDocument>"""
    document = read(source)
    assert document.title == "Summary"
    assert "Patient: Eve Betterhalf\nDOB: 05/01/1975\nSex: Female\nMRN: 998991" in document.text
    assert "Problems:\nAsthma, mild\n" in document.text
    assert tables(document) == [[["Code", "Status"], ["J45.909", "Active"]]]


def test_limits_are_said() -> None:
    """A document over a limit is refused with the limit."""
    with pytest.raises(Refused) as refusal:
        read(b"word " * 100, limits=Limits(characters=100))
    assert (refusal.value.code, "100" in refusal.value.text) == ("too-long", True)
    with pytest.raises(Refused) as refusal:
        read(b"word " * 100, limits=Limits(size=100))
    assert refusal.value.code == "too-long"
