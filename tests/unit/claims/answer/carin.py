"""What CARIN's profiles demand, as FHIRPath in carin.json, apart from the code that makes explanations.

https://hl7.org/fhir/us/carin-bb/STU2.2/
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fhir_profiles.fhirpath import compile

Json = dict[str, Any]
RULES: list[Json] = json.loads((Path(__file__).parent / "carin.json").read_text())


def broken(explanation: Json, shape: str) -> list[str]:
    """The demands that an ExplanationOfBenefit does not meet."""
    found = [
        rule["says"]
        for rule in RULES
        if shape in rule["shapes"] and compile(rule["holds"]).evaluate(explanation) != [True]
    ]
    contained = {f"#{one['id']}": one["resourceType"] for one in explanation.get("contained", ())}
    for where, kinds in (("patient", ("Patient",)), ("insurer", ("Organization",)), ("provider", _billing(shape))):
        name = explanation.get(where, {}).get("reference", "")
        if (contained.get(name) or name.split("/")[-2:][0]) not in kinds:
            found.append(f"{where} refers to {' or '.join(kinds)}")
    return found


def _billing(shape: str) -> tuple[str, ...]:
    return ("Organization",) if shape in ("inpatient", "outpatient") else ("Organization", "Practitioner")
