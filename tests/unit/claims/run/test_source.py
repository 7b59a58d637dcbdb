"""What people send as a file of claims: packed, with marks, as one array, spread over lines, torn."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from claims.run import source as module
from claims.run.source import source
from fhir_profiles.errors import FhirError

LINES = b'{"resourceType":"Claim"}\n' * 3


def test_a_packed_file_is_unpacked_for_as_long_as_it_is_read(tmp_path: Path) -> None:
    """What gzip packed is read as it was, wherever its name ends, and nothing is left behind."""
    (file := tmp_path / "claims").write_bytes(gzip.compress(LINES))
    with source(file, tmp_path / "out") as lines:
        assert lines.read_bytes() == LINES
    assert list((tmp_path / "out").iterdir()) == []


def test_a_torn_packed_file_is_refused(tmp_path: Path) -> None:
    """Damage is told before anything is scrubbed."""
    (file := tmp_path / "claims.gz").write_bytes(gzip.compress(LINES)[:-9])
    with pytest.raises(FhirError, match="ends too early"), source(file, tmp_path / "out"):
        pass


def test_a_packed_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that unpacks to a huge one fills no disk."""
    monkeypatch.setattr(module, "MOST_UNPACKED", 50)
    (file := tmp_path / "claims.gz").write_bytes(gzip.compress(LINES))
    with pytest.raises(FhirError, match="longer than"), source(file, tmp_path / "out"):
        pass
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b'[{"resourceType":"Claim"}]', r"jq -c '\.\[\]'"),
        (b'{\n  "resourceType": "Claim"\n}\n', "jq -c . FILE"),
        (codecs.BOM_UTF16_LE + "{}".encode("utf-16-le"), "UTF-8"),
        (b"ISA*00*", "claims import"),
    ],
)
def test_what_is_no_lines_of_claims_is_told_how_to_become_it(tmp_path: Path, body: bytes, told: str) -> None:
    """An array, one pretty object, UTF-16, X12, nothing: each with what to do."""
    (file := tmp_path / "f").write_bytes(body)
    with pytest.raises(FhirError, match=told), source(file, tmp_path / "out"):
        pass


@pytest.mark.parametrize("body", [LINES, LINES.strip(), codecs.BOM_UTF8 + LINES, b"no JSON\n" + LINES])
def test_lines_are_taken_as_they_are(tmp_path: Path, body: bytes) -> None:
    """Lines of claims, also with a mark or with a bad line first, are left to the chunks."""
    (file := tmp_path / "f").write_bytes(body)
    with source(file, tmp_path / "out") as lines:
        assert lines == file
