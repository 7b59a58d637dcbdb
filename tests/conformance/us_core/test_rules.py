"""Every mandatory and every must-support element of every US Core profile, tested from the package itself."""

from __future__ import annotations

import importlib.util
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles import json
from fhir_profiles.conform import check_known, check_profile
from fhir_profiles.errors import Problem
from fhir_profiles.validate import check

HERE = Path(__file__).parent
PACKAGE = HERE.parents[3] / "shared/conformance/packages/hl7.fhir.us.core-6.1.0.tgz"

spec = importlib.util.spec_from_file_location("us_core_generate", HERE / "generate.py")
generate = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = generate
spec.loader.exec_module(generate)


def _members(prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if PACKAGE.exists():
        with tarfile.open(PACKAGE) as archive:
            for member in archive:
                if member.name.startswith(prefix) and member.name.endswith(".json"):
                    yield Path(member.name).stem, json.decode(archive.extractfile(member).read())


PROFILES = {
    definition["id"]: definition
    for _, definition in sorted(_members("package/StructureDefinition-"))
    if definition["type"] != "Extension"
}
EXAMPLES = sorted(_members("package/example/"))

pytestmark = pytest.mark.skipif(not PROFILES, reason="the US Core package is not beside the repository")


@pytest.fixture
def made(request, profiles, codes) -> tuple[Any, Any]:
    """A generator and an instance with all that a profile asks."""
    generator = _generator(PROFILES[request.param], profiles, codes)
    return generator, generator.instance()


def _generator(definition, profiles, codes):
    def pick(value_set: str) -> tuple[str, str] | None:
        members = codes(value_set)
        return next(iter(members.codes() or ()), None) if members else None

    return generate.Generator(definition, lambda url: profiles.resource("StructureDefinition", url), pick)


each_profile = pytest.mark.parametrize("made", PROFILES, indirect=True)


@pytest.fixture
def broken(profiles, codes) -> Callable[..., list[Problem]]:
    """What a resource breaks, of R4 and of a profile."""

    def problems(resource: dict[str, Any], url: str, **more: Any) -> list[Problem]:
        return [*check(resource), *check_profile(resource, url, registry=profiles, codes=codes, **more)]

    return problems


@each_profile
def test_a_resource_with_all_that_is_asked_conforms(made, broken):
    """A resource with each mandatory and must-support element has no error."""
    generator, instance = made
    assert [p for p in broken(instance.resource, generator.definition["url"]) if p.severity == "error"] == []


@each_profile
def test_each_mandatory_element_is_missed(made, broken):
    """Taking away a mandatory element is an error at its place, or at the slice that it tells apart."""
    generator, instance = made
    for id, place in instance.places.items():
        if generator.elements[id]["min"] < 1 or _tells_an_optional_slice(generator, id):
            continue
        problems = broken(generate.without(instance.resource, place), generator.definition["url"])
        found = {p.expression for p in problems if p.severity == "error"}
        assert found & _places(generator, instance, id), (id, found)


@each_profile
def test_each_must_support_element_is_reported_when_absent(made, broken):
    """An absent must-support element is told at its place when that is asked for, and is never an error by itself."""
    generator, instance = made
    for id, element in generator.elements.items():
        if not element.get("mustSupport") or "." not in id:
            continue
        place = instance.places.get(id)
        if place is None and element["path"] not in generate.EXCLUSIVE:
            continue
        resource = instance.resource if place is None else generate.without(instance.resource, place)
        problems = broken(resource, generator.definition["url"], must_support=True)
        told = {p.expression for p in problems if p.severity == "information" and "must-support" in p.text}
        if place is None:
            assert any(expression.endswith(element["path"].rpartition(".")[2]) for expression in told), id
        else:
            assert told & _places(generator, instance, id), (id, told)
        if element["min"] == 0:
            silent = broken(resource, generator.definition["url"])
            assert not any("must-support" in p.text for p in silent)


def test_the_rules_are_as_many_as_the_package_has(profiles, codes):
    """The generated instances reach nearly every rule of the 49 profiles: no profile goes untested."""
    mandatory = supported = asked = 0
    for definition in PROFILES.values():
        generator = _generator(definition, profiles, codes)
        places = generator.instance().places
        mandatory += sum(generator.elements[id]["min"] >= 1 for id in places)
        supported += sum(generator.elements[id].get("mustSupport", False) for id in places)
        asked += sum(e.get("mustSupport", False) for e in generator.elements.values())
    assert (len(PROFILES), mandatory >= 361, supported >= 600, asked) == (49, True, True, 641)


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_no_example_of_the_package_is_refused(name, example, profiles, codes):
    """HL7's own examples meet the profiles that they claim."""
    assert [p for p in check(example) if p.severity == "error"] == []
    assert [p for p in check_known(example, registry=profiles, codes=codes) if p.severity == "error"] == []


def _places(generator, instance, id: str) -> set[str]:
    """Where a problem with an element may be told: at itself, or at a slice that it belongs to."""
    inside = [s for s in instance.places if ":" in s and (id == s or id.startswith(f"{s}."))]
    return {generate.expression(instance.places[one], generator.elements[one]["path"]) for one in (id, *inside)}


def _tells_an_optional_slice(generator, id: str) -> bool:
    """Whether without the element its item belongs to no slice any more, and none is needed."""
    for one, element in generator.elements.items():
        if ":" not in one.rpartition(".")[2] or not id.startswith(f"{one}.") or element["min"] >= 1:
            continue
        slicing = generator.elements[one.rpartition(":")[0]]["slicing"]
        rest = id[len(one) + 1 :]
        if any(d["path"] == rest or d["path"].startswith(f"{rest}.") for d in slicing["discriminator"]):
            return True
    return False
