"""RxNorm loads whole with relations, codes of packages and what was retired, or not at all. All content is invented."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import NDC, RXNORM
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.importers import Given
from terminology.importers.rxnorm import read
from terminology.maps import install_map, open_maps
from terminology.operations import Library, answer_call
from terminology.source import MapSource, Source

INGREDIENT, DRUG, BRAND, OBSOLETE, RETIRED, MERGED = 9001, 9002, 9003, 9004, 9005, 9006


def conso(cui: int, atom: int, tty: str, text: str, sab: str = "RXNORM", suppress: str = "N") -> str:
    """A line of RXNCONSO."""
    return f"{cui}|ENG||||||{atom}|{atom}|{cui}||{sab}|{tty}|{cui}|{text}||{suppress}|4096|"


def rel(first: int, second: int, rela: str, sab: str = "RXNORM") -> str:
    """A line of RXNREL: the second concept has the relation to the first."""
    return f"{first}||CUI|RO|{second}||CUI|{rela}|1||{sab}|{sab}||||4096|"


def sat(cui: int, name: str, value: str, sab: str = "RXNORM") -> str:
    """A line of RXNSAT."""
    return f"{cui}|||801|AUI|{cui}|||{name}|{sab}|{value}|N|4096|"


FILES: dict[str, tuple[str, ...]] = {
    "RXNCONSO": (
        conso(INGREDIENT, 801, "IN", "marshine"),
        conso(INGREDIENT, 802, "SU", "MARSHINUM", "MMSL"),
        conso(DRUG, 804, "PSN", "marshine 5 MG Tab"),
        conso(DRUG, 803, "SCD", "marshine 5 MG Oral Tablet"),
        conso(DRUG, 805, "SY", "Marshine 5 MG Tablet"),
        conso(BRAND, 806, "BN", "Bogex"),
        conso(OBSOLETE, 807, "SCD", "marshine 1 MG Oral Tablet", suppress="O"),
        conso(9999, 808, "SU", "only others name it", "MMSL"),
    ),
    "RXNREL": (
        rel(INGREDIENT, DRUG, "has_ingredient"),
        rel(DRUG, INGREDIENT, "ingredient_of"),
        rel(INGREDIENT, BRAND, "tradename_of"),
        rel(INGREDIENT, OBSOLETE, "has_ingredient"),
        rel(INGREDIENT, 9999, "has_ingredient", "MMSL"),
        "|801|AUI|SY||803|AUI||2||RXNORM|RXNORM||||4096|",
    ),
    "RXNSAT": (
        sat(DRUG, "NDC", "90021433080"),
        sat(DRUG, "RXN_STRENGTH", "5 MG"),
        sat(DRUG, "NDC", "9002143380X", "MMSL"),
        sat(DRUG, "UNKEPT", "x"),
    ),
    "RXNSTY": (f"{INGREDIENT}|T121|A1.4.1.1.1|Pharmacologic Substance||256|",),
    "RXNSAB": ("C1||RXNORM_20AA_251006F|RXNORM|RxNorm Vocabulary|RXNORM|20AA_251006F" + "|" * 9 + "||" * 4 + "||",),
    "RXNCUI": (f"{MERGED}|20AA_200101F|20AA_210101F|1|{DRUG}|",),
    "RXNATOMARCHIVE": (
        f"701||marshine old|t|t|t|{RETIRED}|N|ENG|d|701|RXNORM_20AA_200101F|{RETIRED}|RXNORM|SCD||",
        f"702||marshine older|t|t|t|{MERGED}|N|ENG|d|702|RXNORM_20AA_200101F|{MERGED}|RXNORM|SCD||",
        f"703||marshine|t|t|t|{INGREDIENT}|N|ENG|d|703|RXNORM_20AA_200101F|{INGREDIENT}|RXNORM|IN||",
    ),
}


def archive(tmp_path: Path, name: str = "RxNorm_full_10062025.zip", **changed: tuple[str, ...] | None) -> Path:
    """A release with its folder, some files changed or left out."""
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as packed:
        for file, lines in {**FILES, **changed}.items():
            if lines is not None:
                packed.writestr(f"rrf/{file}.RRF", "".join(f"{line}\n" for line in lines))
        packed.writestr("prescribe/rrf/RXNCONSO.RRF", "\n".join(FILES["RXNCONSO"][:1]))
    return path


def sources(given: Given) -> tuple[Source, MapSource | None]:
    """The edition and the map in what is given."""
    found = list(read(given))
    edition = next(s for s in found if isinstance(s, Source))
    return edition, next((s for s in found if isinstance(s, MapSource)), None)


def load(data: Path, given: Given) -> Path | None:
    """Install the edition."""
    edition, _ = sources(given)
    return install(data, f"{edition.name}@{edition.version}", [edition])


@pytest.fixture
def terminology(tmp_path: Path) -> Terminology:
    """The release, loaded."""
    load(tmp_path, Given((archive(tmp_path),)))
    return open_terminology(tmp_path)


def expand(terminology: Terminology, *filters: tuple[str, str, str]) -> list[str]:
    """The codes of a value set of filters."""
    rules = [dict(zip(("property", "op", "value"), one, strict=True)) for one in filters]
    resource = {"resourceType": "ValueSet", "compose": {"include": [{"system": RXNORM, "filter": rules}]}}
    asked = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": resource}]}
    answer = answer_call("ValueSet/$expand", asked, Library(terminology))
    return sorted(c["code"] for c in answer["expansion"].get("contains", ()))


def test_concepts_are_what_rxnorm_names(terminology: Terminology) -> None:
    """The display is the name of the concept's own type; attributes, types and relations are kept."""
    drug = terminology.lookup(RXNORM, str(DRUG))
    assert drug.display == "marshine 5 MG Oral Tablet" and drug.version == "10062025"
    assert {(n.kind, n.text) for n in terminology.names(RXNORM, str(DRUG))} == {
        ("short", "marshine 5 MG Tab"), ("synonym", "Marshine 5 MG Tablet"),
    }  # fmt: skip
    assert drug.properties["TTY"] == ["SCD"] and drug.properties["NDC"] == ["90021433080"]
    assert drug.properties["RXN_STRENGTH"] == ["5 MG"] and "UNKEPT" not in drug.properties
    assert [(r.type, r.target) for r in terminology.relations(RXNORM, str(DRUG))] == [
        ("has_ingredient", str(INGREDIENT))
    ]
    ingredient = terminology.lookup(RXNORM, str(INGREDIENT))
    assert ingredient.properties["STY"] == [{"code": "T121", "display": "Pharmacologic Substance"}]
    assert terminology.lookup(RXNORM, "9999") is None
    assert terminology.edition(RXNORM).start == date(2025, 10, 6)


