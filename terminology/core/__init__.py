"""The code systems and value sets of HL7: FHIR R4, v2 and v3 (https://hl7.org/fhir/R4/terminologies-systems.html)."""

from __future__ import annotations

from terminology.core.pack import Core, core

__all__ = ["Core", "core"]
