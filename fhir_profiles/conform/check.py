"""Check a resource against profiles: one that is named, or those it claims (https://hl7.org/fhir/R4/profiling.html)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_profiles.conform.extensions import check_extensions, has_extensions
from fhir_profiles.conform.registry import Profiles
from fhir_profiles.conform.run import MAX_PROBLEMS, Codes, Resolve, Run
from fhir_profiles.errors import FhirError, Problem
from fhir_profiles.systems import STRUCTURE_DEFINITION

Json = dict[str, Any]


def check_profile(
    resource: Json,
    profile_url: str,
    *,
    registry: Profiles,
    codes: Codes | None = None,
    thorough: bool = True,
    must_support: bool = False,
    resolve: Resolve | None = None,
) -> list[Problem]:
    """What a resource that `fhir_profiles.validate` finds valid breaks of a profile.

    `codes` finds value sets. `thorough` adds what refuses nothing: warnings, and what could not be checked;
    `must_support` adds the must-support elements that are absent. An unknown profile is a warning, never a pass.
    """
    run = Run(resource, registry, codes, thorough=thorough, must_support=must_support, resolve=resolve)
    _check(resource, profile_url, run, resource["resourceType"], resource["resourceType"])
    return list(run.problems)[:MAX_PROBLEMS]


def check_known(
    resource: Json,
    *,
    registry: Profiles,
    codes: Codes | None = None,
    thorough: bool = True,
    must_support: bool = False,
    resolve: Resolve | None = None,
) -> list[Problem]:
    """What a resource, and those inside it, break of the profiles that they claim and of known extensions.

    One that claims none is held, if `thorough`, to what its type of R4 only recommends.
    """
    found: list[Problem] = []
    extended = has_extensions(resource)
    for one, place in _resources(resource, resource["resourceType"]):
        if not (extended or thorough or "profile" in one.get("meta", ())):
            continue
        run = Run(one, registry, codes, thorough=thorough, must_support=must_support, resolve=resolve)
        try:
            if extended:
                check_extensions(one, place, run)
        except FhirError as error:
            _tell(error, run, place)
        for i, url in enumerate(claimed(one)):
            _check(one, url, run, place, f"{place}.meta.profile[{i}]")
        own = STRUCTURE_DEFINITION + one["resourceType"]
        if thorough and not claimed(one) and registry.find(own):
            _check(one, own, run, place, place)
        found += run.problems
    return found[:MAX_PROBLEMS]


def claimed(resource: Json) -> list[str]:
    """The profiles in `meta.profile`."""
    urls: list[str | None] = resource.get("meta", {}).get("profile", [])
    return [url for url in urls if url]


def _check(resource: Json, url: str, run: Run, place: str, claim: str) -> None:
    name = resource["resourceType"]
    try:
        checker = run.profiles.checker(url)
        if checker is None:
            run.add("warning", "not-found", "Not checked: this profile is not known here. Load its package.", claim)
        else:
            checker((resource, None, name, place), run)
    except FhirError as error:
        _tell(error, run, claim)


def _tell(error: FhirError, run: Run, place: str) -> None:
    for problem in error.problems:
        run.add("warning", "not-supported", f"Not checked: {problem.text}", place)


def _resources(resource: Json, place: str) -> Iterator[tuple[Json, str]]:
    """The resource and those in its `contained`, or in the entries and parameters that it carries."""
    yield resource, place
    for i, one in enumerate(resource.get("contained", ())):
        yield one, f"{place}.contained[{i}]"
    carried = {"Bundle": "entry", "Parameters": "parameter"}.get(resource["resourceType"], "")
    for i, part in enumerate(resource.get(carried, ()) if carried else ()):
        if "resource" in part:
            yield from _resources(part["resource"], f"{place}.{carried}[{i}].resource")
