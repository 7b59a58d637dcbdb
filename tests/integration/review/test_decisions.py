"""Decisions in a real store, on both engines: transactions, conflicts, undo, and coding runs that come after them."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles import json as exact
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import ICD10CM
from server.access.caller import ANYBODY
from server.http.errors import status_of
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.review.decide import decide
from server.review.gather import pipeline_of, references, review_of
from server.review.model import Decision, Review
from server.review.past import last_decision
from server.review.undo import formers
from server.settings import Settings
from tests.integration.jobs.test_pipeline import House, Stages
from tests.unit.review.conftest import CODER, DOCUMENT, SAID, TEXT, known, machine


class Coded(Stages):
    """Children that find what each line of the text says."""

    def run(self, stage: str, *arguments: Any, progress: Any) -> str | None:
        key = super().run(stage, *arguments, progress=progress)
        if stage == "code":
            text = (self.cache.get(arguments[0]) or b"").decode()
            said = tuple(one for one in SAID if one[0] in text)
            self.cache.put("bundle", exact.encode(machine(said, text)))
        return key


class Office:
    """A coder before the document, with the server behind."""

    def __init__(self, house: House) -> None:
        house.stages = house.coding.children = Coded(house.stages.cache)  # type: ignore[assignment]
        self.house = house
        self.clock = 0
        house.call("PUT", "Patient/p", {"resourceType": "Patient", "id": "p"})

    def code(self, text: str = TEXT) -> None:
        """Send the document in this version and code it."""
        self.house.send(text, "doc-1", subject={"reference": "Patient/p"})
        assert self.house.work("doc-1") == "completed"

    def review(self) -> Review:
        """Gathered as docs/review.md says."""
        found = self.house.call("GET", f"Provenance?entity={DOCUMENT}&_count=1000")
        provenances = [entry["resource"] for entry in found.get("entry", [])]
        named = references(self.house.task("doc-1"), provenances)
        resources = {}
        for name in named:
            try:
                resources[name] = self.house.call("GET", name)
            except FhirError:
                continue  # an addition that was undone
        return review_of(resources, DOCUMENT)

    def bundle(self, kind: str, suggested: str = "", /, **more: Any) -> dict[str, Any]:
        """The transaction of a decision about a code."""
        review = self.review()
        if suggested:
            more["about"] = next(one.reference for one in review.suggestions if one.code == suggested)
        self.clock += 1
        decision = Decision(kind, f"2026-04-01T00:00:{self.clock:02}.000Z", **more)  # type: ignore[arg-type]
        former = {name: self.house.call("GET", name) for name in formers(review, decision)}
        return decide(review, decision, CODER, check=known, former=former)

    def decide(self, kind: str, suggested: str = "", /, **more: Any) -> None:
        """Decide and store."""
        self.take(self.bundle(kind, suggested, **more))

    def take(self, transaction: dict[str, Any]) -> None:
        """Send a transaction as a client does."""
        body = exact.encode(transaction)
        self.house.fhir.handle_sync(Request(caller=ANYBODY, method="POST", path=(), body=body))

    def states(self) -> dict[str, str]:
        """Code → state."""
        return {one.code: one.state for one in self.review().suggestions}

    def claimed(self) -> list[str]:
        """The codes of the Claim's diagnoses."""
        return [one.code for one in sorted(self.review().diagnoses, key=lambda o: o.position or 99) if one.position]


@pytest.fixture
def office(fhir: Fhir, settings: Settings) -> Office:
    """A coded document."""
    made = Office(House(fhir, settings))
    made.code()
    return made


def everything(office: Office) -> None:
    """A decision of each kind about suggestions."""
    office.decide("accept", "G47.30")
    office.decide("reject", "E78.5", reason="other", note="as the chart says")
    office.decide("replace", "I10", system=ICD10CM, code="I11.9")
    office.decide("add", system=ICD10CM, code="R06.2")


def reference_of(office: Office, code: str) -> str:
    """The reference of a code's suggestion."""
    return next(one.reference for one in office.review().suggestions if one.code == code)


DECIDED = {"E11.65": "suggested", "I11.9": "replaced", "E78.5": "rejected", "G47.30": "accepted", "R06.2": "added"}


def test_decisions_are_stored_and_undone_exactly(office: Office) -> None:
    """Each is one transaction; taken back one by one, the review is the machine's again."""
    before = office.review()
    everything(office)
    told = office.states()
    assert {code: told[code] for code in DECIDED} == DECIDED
    assert office.claimed() == ["E11.65", "I11.9", "G47.30", "R06.2"]
    for _ in range(4):
        office.decide("undo", about=last_decision(office.review().resources.values()))
    after = office.review()
    told = [(one.code, one.state, one.position, one.places) for one in after.suggestions]
    assert told == [(one.code, one.state, one.position, one.places) for one in before.suggestions]
    assert len(after.decisions) == 8


def test_the_run_and_the_decisions_are_found_by_the_document(office: Office) -> None:
    """One search gives the pipeline's Provenance, which names a version of the document, and those of coders."""
    office.decide("accept", "I10")
    found = office.house.call("GET", f"Provenance?entity={DOCUMENT}")
    names = {f"Provenance/{entry['resource']['id']}" for entry in found["entry"]}
    assert names == {pipeline_of(DOCUMENT), office.review().decisions[0].provenance}


def test_two_coders_at_once_get_a_conflict(office: Office) -> None:
    """The second decision on the same version is refused with 412 and changes nothing."""
    first, second = office.bundle("reject", "I10", reason="duplicate"), office.bundle("accept", "I10")
    office.take(first)
    with pytest.raises(FhirError) as refused:
        office.take(second)
    assert status_of(refused.value) == 412
    assert office.states()["I10"] == "rejected"


@pytest.mark.parametrize("how", ["retry", "new-version", "fewer-words"])
def test_a_coding_run_after_decisions_keeps_them(office: Office, how: str) -> None:
    """After a retry, a new version of the same words and one that says less: what was decided stays decided."""
    everything(office)
    if how == "retry":
        office.house.operation("retry", "doc-1")
        assert office.house.work("doc-1") == "completed"
    else:
        office.code(f"A new line.\n{TEXT}" if how == "new-version" else "ketorolac\ntype 2 diabetes with hyperglycemia")
    told = office.states()
    assert {code: told[code] for code in DECIDED} == DECIDED
    assert office.claimed() == ["E11.65", "I11.9", "G47.30", "R06.2"]
    outputs = references(office.house.task("doc-1"))
    assert reference_of(office, "G47.30") in outputs and reference_of(office, "R06.2") in outputs
    office.decide("accept", "E11.65")


def test_a_run_after_a_finished_review_leaves_its_claim(office: Office) -> None:
    """The Claim that was finished keeps its version."""
    office.decide("finish")
    before = office.house.call("GET", office.review().claim or "")
    office.code("ketorolac")
    assert office.house.call("GET", office.review().claim or "") == before


def test_a_run_without_decisions_follows_the_machine(office: Office) -> None:
    """What the new version does not say is gone."""
    office.code("hypertension")
    assert office.states() == {"I10": "suggested"}
    assert office.claimed() == ["I10"]
