"""The properties that codes of ICD-10 carry (https://hl7.org/fhir/R4/codesystem.html#properties)."""

from __future__ import annotations

from terminology.source import PropertyDef

SEVENTH = PropertyDef("seventh", "string", description="What the 7th character of the code means")
"""Of extended codes of ICD-10-CM."""

AXES = ("section", "body-system", "operation", "body-part", "approach", "device", "qualifier")
"""What the characters of a code of the first section of ICD-10-PCS say; other sections read some of them otherwise."""

PROPERTIES = tuple(PropertyDef(axis, "string", description=f"Character {n}") for n, axis in enumerate(AXES, 1))
"""Of ICD-10-PCS."""
