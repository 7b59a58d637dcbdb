"""What the parts of one document share while it is mapped: whom it is about, its words by id, what was made so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from extractors.emit.ids import coded_id
from extractors.emit.people import reference_to
from extractors.pages.limits import Refused
from fhir_profiles.systems import NPI

from . import times
from .people import organization, practitioner
from .tree import Element, attribute, every, find, templates, words
from .values import Json, concept, identifiers, referred

_MOST_TEXT = 2_000  # characters of a text that is named from many places


@dataclass
class Sheet:
    """One document as it is mapped. `home` names its DocumentReference: all ids come from it and from places in it."""

    home: str
    most: int
    patient: dict[str, Any] = field(default_factory=dict)
    encounter: dict[str, Any] | None = None
    author: dict[str, Any] | None = None
    recorded: str | None = None
    texts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    resources: list[Json] = field(default_factory=list)
    section: str = ""
    _places: Counter[tuple[str, str]] = field(default_factory=Counter)
    _people: dict[str, Json] = field(default_factory=dict)

    def add(self, kind: str, node: Element | None, content: Json, place: str = "") -> dict[str, str]:
        """Keep a resource under the id of its place (of what it is there, and how many of the kind); its Reference."""
        if len(self.resources) >= self.most:
            raise Refused("too-costly", f"The document has more than {self.most} entries. Send it in parts.")
        where = place or place_of(node, self.section)
        self._places[kind, where] += 1
        nth = self._places[kind, where]
        made = {"resourceType": kind, "id": coded_id(self.home, kind, "ccda", where, str(nth))}
        made |= {key: value for key, value in content.items() if value not in (None, [], {}, "")}
        self.resources.append(made)
        return reference_to(made)

    def entry(self, kind: str, node: Element, content: Json, subject: str = "subject") -> dict[str, str]:
        """Keep the resource of a clinical statement, about the patient and with its identifiers."""
        return self.add(kind, node, {"identifier": identifiers(node), subject: dict(self.patient), **content})

    def person(self, entity: Element | None) -> dict[str, Any] | None:
        """A Reference to whoever an assignedAuthor or assignedEntity is, kept once; None when it names nobody."""
        if entity is None:
            return None
        made = practitioner(entity)
        if not made:
            return self.body(find(entity, "v:representedOrganization"))
        return self._kept("Practitioner", made)

    def body(self, node: Element | None) -> dict[str, Any] | None:
        """A Reference to an organization, kept once."""
        made = organization(node)
        return self._kept("Organization", made) if made else None

    def _kept(self, kind: str, made: Json) -> dict[str, Any]:
        number = (made.get("identifier") or [{}])[0]
        key = f"{kind}|{number.get('system')}|{number.get('value')}" if number else f"{kind}|{made.get('name')}"
        if key not in self._people:
            if number and number.get("system") == NPI:
                made = {**made, "identifier": [number, *made["identifier"][1:]]}
            self._people[key] = self.add(kind, None, made, place=key)
        return dict(self._people[key])

    def is_person(self, reference: dict[str, Any]) -> bool:
        """Whether a Reference that was given leads to a Practitioner and not to an organization."""
        return any(kept == reference and key.startswith("Practitioner|") for key, kept in self._people.items())

    def concept(self, node: Element | None) -> Json:
        """A CD as CodeableConcept."""
        return concept(node, self.texts)

    def said(self, node: Element) -> str:
        """The words of a statement's own `text`."""
        return referred(find(node, "v:text"), self.texts)

    def recorded_of(self, node: Element) -> tuple[str | None, dict[str, Any] | None]:
        """When and by whom a statement was written down."""
        when = times.of(find(node, "v:author/v:time"), self.notes)
        return when, self.person(find(node, "v:author/v:assignedAuthor"))

    def left(self, what: str) -> None:
        """Tell what was not mapped."""
        self.notes.append(f"Not mapped: {what}" + (f" in the section {self.section}." if self.section else "."))

    def learn_texts(self, root: Element) -> None:
        """Find the words that references may name."""
        for section in root.iter("{*}section"):
            text = find(section, "v:text")
            if text is None:
                continue
            for node in text.iter():
                if isinstance(node.tag, str) and (name := node.get("ID")) and name not in self.texts:
                    self.texts[name] = words(node)[:_MOST_TEXT]


def place_of(node: Element | None, section: str) -> str:
    """Where a statement stands, told by its own id, so that it keeps its place in later versions of the document."""
    if node is None:
        return section
    kinds = ",".join(sorted(set(templates(node))))
    for one in every(node, "v:id"):
        if one.get("root") and not one.get("nullFlavor"):
            return f"{one.get('root')}^{one.get('extension') or ''}|{kinds}"
    return f"{section}|{kinds}"


def status_of(node: Element, table: dict[str, str], default: str) -> str:
    """A statusCode by a table."""
    return table.get(attribute(node, "v:statusCode", "code").lower(), default)


def is_negated(node: Element) -> bool:
    """Whether a statement says that something is not so."""
    return (node.get("negationInd") or "").strip().lower() in ("true", "1")


def related(node: Element, template: str, element: str = "observation") -> Element | None:
    """The first statement of a template below an entryRelationship."""
    for found in every(node, f"v:entryRelationship/v:{element}"):
        if template in templates(found):
            return found
    return None
