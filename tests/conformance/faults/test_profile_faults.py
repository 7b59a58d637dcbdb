"""Single faults against profiles: each is told at its place with its severity, and nothing is told of what is right."""

from __future__ import annotations

import copy
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.conform import Profile, Profiles, check_known, check_profile, read_profile
from fhir_profiles.validate import check

spec = importlib.util.spec_from_file_location("profile_cases", Path(__file__).with_name("profile_cases.py"))
cases = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = cases
spec.loader.exec_module(cases)

GENDERS = {"http://hl7.org/fhir/administrative-gender": {"female", "male"}}
STATUSES = {"http://hl7.org/fhir/observation-status": {"final"}}


class Members:
    """A value set as system → codes."""

    def __init__(self, codes: dict[str, set[str]]) -> None:
        self.codes = codes

    def contains(self, system: str, code: str) -> bool:
        return any(code in codes for one, codes in self.codes.items() if system in ("", one))


class Everything:
    """A value set of R4 itself, which is not what is tested here."""

    def contains(self, system: str, code: str) -> bool:
        return True


class Source:
    """The profiles of the cases."""

    def __init__(self) -> None:
        definitions = [d for d, _ in cases.PROFILES.values()]
        self.known: dict[str, Profile] = {d["url"]: read_profile(d) for d in (*definitions, *cases.OTHERS)}

    def profiles(self, url: str) -> list[Profile]:
        return [self.known[url]] if url in self.known else []

    def resources(self, resource_type: str, url: str) -> list[dict[str, Any]]:
        return []

    def types(self) -> Any:
        return iter(())


PROFILES = Profiles([Source()])
SETS = {**cases.VALUE_SETS, cases.SETS + "gender": GENDERS, cases.SETS + "status": STATUSES}


def codes(url: str) -> Members | Everything | None:
    if url.startswith("http://hl7.org/fhir/ValueSet/"):
        return Everything()
    return Members(SETS[url]) if SETS.get(url) else None


def told(resource: dict[str, Any], profile: str, **more: Any) -> list[Any]:
    """The problems by R4, by the profile, and by the extensions that are known."""
    url = cases.HERE + profile
    found = [*check(resource), *check_profile(resource, url, registry=PROFILES, codes=codes, **more)]
    return list(dict.fromkeys([*found, *check_known(resource, registry=PROFILES, codes=codes)]))


@pytest.mark.parametrize("profile", cases.PROFILES)
def test_the_resource_that_meets_the_profile_passes(profile):
    """The resource that each fault starts from has nothing wrong with it."""
    assert told(cases.PROFILES[profile][1], profile, must_support=True) == []


@pytest.mark.parametrize("fault", cases.FAULTS, ids=lambda f: f"{f.kind}: {f.name}")
def test_fault_is_told_at_its_place(fault):
    """One change is one problem or more, the worst of them at the expected place."""
    resource = copy.deepcopy(cases.PROFILES[fault.profile][1])
    fault.change(resource)
    problems = told(resource, fault.profile, must_support=fault.severity == "report")
    severity = "information" if fault.severity == "report" else fault.severity
    worst = [p for p in problems if p.severity == severity]
    assert fault.expression in {p.expression for p in worst}, problems
    if severity != "error":
        assert not any(p.severity == "error" for p in problems)


def test_no_text_repeats_a_value_of_the_resource():
    """What is told names rules and places, never what the resource holds."""
    for fault in cases.FAULTS:
        resource = copy.deepcopy(cases.PROFILES[fault.profile][1])
        fault.change(resource)
        for problem in told(resource, fault.profile):
            assert "much too long" not in problem.text
            assert "1899" not in problem.text


def test_the_faults_are_enough():
    """At least forty, of every kind of rule that a profile can state."""
    kinds = Counter(fault.kind for fault in cases.FAULTS)
    assert sum(kinds.values()) >= 40
    assert len(kinds) >= 14
