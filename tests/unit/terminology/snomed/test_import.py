"""A release in RF2 is read whole or refused by line and column (https://docs.snomed.org/snomed-ct-specifications)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from terminology import Terminology, open_terminology, sctid
from terminology.importers.given import Given
from terminology.importers.load import ACCEPTED, load
from terminology.importers.registry import importer_of
from terminology.importers.snomed import read
from terminology.source import MapSource, Name, Relation, Source, SourceConcept
from tests.unit.terminology.snomed.release import MODULE, REPLACED_BY, SAME_AS, Release, sct, small

SCT = "http://snomed.info/sct"
VERSION = f"{SCT}/{MODULE}/version/20260101"


def edition(folder: Path, **more: str) -> Source:
    """The edition in a folder."""
    return next(s for s in read(Given((folder,), **more)) if isinstance(s, Source))


def concepts(folder: Path) -> dict[str, SourceConcept]:
    """The concepts of the edition in a folder."""
    return {c.code: c for c in edition(folder).concepts()}


def test_a_release_is_read(tmp_path: Path) -> None:
    """Names, parents, attributes, values, definitions and where an inactive concept went."""
    found = concepts(small().write(tmp_path))
    colour = found[sct(13)]
    assert colour.display == "Colour gadget"
    assert colour.parents == (sct(11), sct(12))
    assert colour.names == (
        Name("Colour gadget (invented)", "fsn", "en", (sctid.US_ENGLISH,)),
        Name("Two-way gadget", "synonym", "en"),
        Name("Coloured gadget", "synonym", "en", (sctid.GB_ENGLISH,)),
    )
    assert colour.notes == (("definition", "A gadget to turn and to pull."),)
    assert colour.relations == (
        Relation(sct(40), sct(21), 1),
        Relation(sct(40), sct(22), 2),
        Relation(sct(30), "#10", 2),
    )
    assert colour.properties == {"sufficientlyDefined": False, "moduleId": MODULE, "effectiveTime": "20260101"}
    old = found[sct(14)]
    assert not old.active
    assert old.parents == ()
    assert old.properties["replacedBy"] == [sct(11)]
    assert old.properties["inactive"] is True
    assert found[sct(11)].properties["sufficientlyDefined"] is True


def test_the_edition_says_where_it_is_from(tmp_path: Path) -> None:
    """Version, day, files with their hashes, reference sets."""
    found = edition(small().write(tmp_path))
    assert found.version == VERSION
    assert str(found.start) == "2026-01-01"
    assert len(found.files) == 10
    list(found.concepts())
    lists = {s.id: (s.title, s.codes) for s in found.subsets()}
    assert lists[sct(50)] == ("Favourites", (sct(11), sct(13)))
    assert lists[REPLACED_BY][1] == (sct(14),)


def test_maps_are_read(tmp_path: Path) -> None:
    """The map to ICD-10-CM with its rules, and the associations that FHIR names as maps."""
    found = {s.name: s for s in read(Given((small().write(tmp_path),))) if isinstance(s, MapSource)}
    icd = found["snomed-icd-10-cm"]
    assert icd.url == f"{SCT}?fhir_cm=6011000124106"
    rows = list(icd.rows())
    assert [(r.source, r.target, r.equivalence) for r in rows] == [
        (sct(11), "W99.1", "relatedto"),
        (sct(12), None, "unmatched"),
    ]
    assert rows[0].rules["advice"] == "ALWAYS"
    assert [tuple(r[:3]) for r in found["snomed-replaced-by"].rows()] == [(sct(14), sct(11), "equivalent")]


def test_the_display_is_american_where_it_can_be(tmp_path: Path) -> None:
    """Preferred in American English, else in British, else by any dialect, else any synonym."""
    release = small()
    for number, dialect in ((60, sctid.GB_ENGLISH), (61, MODULE), (62, None)):
        code = release.concept(sct(number), "to be replaced", sct(10))
        release.table("Description").pop()
        release.table("cRefset_Language").pop()
        release.acceptable(code, "Only acceptable")
        if dialect:
            release.name(code, f"Preferred by {number}", dialects=(dialect,))
    found = concepts(release.write(tmp_path))
    assert [found[sct(n)].display for n in (60, 61, 62)] == ["Preferred by 60", "Preferred by 61", "Only acceptable"]


def loaded(given: Given, data: Path) -> list[bool]:
    """What a load wrote."""
    importer = importer_of("snomed")
    assert importer is not None
    return [one.written for one in load(data, importer, given)]


def test_folder_and_zip_are_the_same(tmp_path: Path) -> None:
    """A release is loaded as it comes, and loading it again does nothing; without the licence nothing is."""
    folder = small().write(tmp_path / "release")
    archive = tmp_path / "release.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in folder.rglob("*.txt"):
            packed.write(path, f"SnomedCT_Invented/{path.relative_to(folder)}")
        packed.writestr("SnomedCT_Invented/Full/Terminology/sct2_Concept_Full_XX9999_20260101.txt", "not read")
    accepted = frozenset((ACCEPTED,))
    with pytest.raises(FhirError, match="accept-licence"):
        loaded(Given((archive,)), tmp_path / "data")
    assert loaded(Given((archive,), options=accepted), tmp_path / "data")[0] is True
    assert not any(loaded(Given((archive,), options=accepted), tmp_path / "data"))
    of_folder = {c.code: c for c in edition(folder).concepts()}
    of_archive = {c.code: c for c in edition(archive).concepts()}
    assert of_folder == of_archive
    opened: Terminology = open_terminology(tmp_path / "data")
    assert opened.subsumes(SCT, sct(12), sct(13))


def test_two_days_side_by_side(tmp_path: Path) -> None:
    """A newer release does not take the place of the older one."""
    accepted = frozenset((ACCEPTED,))
    for day in ("20260101", "20260701"):
        loaded(Given((small(day).write(tmp_path / day),), options=accepted), tmp_path / "data")
    versions = [e.version for e in open_terminology(tmp_path / "data").editions(SCT)]
    assert versions == [VERSION, VERSION.replace("20260101", "20260701")]


def test_two_modules_side_by_side(tmp_path: Path) -> None:
    """Editions of one day but of different modules are kept apart."""
    folder = small().write(tmp_path / "release")
    for module in (sct(2), sct(3)):
        given = Given((folder,), version=module, options=frozenset((ACCEPTED,)))
        assert loaded(given, tmp_path / "data")[0] is True
    assert len(open_terminology(tmp_path / "data").editions(SCT)) == 2


def test_an_extension_comes_with_what_it_extends(tmp_path: Path) -> None:
    """Files of several modules are one edition; of a component in both the later row counts."""
    base = small("20250701")
    base.write(tmp_path / "base")
    extension = Release("20260101", module=sct(2), items=iter(range(500_000, 600_000)))
    extension.concept(sct(2), "module of the extension", sctid.ROOT)
    extension.concept(sct(70), "Extended gadget", sct(13))
    row = next(r for r in base.table("Concept") if r[0] == sct(13))
    extension.table("Concept").append([sct(13), "20260101", "1", sct(2), sctid.DEFINED])
    extension.write(tmp_path / "extension")
    assert row[4] == sctid.PRIMITIVE
    given = Given((tmp_path / "base", tmp_path / "extension"), version=sct(2))
    found = next(s for s in read(given) if isinstance(s, Source))
    assert found.version == f"{SCT}/{sct(2)}/version/20260101"
    by_code = {c.code: c for c in found.concepts()}
    assert by_code[sct(70)].parents == (sct(13),)
    assert by_code[sct(13)].properties["sufficientlyDefined"] is True
    with pytest.raises(FhirError, match="--version MODULE"):
        read(Given((tmp_path / "base", tmp_path / "extension")))


def test_only_active_inferred_relationships_count(tmp_path: Path) -> None:
    """Inactive and stated rows are checked and left out."""
    release = small()
    release.relate(sct(11), sct(40), sct(22), 3, active=False)
    release.relate(sct(11), sct(40), sct(22), 4)
    release.table("Relationship_")[-1][8] = "900000000000010007"
    assert Relation(sct(40), sct(22), 3) not in concepts(release.write(tmp_path))[sct(11)].relations
    assert {r.group for r in concepts(tmp_path)[sct(11)].relations} == {1}


Spoil = Callable[[Release], None]


def change(part: str, row: int, field: int, value: str) -> Spoil:
    """A release in which one field of a file is another."""

    def spoil(release: Release) -> None:
        release.table(part)[row][field] = value

    return spoil


def add(act: Callable[[Release], object]) -> Spoil:
    """A release with something more."""
    return lambda release: (act(release), None)[1]


WRONG_DIGIT = sct(10)[:-1] + str((int(sct(10)[-1]) + 1) % 10)
DAMAGE: dict[str, tuple[Spoil, str, int, int, str]] = {
    "wrong check digit": (change("Concept", 1, 0, WRONG_DIGIT), "sct2_Concept", 3, 1, "check digit"),
    "identifier of a description": (change("Concept", 1, 0, sct(9, "11")), "sct2_Concept", 3, 1, "00 or 10"),
    "no identifier": (change("Concept", 1, 0, "abc"), "sct2_Concept", 3, 1, "6 to 18 digits"),
    "no date": (change("Concept", 1, 1, "20261301"), "sct2_Concept", 3, 0, "a date is expected"),
    "later than the release": (change("Concept", 1, 1, "20991231"), "sct2_Concept", 3, 0, "later than the release"),
    "neither active nor inactive": (change("Concept", 1, 2, "yes"), "sct2_Concept", 3, 0, "0 or 1"),
    "no module": (change("Concept", 1, 3, "1"), "sct2_Concept", 3, 0, "6 to 18 digits"),
    "no status": (change("Concept", 1, 4, sct(10)), "sct2_Concept", 3, 0, "primitive"),
    "twice": (lambda r: r.table("Concept").append(r.table("Concept")[0]), "sct2_Concept", 22, 1, "stands twice"),
    "name of nobody": (change("Description", 0, 4, sct(99)), "sct2_Description", 2, 0, "no concept file"),
    "empty name": (change("Description", 0, 7, " "), "sct2_Description", 2, 0, "1 to 8192 letters"),
    "kind of name": (change("Description", 0, 6, sct(10)), "sct2_Description", 2, 0, "a synonym"),
    "language": (change("Description", 0, 5, "English and more"), "sct2_Description", 2, 0, "a language"),
    "no name": (lambda r: r.table("Description").__delitem__(slice(0, 2)), "sct2_Concept", 2, 1, "has a name"),
    "unknown parent": (change("Relationship_", 0, 5, sct(99)), "sct2_Relationship", 2, 0, "no concept file"),
    "unknown type": (change("Relationship_", 0, 7, sct(99)), "sct2_Relationship", 2, 0, "no concept file"),
    "no group": (change("Relationship_", 0, 6, "-1"), "sct2_Relationship", 2, 0, "whole number"),
    "circle": (add(lambda r: r.relate(sct(10), sctid.IS_A, sct(13))), "sct2_Relationship", 0, 1, "circle"),
    "own parent": (add(lambda r: r.relate(sct(10), sctid.IS_A, sct(10))), "sct2_Relationship", 25, 0, "own parent"),
    "inactive child": (add(lambda r: r.relate(sct(14), sctid.IS_A, sct(10))), "sct2_Relationship", 25, 0, "active"),
    "hangs in the air": (change("Relationship_", -1, 2, "0"), "sct2_Concept", 21, 1, "no parent"),
    "no value": (change("RelationshipConcreteValues", 0, 5, "heavy"), "ConcreteValues", 2, 0, "a number as #10"),
    "acceptability": (change("cRefset_Language", 0, 6, sct(10)), "Language", 2, 0, "preferred"),
    "list of nobody": (change("Refset_Simple", 0, 4, sct(99)), "Refset_Simple", 2, 0, "no concept file"),
    "unknown member": (change("Refset_Simple", 0, 5, sct(99)), "Refset_Simple", 2, 0, "no concept file"),
    "association": (change("cRefset_Association", 0, 6, "nowhere"), "Association", 2, 0, "6 to 18 digits"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused(tmp_path: Path, damage: str) -> None:
    """A damaged row is named by file, line and column, and nothing is left on disk."""
    spoil, file, line, column, why = DAMAGE[damage]
    release = small()
    spoil(release)
    folder, data = release.write(tmp_path / "release"), tmp_path / "data"
    with pytest.raises(FhirError) as error:
        loaded(Given((folder,), options=frozenset((ACCEPTED,))), data)
    said = str(error.value)
    assert file in said
    assert why in said
    place = re.search(r"line (\d+), column (\d+)", said)
    assert place is not None, said
    assert line in (0, int(place[1]))
    assert int(place[2]) == column or (not column and int(place[2]) > 1)
    assert "nothing was loaded" in said
    assert not list(data.rglob("*.sqlite*"))
    assert not list(data.rglob("*.building"))


def _rewrite(folder: Path, part: str, act: Callable[[bytes], bytes]) -> None:
    path = next(p for p in folder.rglob("*.txt") if part in p.name)
    path.write_bytes(act(path.read_bytes()))


BYTES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "header": (
        "sct2_Concept",
        lambda b: b.replace(b"moduleId", b"module", 1),
        "line 1, column 25: the column moduleId",
    ),
    "no header": ("sct2_Description", lambda b: b.partition(b"\r\n")[2], "line 1, column 1: the column id"),
    "empty": ("sct2_Relationship_", lambda _: b"", "line 1, column 1: the column id"),
    "a field less": ("sct2_Concept", lambda b: b.replace(b"\t9", b"9", 1), "line 2, column"),
    "cut short": ("sct2_Relationship_", lambda b: b[:-60], "10 fields are expected"),
    "other encoding": ("sct2_Description", lambda b: b.replace(b"Gadget", b"Gadg\xe9t", 1), "this is not utf-8 text"),
    "zero byte": ("sct2_Description", lambda b: b.replace(b"Gadget", b"Gadg\0t", 1), "zero byte"),
}


@pytest.mark.parametrize("damage", BYTES)
def test_damaged_files_are_refused(tmp_path: Path, damage: str) -> None:
    """So is a file that is not in the layout at all."""
    part, act, why = BYTES[damage]
    folder, data = small().write(tmp_path / "release"), tmp_path / "data"
    _rewrite(folder, part, act)
    with pytest.raises(FhirError, match="nothing was loaded") as error:
        loaded(Given((folder,), options=frozenset((ACCEPTED,))), data)
    assert why in str(error.value)
    assert not list(data.rglob("*.sqlite*"))


@pytest.mark.parametrize("part", ["sct2_Concept", "sct2_Description", "sct2_Relationship_", "der2_cRefset_Language"])
def test_missing_files_are_named(tmp_path: Path, part: str) -> None:
    """What is not given is asked for."""
    folder = small().write(tmp_path)
    next(p for p in folder.rglob("*.txt") if p.name.startswith(part)).unlink()
    with pytest.raises(FhirError, match=f"{part}.* is missing"):
        read(Given((folder,)))


def test_full_files_are_not_read(tmp_path: Path) -> None:
    """A Full release says so, instead of being read as if it were a snapshot."""
    folder = small().write(tmp_path)
    for path in folder.rglob("*.txt"):
        path.rename(path.with_name(path.name.replace("Snapshot", "Full")))
    with pytest.raises(FhirError, match="Full and Delta files are not read"):
        read(Given((folder,)))


def test_a_module_can_be_said(tmp_path: Path) -> None:
    """`--version` takes a module or a whole version, and nothing else."""
    folder = small().write(tmp_path)
    assert edition(folder, version=sct(2)).version == f"{SCT}/{sct(2)}/version/20260101"
    assert edition(folder, version=f"{SCT}/{SAME_AS}/version/20200131").version.endswith("/version/20200131")
    with pytest.raises(FhirError, match="identifier of a module"):
        edition(folder, version="2026")


@pytest.mark.parametrize("number", [0, 1, 9, 42, 12345, 9999998])
def test_check_digits(number: int) -> None:
    """One wrong digit, or two neighbours exchanged, is always found."""
    right = sct(number + 1)
    assert sctid.is_valid(right)
    for place, digit in enumerate(right):
        for other in "0123456789":
            if other != digit and not (place == 0 and other == "0"):
                assert not sctid.is_valid(right[:place] + other + right[place + 1 :])
    for place in range(len(right) - 1):
        a, b = right[place : place + 2]
        if a != b:
            assert not sctid.is_valid(right[:place] + b + a + right[place + 2 :])


@pytest.mark.parametrize("code", ["", "1", "12345", "0123456", "1234567890123456789", "12345a", "²²²²²²²"])
def test_what_is_no_identifier(code: str) -> None:
    """Anything else is none."""
    assert not sctid.is_valid(code)
