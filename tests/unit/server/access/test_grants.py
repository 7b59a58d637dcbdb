"""Scopes of clinical data (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html)."""

from __future__ import annotations

import itertools

import pytest

from server.access.grants import RIGHTS, Grant, read_scope, read_scopes


@pytest.mark.parametrize(
    ("scope", "rights"),
    [("read", "rs"), ("write", "cud"), ("*", "cruds"), ("rs", "rs"), ("c", "c"), ("cruds", "cruds")],
)
def test_both_versions_give_the_same_letters(scope: str, rights: str) -> None:
    """What version 1 says in words is what version 2 says in letters."""
    assert read_scope(f"patient/Observation.{scope}") == Grant("patient", "Observation", rights)


def test_only_letters_in_order_are_granted() -> None:
    """Of all texts of up to three letters those are scopes whose letters stand in order, each once."""
    for count in (1, 2, 3):
        for letters in itertools.product(f"{RIGHTS}x", repeat=count):
            text = "".join(letters)
            good = text == "".join(letter for letter in RIGHTS if letter in text) and len(set(text)) == count
            assert (read_scope(f"user/Patient.{text}") is not None) == good, text


@pytest.mark.parametrize(
    "scope",
    [
        "Patient.read", "patient/Nothing.rs", "patient/observation.rs", "patient/Observation.", "patient/Observation",
        "group/Observation.rs", "patient/Observation.rs ", "patient/Observation.rs?", "patient/*.rs?code=x",
        "patient/Observation.rs?subject.name=x", "patient/Observation.rs?_has:Group:member:_id=1",
        "patient/Observation.rs?_include=*", "patient/Observation.rs?_list=1", "patient/Observation.rs?code=",
        "patient/Observation.rs#x", "system/*.rs\n", "openid",
    ],
)  # fmt: skip
def test_what_is_no_scope_gives_nothing(scope: str) -> None:
    """Texts that are not well formed, types that R4 does not have, and filters that look beyond the resource."""
    assert read_scope(scope) is None


def test_a_filter_is_kept() -> None:
    """The parameters behind the letters are those of a search, and come back as they were."""
    text = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    grant = read_scope(text)
    assert grant is not None
    assert grant.filter == (("category", "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"),)
    assert str(grant) == text


def test_other_scopes_are_left_out() -> None:
    """Of all scopes of a token those of clinical data are grants, each once."""
    found = read_scopes(["openid", "user/Patient.rs", "launch/patient", "user/Patient.read", "user/Patient.rs"])
    assert found == (Grant("user", "Patient", "rs"),)
