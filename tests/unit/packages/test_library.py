"""Packages in the data directory."""

from __future__ import annotations

import os

import pytest

from fhir_profiles.conform import Profiles, check_profile
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.packages import Library, install
from fhir_profiles.packages.file import SUFFIX
from server.cli.checks import _guides
from server.settings import Settings


def test_loading_again_changes_nothing(package, profile, tmp_path):
    """The second time nothing is written, and the answer says so."""
    path = package({"P.json": profile})
    first, second = install(tmp_path, path), install(tmp_path, path)
    assert (first.written, second.written) == (True, False)
    assert first.counts == second.counts == {"StructureDefinition": 1}


def test_other_content_under_a_loaded_version_is_refused(package, profile, tmp_path):
    """What was validated by a version yesterday is validated by the same today."""
    install(tmp_path, package({"P.json": profile}))
    with pytest.raises(FhirError) as caught:
        install(tmp_path, package({"P.json": {**profile, "name": "Q"}}, "other.tgz"))
    assert caught.value.category is Category.CONFLICT


def test_versions_stand_side_by_side(package, profile, tmp_path):
    """`url|version` finds each, a version's beginning finds it too, and without one the newest is meant."""
    for version in ("1.0.0", "1.10.0", "1.9.0", "2.0.0-ballot"):
        install(tmp_path, package({"P.json": {**profile, "version": version}}, f"{version}.tgz", version=version))
    profiles = Profiles([Library(tmp_path)])
    url = profile["url"]
    assert profiles.find(f"{url}|1.9.0").version == "1.9.0"
    assert profiles.find(f"{url}|1").version == "1.10.0"
    assert profiles.find(url).version == "2.0.0-ballot"
    assert profiles.find(f"{url}|3.0.0") is None
    assert profiles.resource("StructureDefinition", f"{url}|1.0.0")["version"] == "1.0.0"
    assert [canonical.rpartition("|")[2] for _, canonical in profiles.supported()] == [
        "1.0.0", "1.10.0", "1.9.0", "2.0.0-ballot",
    ]  # fmt: skip


def test_a_package_loaded_meanwhile_is_found(package, profile, tmp_path, monkeypatch):
    """A running server need not be started again."""
    monkeypatch.setattr("fhir_profiles.packages.library.LOOK_SECONDS", 0)
    library = Library(tmp_path)
    assert library.profiles(profile["url"]) == []
    install(tmp_path, package({"P.json": profile}))
    assert len(library.profiles(profile["url"])) == 1


def test_search_parameters_are_listed_in_their_newest_version(package, tmp_path):
    """One for each URL, so that the code that reads them sees no two that disagree."""
    one = {"resourceType": "SearchParameter", "url": "http://example.org/SearchParameter/x", "code": "x"}
    for version in ("1.0.0", "1.2.0"):
        entries = {"S.json": {**one, "version": version}}
        install(tmp_path, package(entries, f"{version}.tgz", version=version))
    assert [p["version"] for p in Library(tmp_path).search_parameters()] == ["1.2.0"]


def test_a_damaged_file_does_not_take_the_others_with_it(package, profile, tmp_path):
    """The rest of the library works on."""
    install(tmp_path, package({"P.json": profile}))
    (tmp_path / "packages" / f"bad@1{SUFFIX}").write_bytes(os.urandom(100))
    (tmp_path / "packages" / f"empty@1{SUFFIX}").write_bytes(b"")
    assert [p.index.name for p in Library(tmp_path).packages] == ["org.example.ig"]


def test_a_profile_with_a_wrong_element_stops_the_package(package, profile, tmp_path):
    """The entry and the element are named, and nothing is written."""
    profile["differential"]["element"][1]["max"] = "many"
    with pytest.raises(FhirError) as caught:
        install(tmp_path, package({"P.json": profile}))
    assert "package/P.json at StructureDefinition.differential.element[1]" in str(caught.value)
    assert not list(tmp_path.glob(f"packages/*{SUFFIX}"))


def test_a_profile_on_an_unknown_base_is_told_and_never_passes(package, profile, tmp_path):
    """What cannot be enforced is named at loading, and a resource that claims it is not called valid."""
    profile["baseDefinition"] = "http://example.org/StructureDefinition/elsewhere"
    loaded = install(tmp_path, package({"P.json": profile}, dependencies={"org.example.base": "1.0.0"}))
    assert loaded.missing == ("org.example.base",)
    assert len(loaded.unusable) == 1
    profiles = Profiles([Library(tmp_path)])
    problems = check_profile({"resourceType": "Patient"}, profile["url"], registry=profiles)
    assert [(p.severity, p.code) for p in problems] == [("warning", "not-supported")]


def test_a_differential_stands_on_the_profile_below_it(package, profile, tmp_path):
    """Without snapshots each profile adds to its base."""
    child = {**profile, "url": f"{profile['url']}2", "baseDefinition": profile["url"]}
    child["differential"] = {"element": [{"id": "Patient.gender", "path": "Patient.gender", "min": 1}]}
    install(tmp_path, package({"P.json": profile, "Q.json": child}))
    profiles = Profiles([Library(tmp_path)])
    problems = check_profile({"resourceType": "Patient"}, child["url"], registry=profiles)
    assert {p.expression for p in problems} == {"Patient.name", "Patient.gender"}


def test_the_doctor_names_what_is_loaded_missing_and_damaged(package, profile, tmp_path):
    """A profile that is required and not there, and a file that the server leaves out, are told to who looks."""
    settings = Settings(data=tmp_path)
    install(tmp_path, package({"P.json": profile}))
    assert _guides(settings) == "org.example.ig 1.0.0"
    with pytest.raises(RuntimeError, match=r"http://example\.org/other"):
        _guides(Settings(data=tmp_path, required_profiles=(profile["url"], "http://example.org/other")))
    (tmp_path / "packages" / f"bad@1{SUFFIX}").write_bytes(b"x")
    with pytest.raises(FhirError, match="bad@1"):
        _guides(settings)
