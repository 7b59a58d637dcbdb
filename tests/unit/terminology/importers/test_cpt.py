"""CPT: the data files of the AMA in their layout, with invented codes and descriptors only."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CPT
from terminology import Terminology, open_terminology
from terminology.importers import Given, importer_of
from terminology.importers.cpt import read
from terminology.importers.load import load
from terminology.operations import Library, answer_call

NOTICE = "An invented notice® of several lines\nthat ends with a number 00000\n\n"
LONG = {
    "0001X": "Polishing of an invented widget, first ten minutes",
    "0002F": "Widget looked at (invented measure)",
    "0003T": "Widget of the third kind, invented",
    "0004U": "Widget analysis of one laboratory, invented",
}
FILES = {
    "LONGULT.txt": NOTICE + "".join(f"{c}\t{t}\n" for c, t in LONG.items()),
    "MEDU.txt": NOTICE + "".join(f"{c} {t[:48].upper()}\n" for c, t in LONG.items()),
    "SHORTU.txt": NOTICE + "".join(f"{c} {t[:28].upper():28}\n" for c, t in LONG.items()),
    "Consumer Friendly Descriptors/ConsumerDescriptor.txt": "Concept Id\tCPT Code\tConsumer Friendly Descriptor\n"
    '1000001\t0001X\tMaking a "widget" shine\n1000002\t0009X\tNot in this edition\n',
    "Clinician Descriptors/ClinicianDescriptor.txt": "Concept Id\tCPT Code\tClinician Descriptor Id\t"
    "Clinician Descriptor\n1000001\t0001X\t1\tPolishing of widget\n1000001\t0001X\t2\tPolishing of widget, dry\n",
    "MODUL.txt": NOTICE + "Appendix A\n\nModifiers\n\nProse of the list.\n\n01 Invented More Work: When the work is\n"
    "more than one would think\n\n02 Invented Less Work: When it is less\n\nAnesthesia Physical Status\nModifiers\n\n"
    "Example: 00000-P1\n\nPhysical Status Modifier P1: An invented status\n\nPhysical Status Modifier P2: Another\n\n"
    "Modifiers Approved for Ambulatory Surgery Center (ASC) Hospital Outpatient Use\n\nCPT Level I Modifiers\n\n"
    "01 Invented More Work: When the work is\n\nCategory II Modifiers\n\nII codes have these\n\n1P Invented reason\n"
    "Reasons include:\nnone\n\nLevel II (HCPCS/National) Modifiers\n\nZ1 Left widget\nZ2 Right widget\n\n(*a remark)\n",
}
ACCEPTED = frozenset({"accept-licence"})


def folder(parent: Path, changed: dict[str, str] | None = None, name: str = "CPT 2026 Data Files") -> Path:
    """The files of an edition, some of them changed; an empty text leaves a file out."""
    for path, text in {**FILES, **(changed or {})}.items():
        if text:
            file = parent / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.replace("\n", "\r\n").encode("cp1252" if path == "MODUL.txt" else "utf-8"))
    return parent / name


def loaded(data: Path, *paths: Path, options: frozenset[str] = ACCEPTED, version: str | None = None) -> Terminology:
    """What answers after the files were loaded."""
    importer = importer_of("cpt")
    assert importer is not None
    load(data, importer, Given(paths, options=options, version=version))
    return open_terminology(data)


def test_every_kind_of_descriptor_is_a_name(tmp_path: Path) -> None:
    """The long descriptor is the display; the others are names of their kinds; categories are told."""
    (source,) = read(Given((folder(tmp_path),), options=ACCEPTED))
    concepts = {c.code: c for c in source.concepts()}
    polish = concepts["0001X"]
    assert polish.display == LONG["0001X"]
    assert [(n.kind, n.text) for n in polish.names] == [
        ("medium", LONG["0001X"][:48].upper().strip()),
        ("short", LONG["0001X"][:28].upper().strip()),
        ("consumer", 'Making a "widget" shine'),
        ("synonym", "Polishing of widget"),
        ("synonym", "Polishing of widget, dry"),
    ]
    assert [concepts[c].properties["kind"] for c in LONG] == ["code", "cat-2", "cat-3", "pla"]
    assert (source.version, source.start, source.end) == ("2026", date(2026, 1, 1), date(2026, 12, 31))


def test_modifiers_come_from_the_appendix(tmp_path: Path) -> None:
    """Each modifier is there once, with all its kinds; its title is the display."""
    (source,) = read(Given((folder(tmp_path),), options=ACCEPTED))
    found = {c.code: c for c in source.concepts() if c.properties["modifier"]}
    assert {code: c.properties["kind"] for code, c in found.items()} == {
        "01": ["general", "cat-1"],
        "02": "general",
        "P1": "physical-status",
        "P2": "physical-status",
        "1P": "cat-2",
        "Z1": "hcpcs",
        "Z2": "hcpcs",
    }
    assert found["01"].display == "Invented More Work"
    assert found["01"].names[0].text == "Invented More Work: When the work is more than one would think"
    assert found["P1"].display == "An invented status" and found["Z1"].display == "Left widget"


def test_the_licence_must_be_said(tmp_path: Path) -> None:
    """Neither the loader nor the reader takes the files without it."""
    path = folder(tmp_path)
    with pytest.raises(FhirError, match="--accept-licence"):
        loaded(tmp_path, path, options=frozenset())
    with pytest.raises(FhirError, match="--accept-licence"):
        read(Given((path,)))


def test_folder_and_archive_say_the_same(tmp_path: Path) -> None:
    """An archive whose name says the year is read as the folder is."""
    path = folder(tmp_path, name="files")
    archive = tmp_path / "CPT_2027.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            packed.write(file, file.relative_to(path).as_posix())
    (one,) = read(Given((archive,), options=ACCEPTED))
    (other,) = read(Given((path,), options=ACCEPTED, version="2027"))
    assert list(one.concepts()) == list(other.concepts()) and one.fingerprint == other.fingerprint


def test_two_editions_stand_side_by_side(tmp_path: Path) -> None:
    """Each year answers for its version and dates; loading again writes nothing."""
    loaded(tmp_path, folder(tmp_path))
    more = FILES["LONGULT.txt"] + "0005X\tOne more widget\n"
    later = folder(tmp_path, {"LONGULT.txt": more, "MEDU.txt": "", "SHORTU.txt": ""}, "CPT 2027")
    terminology = loaded(tmp_path, later)
    assert terminology.lookup(CPT, "0005X", on=date(2027, 3, 1)).display == "One more widget"
    assert terminology.lookup(CPT, "0005X", on=date(2026, 3, 1)) is None
    assert [e.version for e in terminology.editions(CPT)] == ["2026", "2027"]
    assert not load(tmp_path, importer_of("cpt"), Given((later,), options=ACCEPTED))[0].written


def test_the_operations_answer_from_the_files(tmp_path: Path) -> None:
    """$lookup, $validate-code and $expand know the codes, their names and which are modifiers."""
    library = Library(loaded(tmp_path, folder(tmp_path)))
    coding = [{"name": "system", "valueUri": CPT}, {"name": "code", "valueCode": "0001X"}]
    told = answer_call("CodeSystem/$lookup", {"resourceType": "Parameters", "parameter": coding}, library)
    assert {"name": "display", "valueString": LONG["0001X"]} in told["parameter"]
    asked = [{"name": "url", "valueUri": CPT}, {"name": "code", "valueCode": "0009X"}]
    answer = answer_call("CodeSystem/$validate-code", {"resourceType": "Parameters", "parameter": asked}, library)
    assert {"name": "result", "valueBoolean": False} in answer["parameter"]
    asked = [{"name": "url", "valueUri": f"{CPT}?fhir_vs"}, {"name": "filter", "valueString": "third kind"}]
    expanded = answer_call("ValueSet/$expand", {"resourceType": "Parameters", "parameter": asked}, library)
    assert [c["code"] for c in expanded["expansion"]["contains"]] == ["0003T"]


def changed(name: str, old: str, new: str) -> Callable[[], dict[str, str]]:
    """The files with one text changed once."""
    return lambda: {name: FILES[name].replace(old, new, 1)}


CONSUMER = "Consumer Friendly Descriptors/ConsumerDescriptor.txt"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (changed("LONGULT.txt", "0002F\t", "2F\t"), "LONGULT.txt, line 5, column 1: a code of five characters"),
        (changed("LONGULT.txt", "0001X\t", "001X\t"), "LONGULT.txt, line 4, column 1: a blank line is expected"),
        (changed("LONGULT.txt", "0002F\t", "0001X\t"), "LONGULT.txt, line 5, column 1: the code 0001X stands twice"),
        (changed("LONGULT.txt", LONG["0003T"], ""), "LONGULT.txt, line 6, column 1: a code of five"),
        (
            changed("LONGULT.txt", LONG["0003T"], "x" * 4001),
            "LONGULT.txt, line 6, column 4007: the descriptor has more",
        ),
        (changed("MEDU.txt", "0002F ", "0008F "), "MEDU.txt, line 5, column 1: the code 0008F is not in the list"),
        (changed("MEDU.txt", "0004U", "\n\n"), "MEDU.txt, line 9, column 1: a code of five"),
        (changed("SHORTU.txt", "0001X ", "0001X AB"), "SHORTU.txt, line 4, column 35: the descriptor has more than 28"),
        (
            lambda: {"SHORTU.txt": FILES["SHORTU.txt"][: FILES["SHORTU.txt"].index("0004U")]},
            "the code 0004U of LONGULT",
        ),
        (changed(CONSUMER, "CPT Code", "Code"), "line 1: the column CPT Code is missing"),
        (changed(CONSUMER, "1000001", "one"), "line 2, column 1: a number is expected"),
        (changed(CONSUMER, "0009X", "9"), "line 3, column 9: a code of five characters"),
        (changed(CONSUMER, "\tNot in this edition", ""), "line 3, column 9: 3 fields are expected, this row has 2"),
        (lambda: {"LONGULT.txt": NOTICE}, "LONGULT.txt, line 1, column 1: the file has no codes"),
        (lambda: {"MODUL.txt": NOTICE}, "MODUL.txt, line 1, column 1: the appendix has no modifiers"),
        (changed("MODUL.txt", "02 Inv", "01 Inv"), "MODUL.txt, line 13, column 1: the modifier 01 stands twice"),
        (changed("LONGULT.txt", "ten", "t\0n"), "LONGULT.txt, line 4, column 47: the line holds a zero byte"),
        (lambda: {"LONGULT.txt": ""}, "LONGULT.txt is missing"),
    ],
)
def test_a_damaged_file_is_refused_by_line_and_column(tmp_path: Path, change, says: str) -> None:
    """Nothing of damaged files is loaded, and the message says where the damage is."""
    with pytest.raises(FhirError, match=says):
        loaded(tmp_path, folder(tmp_path, change()))
    assert not list(tmp_path.glob("terminology/*cpt*"))


def test_files_that_do_not_say_their_year_are_refused(tmp_path: Path) -> None:
    """The message names the option."""
    with pytest.raises(FhirError, match="--version 2026"):
        loaded(tmp_path, folder(tmp_path, name="files"))
