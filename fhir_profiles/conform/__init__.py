"""Conformance to profiles: a StructureDefinition compiled to a check (https://hl7.org/fhir/R4/profiling.html)."""

from fhir_profiles.conform.check import check_known, check_profile, claimed
from fhir_profiles.conform.own import Own, own_resources
from fhir_profiles.conform.registry import Profiles, Source
from fhir_profiles.conform.rules import Profile, read_profile
from fhir_profiles.conform.run import Codes, Members

__all__ = [
    "Codes",
    "Members",
    "Own",
    "Profile",
    "Profiles",
    "Source",
    "check_known",
    "check_profile",
    "claimed",
    "own_resources",
    "read_profile",
]
