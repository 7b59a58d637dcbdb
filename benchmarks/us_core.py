"""CPU per resource for validation without profiles and with US Core, over Synthea; needs the shared material."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fhir_profiles import json
from fhir_profiles.conform import Own, Profiles, check_known, check_profile
from fhir_profiles.packages import Library, install
from fhir_profiles.validate import check
from terminology.value_sets import ValueSets

SHARED = Path(__file__).parents[2] / "shared/conformance"
PACKAGE = SHARED / "packages/hl7.fhir.us.core-6.1.0.tgz"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
BY_TYPE = {
    "CarePlan": "careplan",
    "Condition": "condition-encounter-diagnosis",
    "DiagnosticReport": "diagnosticreport-note",
    "Encounter": "encounter",
    "Goal": "goal",
    "Immunization": "immunization",
    "MedicationRequest": "medicationrequest",
    "Observation": "observation-lab",
    "Organization": "organization",
    "Patient": "patient",
    "Practitioner": "practitioner",
    "Procedure": "procedure",
}


def main() -> None:
    """Print what loading costs, and the mean of each way to check a resource."""
    resources = [r for r in _synthea() if r["resourceType"] in BY_TYPE]
    if not resources or not PACKAGE.exists():
        print("needs the bundles and the package of the shared material")
        return
    with tempfile.TemporaryDirectory() as data:
        loading = milliseconds(lambda: install(Path(data), PACKAGE))
        library = Library(Path(data))
        opening = milliseconds(lambda: library.packages)
        profiles = Profiles([Own(), library])
        compiling = milliseconds(lambda: [profiles.checker(US_CORE + name) for name in BY_TYPE.values()])
        print(f"US Core 6.1.0: {loading:.0f} CPU-ms to load, {opening:.1f} to open, {compiling:.0f} for 12 profiles")
        _measure(resources, profiles)


def _measure(resources: list[dict[str, Any]], profiles: Profiles) -> None:
    sets = ValueSets(None, lambda url: profiles.resource("ValueSet", url) or profiles.resource("CodeSystem", url))

    def held(resource: dict[str, Any], thorough: bool) -> None:
        url = US_CORE + BY_TYPE[resource["resourceType"]]
        options: dict[str, Any] = {"registry": profiles, "codes": sets.members, "thorough": thorough}
        check(resource)
        check_known(resource, **options)
        check_profile(resource, url, must_support=thorough, **options)

    ways: dict[str, Callable[[dict[str, Any]], object]] = {
        "R4": check,
        "R4 and US Core, on a write": lambda r: held(r, False),
        "R4 and US Core, $validate": lambda r: held(r, True),
    }
    for name, way in ways.items():
        best = min(milliseconds(lambda way=way: [way(r) for r in resources]) for _ in range(3))  # type: ignore[misc]
        print(f"{name:28} {best / len(resources):.3f} CPU-ms a resource, the mean of {len(resources)}")


def milliseconds(call: Callable[[], object]) -> float:
    """CPU of one call."""
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3


def _synthea() -> Iterator[dict[str, Any]]:
    for path in sorted((SHARED / "synthea").glob("*.json")):
        for entry in json.decode(path.read_bytes())["entry"]:
            yield entry["resource"]


if __name__ == "__main__":
    main()