def test_what_is_obsolete_or_retired_is_inactive(terminology: Terminology) -> None:
    """It keeps its name, and what took its place is told."""
    assert not terminology.lookup(RXNORM, str(OBSOLETE)).active
    retired, merged = (terminology.lookup(RXNORM, str(c)) for c in (RETIRED, MERGED))
    assert not retired.active and retired.display == "marshine old" and "replaced_by" not in retired.properties
    assert merged.properties["replaced_by"] == str(DRUG)


def test_licensed_names_are_left_out_and_counted(tmp_path: Path) -> None:
    """Without the licence they are counted; with it they are synonyms of what RxNorm names."""
    edition, _ = sources(Given((archive(tmp_path),)))
    assert edition.origin.endswith("2 names by other sources left out")
    edition, _ = sources(Given((archive(tmp_path),), options=frozenset(("accept-licence",))))
    found = {c.code: c for c in edition.concepts()}
    assert [n.text for n in found[str(INGREDIENT)].names] == ["MARSHINUM"] and "9999" not in found
    assert found[str(INGREDIENT)].properties["SAB"] == ["RXNORM", "MMSL"]


def test_package_codes_become_a_map(tmp_path: Path) -> None:
    """Each NDC of RxNorm's own maps to its drug, which is wider."""
    _, found = sources(Given((archive(tmp_path),)))
    assert (found.source, found.target, found.version) == (NDC, RXNORM, "10062025")
    assert [(r.source, r.target, r.equivalence) for r in found.rows()] == [("90021433080", str(DRUG), "wider")]


