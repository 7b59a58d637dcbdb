"""The differential of a profile asks what its published snapshot asks: two ways in, one verdict."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from fhir_profiles.conform import Own, Profiles, check_profile, read_profile
from fhir_profiles.errors import FhirError

spec = importlib.util.spec_from_file_location("us_core_rules", Path(__file__).with_name("test_rules.py"))
rules = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = rules
spec.loader.exec_module(rules)

pytestmark = rules.pytestmark


class Differentials:
    """The profiles of the package without their snapshots."""

    def __init__(self, library) -> None:
        definitions = [r for package in library.packages for r in package.all("StructureDefinition")]
        bare = [{k: v for k, v in d.items() if k != "snapshot"} for d in definitions]
        self._known = {d["url"]: read_profile(d, "bare") for d in bare}

    def profiles(self, url):
        return [self._known[url]] if url in self._known else []

    def resources(self, resource_type, url):
        return []

    def types(self):
        return iter(())


def test_a_differential_asks_what_its_snapshot_asks(library, profiles, codes):
    """For every profile on a base that is known, and each element taken away, the errors stand at the same places."""
    bare = Profiles([Differentials(library), Own()])
    compared = asked = 0
    for definition in rules.PROFILES.values():
        url = definition["url"]
        try:
            bare.checker(url)
        except FhirError:
            continue  # it stands on a profile of another package
        compared += 1
        generator = rules._generator(definition, profiles, codes)
        instance = generator.instance()
        for place in (None, *instance.places.values()):
            resource = instance.resource if place is None else rules.generate.without(instance.resource, place)
            both = []
            for registry in (profiles, bare):
                found = check_profile(resource, url, registry=registry, codes=codes, must_support=True)
                told = {(p.severity, p.expression) for p in found if p.severity == "error"}
                both.append(told | {("must", p.expression) for p in found if "must-support" in p.text})
            assert both[0] == both[1], (definition["id"], place)
            asked += 1
    if compared < 30:
        pytest.fail(f"only {compared} profiles could be compared")
    assert asked >= 350
