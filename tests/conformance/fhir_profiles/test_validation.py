"""Validation against resources nobody here wrote, its own other half, and an independent validator."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fhirkit
import pytest

from fhir_profiles import json, structs
from fhir_profiles.accept import accepts
from fhir_profiles.capability import statement
from fhir_profiles.validate import check
from fhir_profiles.walk import walk

SHARED = Path(__file__).parents[4] / "shared" / "conformance"

Named = list[tuple[str, dict[str, Any]]]
Mutants = Callable[[int], Iterator[tuple[str, dict[str, Any]]]]


def test_every_published_example_is_valid(examples: Named) -> None:
    """HL7's own examples are accepted, all of them."""
    assert {name: check(r)[:3] for name, r in examples if check(r)} == {}


def test_every_synthea_bundle_is_valid(synthea: Named) -> None:
    """Real transaction bundles and each resource in them are accepted, by the fast half alone."""
    for name, bundle in synthea:
        assert accepts(bundle), name
        assert all(accepts(entry["resource"]) for entry in bundle["entry"]), name


def test_every_resource_of_us_core_is_valid() -> None:
    """Definitions and examples of a published guide are accepted, but for a report that is none itself."""
    package = SHARED / "packages" / "hl7.fhir.us.core-6.1.0.tgz"
    if not package.is_file():
        pytest.skip("no shared conformance material beside the repository")
    refused, seen = set(), 0
    with tarfile.open(package) as archive:
        for member in archive:
            body = archive.extractfile(member) if member.name.endswith(".json") else None
            if body is None or b'"resourceType"' not in (raw := body.read()):
                continue
            resource = json.decode(raw)
            if "resourceType" in resource:
                seen += 1
                refused |= {member.name} if check(resource) else set()
    assert seen > 350
    assert refused == {"package/other/validation-oo.json"}


def test_the_halves_agree(examples: Named, mutants: Mutants) -> None:
    """What the fast half accepts has no problem in the thorough half; what it declines is nearly always faulty."""
    declined = 0
    for name, resource in [*examples, *mutants(20)]:
        errors = [p for p in walk(resource) if p.severity == "error"]
        if accepts(resource):
            assert errors == [], name
        elif not errors:
            declined += 1
    assert declined < 200


def test_what_an_independent_validator_finds_is_found(mutants: Mutants) -> None:
    """fhirkit knows structure and formats only; every fault that it sees is seen here."""
    missed = []
    seen = 0
    for name, resource in mutants(6):
        if "resourceType" not in resource:
            continue
        issues = _foreign(resource)
        seen += bool(issues)
        if issues and all(p.text.startswith("dom-6") for p in check(resource, warnings=True)):
            missed.append((name, issues))
    assert seen > 500
    assert missed == []


def _foreign(resource: dict[str, Any]) -> list[str]:
    try:
        return [f"{i.path}: {i.message}" for i in fhirkit.validate(json.encode(resource)) if i.severity == "error"]
    except ValueError as e:
        return [str(e)]


def test_no_mutant_raises(mutants: Mutants) -> None:
    """Whatever the input, the answer is a list of problems with a place inside the resource."""
    for name, resource in mutants(10):
        for problem in check(resource):
            kind = resource.get("resourceType")
            assert problem.expression is None or not isinstance(kind, str) or problem.expression.startswith(kind), name


def test_typed_structs_give_back_what_they_read(examples: Named) -> None:
    """Every example decodes into its struct and encodes to the same JSON, each decimal digit kept."""
    for name, resource in examples:
        body = json.encode(resource)
        assert json.decode(json.encode(structs.decode(body))) == resource, name


def test_the_capability_statement_is_valid() -> None:
    """The statement of the server is itself a valid resource, for this validator and the independent one."""
    resource = statement("http://localhost/fhir", version="1.0")
    assert check(resource) == []
    assert _foreign(resource) == []
