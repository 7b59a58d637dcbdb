"""A running server sees what is loaded beneath it."""

from pathlib import Path

import pytest

from fhir_profiles.systems import ICD10CM
from server.interactions import loaded
from terminology.build import install
from terminology.source import Source, SourceConcept


def _edition(version: str) -> Source:
    return Source(
        name="icd10cm", system=ICD10CM, version=version, title="ICD-10-CM", start=None, end=None, content="complete",
        origin="test", licence="none", fingerprint=version,
        concepts=lambda: iter((SourceConcept("A00", f"of {version}", billable=True),)),
    )  # fmt: skip


def test_a_load_is_seen_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, then one edition, then the newer one; the stamp changes with each and with nothing else."""
    monkeypatch.setattr(loaded, "KEEP_SECONDS", 0.0)
    codes = loaded.LoadedCodes(tmp_path)
    assert codes.terminology() is None
    stamps = {codes.stamp()}
    for version in ("2025", "2026"):
        install(tmp_path, f"icd10cm@{version}", [_edition(version)])
        concept = codes.terminology().lookup(ICD10CM, "A00")
        assert concept.display == f"of {version}"
        assert codes.terminology() is codes.terminology()
        stamps.add(codes.stamp())
    assert len(stamps) == 3
