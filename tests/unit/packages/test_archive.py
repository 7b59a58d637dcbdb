"""What a package may be, and how it is refused."""

from __future__ import annotations

import tarfile

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.packages import Limits, read_archive


def refused(path, limits=None):
    """The text of the refusal."""
    with pytest.raises(FhirError) as caught:
        read_archive(path, limits or Limits())
    return str(caught.value)


def test_only_the_resources_of_the_package_itself_are_kept(package, profile):
    """Examples, hidden files and resources that nothing is checked by are left out."""
    archive = read_archive(
        package({
            "P.json": profile, ".index.json": {}, "package/example/X.json": b"no json",
            "ig.json": {"resourceType": "CapabilityStatement", "url": "http://example.org/ig"},
        })
    )  # fmt: skip
    assert [(name, r["url"]) for name, r, _ in archive.resources] == [("package/P.json", profile["url"])]
    assert (archive.name, archive.version) == ("org.example.ig", "1.0.0")


def test_broken_json_is_named_by_file_entry_and_line(package):
    """A person can go to the place."""
    text = refused(package({"P.json": b'{\n "resourceType":\n  nonsense\n}'}))
    assert text.startswith("package.tgz, package/P.json, line 3:")


def test_a_resource_without_a_url_is_named(package):
    """A definition that nothing could refer to is not loaded half."""
    assert "package/V.json: it has no canonical url" in refused(package({"V.json": {"resourceType": "ValueSet"}}))


@pytest.mark.parametrize(
    ("manifest", "text"),
    [
        ({"fhirVersions": ["5.0.0"]}, "another FHIR version"),
        ({"name": "../../etc"}, "name or version"),
        ({"version": "1/0"}, "name or version"),
        ({"version": None}, "not a package manifest"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(package, manifest, text):
    """Another FHIR version, and names that would leave the directory."""
    assert text in refused(package({}, **manifest))


def test_a_package_without_a_manifest_is_refused(package):
    """The entry that is missing is named."""
    assert "package/package.json: it is missing" in refused(package({"package.json": None}))


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "package/../../evil.json"])
def test_a_path_that_leaves_the_package_is_refused(package, name):
    """Nothing is unpacked, and still such a file is nothing to trust."""
    assert "its path leaves the package" in refused(package({name: b"{}"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(package, kind):
    """An entry is a file or a directory."""
    info = tarfile.TarInfo("package/link.json")
    info.type, info.linkname = kind, "/etc/passwd"
    assert "a link or a device" in refused(package({"link": info}))


def test_limits_hold_before_anything_is_read(package, profile):
    """Too many entries, too large an entry and too much in all are each refused with the limit."""
    path = package({"P.json": profile, "A.json": b" " * 5000, "B.json": b" " * 5000})
    assert "more than 2 entries" in refused(path, Limits(entries=2))
    assert "package/A.json: more than 4000 bytes" in refused(path, Limits(entry=4000))
    assert "more than 9000 bytes" in refused(path, Limits(total=9000))


@pytest.mark.parametrize("content", [b"", b"not gzip", b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    """Any file may be named on the command line."""
    path = tmp_path / "x.tgz"
    path.write_bytes(content)
    assert refused(path).startswith("x.tgz: it is not a readable .tgz archive")


def test_a_truncated_archive_is_refused(package, profile):
    """Half of a download is not a package."""
    path = package({"P.json": profile})
    path.write_bytes(path.read_bytes()[:-40])
    assert "not a readable .tgz archive" in refused(path)
