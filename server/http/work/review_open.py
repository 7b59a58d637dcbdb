"""A document opened for review: what its page shows, gathered over FHIR by whoever looks at it.

https://hl7.org/fhir/R4/documentreference.html
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from server.jobs.tasks import task_id
from server.review.bands import BANDS
from server.review.gather import claim_of, references, review_of
from server.review.model import Doubtful, Gap, Json, Review, Suggestion
from server.review.past import last_decision
from server.review.read import version_of
from server.review.unaided import is_unaided
from server.review.work import work_id

from .desk import Desk

TOGETHER = 150
"""Suggestions that are shown at once; where there are more, those of the page that is looked at."""

PROVENANCES = 5_000
LETTERS = "ABCDEFGHIJKL"


class Thumb(NamedTuple):
    """A page in small: suggestions on it, and how many of them are undecided."""

    page: int
    findings: int
    undecided: int


class Doubt(NamedTuple):
    """A value that was hard to read, with the address of its picture."""

    label: str
    value: str
    reason: str
    crop: str


class Opened:
    """A document with its review, as the templates of the review page ask for it."""

    def __init__(
        self, document: Json, task: Json, overview: Json, review: Review, patient: Json | None, work: Json | None
    ) -> None:
        self.document = document
        self.task = task
        self.work = work
        self.overview = overview
        self.review = review
        self._patient = patient or {}

    @property
    def id(self) -> str:
        """The id of the DocumentReference."""
        return str(self.document["id"])

    @property
    def of(self) -> int:
        """How many pages; 0 for a document of text."""
        return int(self.overview.get("of", 0))

    @property
    def title(self) -> str:
        """What the document is called."""
        attachment = ((self.document.get("content") or [{}])[0].get("attachment")) or {}
        return str(self.document.get("description") or attachment.get("title") or "Document")

    @property
    def unaided(self) -> bool:
        """Whether it is coded without seeing what the machine suggests."""
        return is_unaided(self.task)

    @property
    def patient(self) -> str:
        """Who the document is about, as a person would say it."""
        name = (self._patient.get("name") or [{}])[0]
        told = name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip()
        born = self._patient.get("birthDate")
        return (told or "Patient not named") + (f", born {born}" if born else "")

    @property
    def patient_reference(self) -> str | None:
        """`Patient/ID`, None where nobody is named."""
        return f"Patient/{self._patient['id']}" if self._patient else None

    @property
    def date(self) -> str:
        """The day of service, as the claim tells it."""
        claim = self.claim
        period = claim.get("billablePeriod") or {}
        items = claim.get("item") or [{}]
        return str(period.get("start") or items[0].get("servicedDate") or "")[:10]

    @cached_property
    def claim(self) -> Json:
        """The draft Claim; empty where there is none."""
        return dict(self.review.resources.get(claim_of(self.review.document)) or {})

    @property
    def claim_version(self) -> str:
        """The version of the Claim, "" where there is none."""
        return version_of(self.claim) if self.claim else ""

    @property
    def inpatient(self) -> bool:
        """Whether the claim is a hospital's."""
        return any(one.get("code") == "institutional" for one in (self.claim.get("type") or {}).get("coding") or ())

    @cached_property
    def total(self) -> int:
        """How many suggestions."""
        return len(self.review.suggestions)

    @cached_property
    def decided(self) -> int:
        """How many of them are decided."""
        return sum(one.state != "suggested" for one in self.review.suggestions)

    @cached_property
    def undoable(self) -> str | None:
        """The decision that undo takes back."""
        return last_decision(list(self.review.resources.values()))

    @property
    def first(self) -> int:
        """The page to begin with: that of the first suggestion that is undecided."""
        open = next((one for one in self.review.suggestions if one.state == "suggested"), None)
        return next((place.page for place in open.places if place.page), 1) if open else 1

    @cached_property
    def by_page(self) -> bool:
        """Whether there are too many suggestions to show all at once."""
        return self.of > 1 and self.total > TOGETHER

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What the text does not say."""
        return self.review.gaps

    @cached_property
    def doubts(self) -> list[Doubt]:
        """Values that were hard to read, each with the picture of its words."""
        return [Doubt(one.label, one.value, one.reason, self._crop(one)) for one in self.review.doubtful[:50]]

    @cached_property
    def thumbs(self) -> list[Thumb]:
        """The pages with their counts."""
        every: Counter[int] = Counter()
        undecided: Counter[int] = Counter()
        for one in self.review.suggestions:
            for page in {place.page for place in one.places if place.page}:
                every[page] += 1
                undecided[page] += one.state == "suggested"
        return [Thumb(page, every[page], undecided[page]) for page in range(1, self.of + 1)]

    def groups(self, page: int) -> list[tuple[str, list[Suggestion]]]:
        """Diagnoses and services to show beside a page."""

        def shown(many: tuple[Suggestion, ...]) -> list[Suggestion]:
            return [one for one in many if not self.by_page or not one.places or self._is_on(one, page)]

        return [("Diagnoses", shown(self.review.diagnoses)), ("Services", shown(self.review.services))]

    def fresh(self, former: Opened, page: int) -> list[Suggestion] | None:
        """What differs beside a page from how it was before; None where suggestions came, went or moved."""
        now, then = ([one for _, group in opened.groups(page) for one in group] for opened in (self, former))
        if [one.reference for one in now] != [one.reference for one in then]:
            return None
        return [one for one, other in zip(now, then, strict=True) if one is not other and one != other]

    def counted(self, former: Opened | None) -> list[Thumb]:
        """The pages whose counts differ from before; all without a former."""
        before = former.thumbs if former else [None] * self.of
        return [one for one, other in zip(self.thumbs, before, strict=True) if one != other]

    def means(self, band: str) -> str:
        """What a band of confidence is worth."""
        return next(one.means for one in BANDS if one.name == band)

    def named(self, one: Suggestion) -> str:
        """What a code means, or the words where the code system may not be told."""
        return one.display or one.words

    def letters(self, one: Suggestion) -> str:
        """The diagnoses that a line points to, by their letters on the claim."""
        found = (self.review.find(reference) for reference in one.pointers)
        return "".join(LETTERS[d.position - 1] for d in found if d and d.position and d.position <= len(LETTERS))

    def lettered(self, letters: str) -> tuple[str, ...]:
        """The diagnoses of letters of the claim, by reference; letters that name none are left out."""
        by_letter = {LETTERS[d.position - 1]: d.reference for d in self.review.diagnoses if d.position}
        wanted = dict.fromkeys(letter for letter in letters.upper() if letter in by_letter)
        return tuple(by_letter[letter] for letter in wanted)

    def after(self, changed: Mapping[str, Json | None]) -> Opened:
        """The same document after resources changed: None for those that are gone."""
        resources = {**self.review.resources, **changed}
        kept = {reference: one for reference, one in resources.items() if one is not None}
        review = review_of(kept, self.review.document, former=self.review)
        work = changed.get(f"Task/{work_id(self.id)}", self.work)
        return Opened(self.document, self.task, self.overview, review, self._patient, work)

    def _is_on(self, one: Suggestion, page: int) -> bool:
        return any(place.page == page for place in one.places)

    def _crop(self, one: Doubtful) -> str:
        place = next((place for place in one.places if place.page), None)
        if place is None:
            return ""
        left, top = max(0.0, place.left - 0.01), max(0.0, place.top - 0.004)
        width, height = min(1.0 - left, place.width + 0.02), min(1.0 - top, place.height + 0.008)
        return f"/work/review/{self.id}/image/{place.page}?crop={left:.5f},{top:.5f},{width:.5f},{height:.5f}"


async def open_review(desk: Desk, id: str) -> Opened:
    """A document with everything that was found in it and decided about it; RefusedError where it is not to be seen."""
    reference, coding, reviewing = f"DocumentReference/{id}", f"Task/{task_id(id)}", f"Task/{work_id(id)}"
    found, answer, provenances = await asyncio.gather(
        desk.all([reference, coding, reviewing]),
        desk.send("GET", f"{reference}/$page-words"),
        desk.search("Provenance", [("entity", reference), ("_count", "1000")], PROVENANCES),
    )
    document = found.get(reference) or await desk.read(reference)  # which tells why it is not to be seen
    task = found.get(coding) or await desk.read(coding)
    overview: Json = answer.json() if answer.ok else {"of": 0}
    wanted = [one for one in references(task, provenances) if one.partition("/")[0] != "Provenance"]
    resources = await desk.all(wanted)
    resources |= {f"Provenance/{one['id']}": one for one in provenances}
    patient = next((one for one in resources.values() if one["resourceType"] == "Patient"), None)
    if patient is None and (told := (task.get("for") or {}).get("reference", "")).startswith("Patient/"):
        patient = (await desk.all([told])).get(told)
    return Opened(document, task, overview, review_of(resources, reference), patient, found.get(reviewing))
