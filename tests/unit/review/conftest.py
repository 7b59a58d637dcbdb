"""A coded document about an invented person, and a shelf that keeps versions as the server does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import pytest

from claims.draft import draft_claim
from extractors.emit import Source, bundle, emit
from extractors.model import Assertion, Code, Coded, Document, Finding, Findings, Gap, Page, Word
from fhir_profiles import json
from fhir_profiles.systems import CPT, HCPCS, ICD10CM
from fhir_profiles.validate import check
from server.review.decide import decide
from server.review.fold import fold, wanted
from server.review.gather import review_of
from server.review.model import Decision, Review
from server.review.read import kind_of
from server.review.undo import formers
from terminology.model import Validation

Json = dict[str, Any]
DOCUMENT = "DocumentReference/doc-1"
CODER = {"reference": "Practitioner/coder", "display": "C. Coder", "role": "coder"}
SAID = (
    ("type 2 diabetes with hyperglycemia", ICD10CM, "E11.65", 0.97, "accepted"),
    ("hypertension", ICD10CM, "I10", 0.93, "accepted"),
    ("hyperlipidemia", ICD10CM, "E78.5", 0.81, "accepted"),
    ("sleep apnea", ICD10CM, "G47.30", 0.62, "suggested"),
    ("pneumonia", ICD10CM, "J18.9", 0.55, "rejected"),
    ("office visit", CPT, "99214", 0.95, "accepted"),
    ("ketorolac", HCPCS, "J1885", 0.95, "accepted"),
)
TEXT = "\n".join(words for words, *_ in SAID)


@cache  # built once for all tests: nobody changes what it gives
def machine(said: tuple[Any, ...] = SAID, text: str = TEXT, gaps: tuple[Gap, ...] = ()) -> Json:
    """The transaction Bundle that the pipeline makes of codes: one line of a page each."""
    words, items, codes = [], [], []
    for n, (spoken, system, code, confidence, status) in enumerate(said):
        start = text.index(spoken)
        quad = (0.1, 0.04 * n, 0.5, 0.04 * n, 0.5, 0.04 * n + 0.02, 0.1, 0.04 * n + 0.02)
        words.append(Word(spoken, start, start + len(spoken), quad, 96.0, n))
        assertion = Assertion(negated=status == "rejected", triggers=((start, start + 4, "NEGATED_EXISTENCE"),))
        kind = "problem" if system == ICD10CM else "code"
        items.append(Finding(kind, start, start + len(spoken), spoken, assertion, section="assessment"))
        codes.append(
            Code(system, code, f"Display of {code}", start, start + len(spoken), confidence, status, f"why {code}", n,
                 "2026", rule="some-rule" if n == 0 else None, units=2 if code == "J1885" else 1)
        )  # fmt: skip
    page = Page(1, 612, 792, 0, len(text), "ocr", tuple(words))
    coded = Coded(
        Findings(tuple(items)), tuple(codes), "outpatient", date(2026, 3, 12), {ICD10CM: "2026"}, gaps=gaps
    )  # fmt: skip
    source = Source("doc-1", "2026-03-13T08:41:00Z", "1", subject={"reference": "Patient/p"})
    return bundle(emit(source, Document(text, "image/tiff", "0", (page,)), coded, draft_claim=draft_claim))


def known(system: str, code: str, on: date | None) -> Validation:
    """A terminology in which codes that end in 99 do not exist and those of three characters are headers."""
    exists = not code.endswith("99")
    billable = len(code) > 3 or code == "I10"
    return Validation(exists, system, code, f"Title of {code}", "2026", billable, None if exists else "Not known.")


@dataclass
class Shelf:
    """Resources with versions, changed by transactions that name the version they change."""

    current: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, Json] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    clock: int = 0

    def take(self, transaction: Json) -> str:
        """Apply a transaction Bundle; the reference of its last resource."""
        self.clock += 1
        last, text = "", json.encode(transaction).decode()
        for entry in transaction["entry"]:  # a link within the Bundle becomes one to what is stored
            if "fullUrl" in entry and "id" in entry["resource"]:
                text = text.replace(f'"{entry["fullUrl"]}"', f'"{entry["request"]["url"]}"')
        transaction = json.decode(text.encode())
        for entry in transaction["entry"]:
            request, resource = entry["request"], entry.get("resource", {})
            last = request["url"]
            if request["method"] == "POST":
                last = f"{request['url']}/made-{self.clock:03}"
                resource["id"] = last.partition("/")[2]
            if "ifMatch" in request:
                assert request["ifMatch"] == f'W/"{self.current[last]["meta"]["versionId"]}"'
            if request.get("ifNoneMatch") == "*":
                assert last not in self.current
            self._put(last, None if request["method"] == "DELETE" else resource)
        return last

    def _put(self, reference: str, resource: Json | None) -> None:
        self.counted[reference] = number = self.counted.get(reference, 0) + 1
        if resource is None:
            del self.current[reference]
            return
        assert check(resource) == [], reference
        meta = {"versionId": str(number), "lastUpdated": f"2026-04-01T00:{self.clock:02}:00.000Z"}
        resource["meta"] = {**resource.get("meta", {}), **meta}
        self.current[reference] = self.versions[f"{reference}/_history/{number}"] = resource


@dataclass
class Desk:
    """A coder at work on the document."""

    shelf: Shelf

    @property
    def review(self) -> Review:
        """The document as it stands."""
        return review_of(self.shelf.current, DOCUMENT)

    def of(self, code: str) -> str:
        """The reference of the suggestion of a code."""
        return next(one.reference for one in self.review.suggestions if one.code == code)

    def bundle(self, kind: str, code: str = "", *, who: Json = CODER, stops: tuple[Any, ...] = (), **more: Any) -> Json:
        """The transaction of a decision about the suggestion of `code`."""
        about = {"about": self.of(code)} if code and "about" not in more and "system" not in more else {}
        chosen = {"code": code} if "system" in more else {}
        at = f"2026-04-01T00:{self.shelf.clock + 1:02}:00Z"
        decision = Decision(kind, at, **about, **chosen, **more)
        former = {name: self.shelf.versions[name] for name in formers(self.review, decision)}
        return decide(self.review, decision, who, check=known, former=former, stops=stops)

    def run(self, **given: Any) -> None:
        """Code the document again, with what was decided folded in; what a run no longer yields is deleted."""
        stored = self.shelf.current
        provenances = [one for one in stored.values() if kind_of(one)]
        before = [name for name in stored if name.partition("/")[0] in ("Condition", "Procedure", "Claim")]
        known = {name: stored[name] for name in wanted(DOCUMENT, provenances) if name in stored}
        bundle, kept = fold(machine(**given), DOCUMENT, known, provenances)
        self.shelf.take(bundle)
        now = {*kept, *(entry["request"]["url"] for entry in bundle["entry"])}
        for name in before:
            if name not in now:
                del self.shelf.current[name]

    def decide(self, kind: str, code: str = "", **more: Any) -> str:
        """Decide and store; the reference of the Provenance."""
        return self.shelf.take(self.bundle(kind, code, **more))

    def replace(self, code: str, by: str, system: str = ICD10CM) -> str:
        """Replace a code by another."""
        at = f"2026-04-01T00:{self.shelf.clock + 1:02}:00Z"
        decision = Decision("replace", at, about=self.of(code), system=system, code=by)
        return self.shelf.take(decide(self.review, decision, CODER, check=known))

    @property
    def claim(self) -> Json:
        """The draft Claim."""
        return self.shelf.current[self.review.claim]

    @property
    def claimed(self) -> list[str]:
        """The codes of its diagnoses in order."""
        return [one["diagnosisCodeableConcept"]["coding"][0]["code"] for one in self.claim.get("diagnosis", [])]

    @property
    def lines(self) -> list[tuple[str, list[int]]]:
        """The codes of its lines with their pointers."""
        items = self.claim.get("item", [])
        return [(one["productOrService"]["coding"][0]["code"], one.get("diagnosisSequence", [])) for one in items]

    def content(self) -> dict[str, Json]:
        """What is stored of suggestions and claim, apart from versions."""
        kept = {k: v for k, v in self.shelf.current.items() if not k.startswith("Provenance/")}
        without = ("versionId", "lastUpdated")
        return {
            k: {**v, "meta": {name: value for name, value in v["meta"].items() if name not in without}}
            for k, v in kept.items()
        }


@pytest.fixture
def desk_of() -> Callable[..., Desk]:
    """A desk with what the pipeline makes of some codes."""

    def made(**given: Any) -> Desk:
        shelf = Shelf()
        shelf.take(machine(**given))
        return Desk(shelf)

    return made


@pytest.fixture
def desk(desk_of: Callable[..., Desk]) -> Desk:
    """A desk with the document of this file."""
    return desk_of()