@pytest.mark.parametrize("code", ["90021433080", "90021-4330-80"])
def test_translate_takes_a_package_code_in_any_spelling(tmp_path: Path, code: str) -> None:
    """`$translate` finds the drug of a package, however its code is written."""
    _, found = sources(Given((archive(tmp_path),)))
    install_map(tmp_path, found)
    (map_,) = open_maps(tmp_path).between(NDC, RXNORM)
    assert [m.target for m in map_.targets(code)] == [str(DRUG)]


def test_a_folder_loads_once(tmp_path: Path) -> None:
    """A folder reads as the archive does, the whole release before the prescribable part; again changes nothing."""
    folder = tmp_path / "RxNorm_full_10062025"
    with zipfile.ZipFile(archive(tmp_path)) as packed:
        packed.extractall(folder)
    assert load(tmp_path, Given((folder,))) is not None
    assert load(tmp_path, Given((archive(tmp_path),))) is None


def test_the_release_is_told_by_the_folder_or_the_person(tmp_path: Path) -> None:
    """Without RXNSAB the name of the archive says the release, else the person has to."""
    named = archive(tmp_path, "RxNorm_full_09082025.zip", RXNSAB=None)
    assert sources(Given((named,)))[0].version == "09082025"
    other = archive(tmp_path, "drugs.zip", RXNSAB=None)
    with pytest.raises(FhirError, match="--version MMDDYYYY"):
        read(Given((other,)))
    assert sources(Given((other,), "09082025"))[0].start == date(2025, 9, 8)


def test_two_editions_answer_for_their_dates(tmp_path: Path) -> None:
    """Each month speaks from its day on."""
    load(tmp_path, Given((archive(tmp_path),)))
    newer = FILES["RXNSAB"][0].replace("251006", "260105")
    load(tmp_path, Given((archive(tmp_path, RXNSAB=(newer,), RXNCONSO=FILES["RXNCONSO"][:1]),)))
    both = open_terminology(tmp_path)
    assert both.lookup(RXNORM, str(BRAND), "10062025") and not both.lookup(RXNORM, str(BRAND), "01052026")
    assert both.edition(RXNORM, date(2025, 11, 1)).version == "10062025"
    assert both.edition(RXNORM, date(2026, 2, 1)).version == "01052026"


