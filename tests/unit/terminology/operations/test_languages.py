"""Languages with weights (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from terminology.operations.languages import Languages

sys.path.insert(0, str(Path(__file__).parent))
from asking import SET, A, ask, system, value_set

CODES = system(
    {"code": "one", "display": "One", "designation": [
        {"language": "de-CH", "value": "Eis CH"}, {"language": "de", "value": "Eins"},
        {"language": "fr", "value": "Un"}]},
    {"code": "two", "display": "Two"}, language="en",
)  # fmt: skip


def _shown(**asked: str) -> list[str | None]:
    header = asked.pop("header", "")
    more = {"extension": [{
        "url": "http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter",
        "extension": [{"url": "name", "valueCode": "displayLanguage"}, {"url": "value", "valueCode": asked.pop("own")}],
    }]} if "own" in asked else {}  # fmt: skip
    resource = value_set({"system": A}, **more)
    found = ask("ValueSet/$expand", CODES, resource, url=SET, language=header, **asked)
    return [one.get("display") for one in found["expansion"]["contains"]]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("de", ["Eins", "Two"]),
        ("de-CH", ["Eis CH", "Two"]),
        ("en;q=0.2, fr;q=0.9", ["Un", "Two"]),
        ("fr;q=0, de;q=0.1", ["Eins", "Two"]),
        ("fr, *;q=0", ["Un", None]),
        ("es, *", ["One", "Two"]),
    ],
)
def test_the_best_weighed_language_is_shown(asked: str, shown: list[str | None]) -> None:
    """What is not there in it is shown as it is, unless `*;q=0` leaves out all else."""
    assert _shown(displayLanguage=asked) == shown


def test_the_call_counts_before_the_value_set_and_that_before_the_header() -> None:
    """Where several say a language, the nearest is meant."""
    assert _shown(header="fr") == ["Un", "Two"]
    assert _shown(header="fr", own="de") == ["Eins", "Two"]
    assert _shown(header="fr", own="de", displayLanguage="en") == ["One", "Two"]


def test_what_is_no_language_is_refused_in_the_call_and_passed_over_in_the_header() -> None:
    """A client cannot help what its browser sends."""
    with pytest.raises(FhirError, match="Invalid displayLanguage"):
        _shown(displayLanguage="-")
    assert _shown(header="??, fr") == ["Un", "Two"]
    assert Languages("x" * 9).wanted == []
