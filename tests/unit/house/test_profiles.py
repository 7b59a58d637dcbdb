"""Our own definitions are FHIR resources too."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

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
    ours = resource["url"] in vars(systems).values()
    assert ours or resource["url"].startswith(systems.CLAIM_EXTENSIONS)


def test_the_extensions_and_code_systems_we_write_are_defined() -> None:
    """Every extension and code system of ours that can be seen from outside has its definition in the package."""
    defined = {json.decode(file.read_bytes())["url"] for file in FILES}
    places = tuple(f"{systems.BASE}/{kind}" for kind in ("StructureDefinition", "CodeSystem", "ValueSet"))
    ours = {uri for uri in vars(systems).values() if isinstance(uri, str) and uri.startswith(places)}
    read = {uri for uri in defined if uri.startswith(systems.CLAIM_EXTENSIONS)}
    assert ours - {systems.CLAIM_EXTENSIONS} == defined - read


def test_the_extensions_that_claims_are_read_for_are_defined(root: Path) -> None:
    """Each extension of ours that the claim sheet asks for has its definition, and no other is defined."""
    asked = re.compile(r"(?<!def )said_[a-z]+\((?:[^\"()]*\"([a-z-]+)\"\))?")
    names = {name for path in (root / "claims" / "sheet").glob("*.py") for name in asked.findall(path.read_text())}
    assert "" not in names, "each reader is given its extension's name where it is called"
    assert {f"claim-{name}.json" for name in names} == {
        f.name for f in FILES if f.name.startswith("claim-") and "-rule" not in f.name
    }
