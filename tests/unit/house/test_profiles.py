"""Our own definitions are FHIR resources too."""

from __future__ import annotations

from importlib.resources import files

import pytest

from fhir_profiles import json, systems
from fhir_profiles.validate import check

FILES = sorted((files("fhir_profiles") / "profiles").iterdir(), key=lambda file: file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_profile_is_valid_r4_and_named_by_its_id(file) -> None:
    """Each file holds one valid resource whose canonical is one of the URIs we speak."""
    resource = json.decode(file.read_bytes())
    assert check(resource) == []
    assert file.name == f"{resource['id']}.json"
    assert resource["url"] in vars(systems).values()


def test_the_extensions_and_code_systems_we_write_are_defined() -> None:
    """Every extension and code system of ours that can be seen from outside has its definition in the package."""
    defined = {json.decode(file.read_bytes())["url"] for file in FILES}
    places = tuple(f"{systems.BASE}/{kind}" for kind in ("StructureDefinition", "CodeSystem", "ValueSet"))
    ours = {uri for uri in vars(systems).values() if isinstance(uri, str) and uri.startswith(places)}
    assert ours == defined