ATOM = FILES["RXNCONSO"][0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"RXNCONSO": (ATOM[:-1],)}, r"RXNCONSO\.RRF, line 1, column \d+: 18 fields"),
        ({"RXNCONSO": (ATOM, ATOM + "x")}, r"RXNCONSO\.RRF, line 2, column 62: the line must end in a bar"),
        ({"RXNCONSO": (ATOM, ATOM + "x|")}, r"RXNCONSO\.RRF, line 2, column 61: 18 fields .* this line has 19"),
        ({"RXNCONSO": (ATOM.replace("9001", "9O01"),)}, r"RXNCONSO\.RRF, line 1, column 1: RXCUI"),
        ({"RXNCONSO": (ATOM, ATOM)}, r"RXNCONSO\.RRF, line 2, column 15: RXAUI: the atom stands twice"),
        ({"RXNCONSO": (ATOM.replace("marshine", ""),)}, r"line 1, column 44: STR: a name"),
        ({"RXNCONSO": (ATOM.replace("|IN|", "||"),)}, r"line 1, column 36: TTY"),
        ({"RXNCONSO": (ATOM.replace("|N|", "|Q|"),)}, r"line 1, column 54: SUPPRESS: one of N, O, Y, E"),
        ({"RXNCONSO": ()}, r"RXNCONSO\.RRF, line 1, column 1: the file is empty"),
        ({"RXNCONSO": (conso(1, 2, "IN", "x", "MMSL"),)}, r"the file has no names by RxNorm"),
        ({"RXNREL": (rel(INGREDIENT, DRUG, "isa"), rel(DRUG, DRUG, "isa").replace("|CUI|RO|9002|", "|CUI|RO||"))},
         r"RXNREL\.RRF, line 2, column 14: RXCUI2"),
        ({"RXNSAT": (sat(DRUG, "NDC", "9002-1433-80"),)}, r"RXNSAT\.RRF, line 1, column 34: ATV: an NDC of eleven"),
        ({"RXNSTY": (f"{DRUG}|121|A|Drug||256|",)}, r"RXNSTY\.RRF, line 1, column 6: TUI"),
        ({"RXNSAB": (FILES["RXNSAB"][0].replace("_251006F", "_x"),)}, r"RXNSAB\.RRF, line 1, column 5: VSAB"),
        ({"RXNATOMARCHIVE": ("701||x|",)}, r"RXNATOMARCHIVE\.RRF, line 1, column \d+: 16 fields"),
        ({"RXNCUI": ("x|a|b|1|9002|",)}, r"RXNCUI\.RRF, line 1, column 1: CUI1"),
    ],
)  # fmt: skip
def test_damage_is_refused_by_line_and_column(
    tmp_path: Path, changed: dict[str, tuple[str, ...] | None], says: str
) -> None:
    """Nothing of a damaged release is loaded, and the message says where it is damaged."""
    with pytest.raises(FhirError, match=says):
        load(tmp_path, Given((archive(tmp_path, **changed),)))
    assert not list(tmp_path.glob("terminology/*"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Relations without names are no release."""
    alone = tmp_path / "RXNREL.RRF"
    alone.write_text("\n".join(FILES["RXNREL"]))
    with pytest.raises(FhirError, match=r"RXNCONSO\.RRF is missing"):
        read(Given((alone,)))


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        (("TTY", "=", "SCD"), [DRUG, OBSOLETE, RETIRED, MERGED]),
        (("TTY", "in", "IN,BN"), [INGREDIENT, BRAND]),
        (("STY", "=", "T121"), [INGREDIENT]),
        (("has_ingredient", "=", f"CUI:{INGREDIENT}"), [DRUG, OBSOLETE]),
        (("has_ingredient", "=", str(INGREDIENT)), [DRUG, OBSOLETE]),
        (("ingredient_of", "=", f"CUI:{DRUG}"), [INGREDIENT]),
        (("tradename_of", "in", f"CUI:{INGREDIENT},CUI:{DRUG}"), [BRAND]),
        (("NDC", "=", "90021433080"), [DRUG]),
    ],
)
def test_filters_by_types_and_relations(terminology: Terminology, rule: tuple[str, str, str], codes: list[int]) -> None:
    """Value sets select by type of term, semantic type, relation and package code."""
    assert expand(terminology, rule) == sorted(map(str, codes))


def test_lookup_tells_relations(terminology: Terminology) -> None:
    """`$lookup` of a drug names its ingredient."""
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "system", "valueUri": RXNORM}, {"name": "code", "valueCode": str(DRUG)}],
    }
    answer = answer_call("CodeSystem/$lookup", asked, Library(terminology))
    parts = [{p["name"]: next(v for k, v in p.items() if k != "name") for p in one["part"]}
             for one in answer["parameter"] if one["name"] == "property"]  # fmt: skip
    assert {"code": "has_ingredient", "value": str(INGREDIENT)}.items() <= next(
        p.items() for p in parts if p["code"] == "has_ingredient"
    )
