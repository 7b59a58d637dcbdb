"""FHIR resources without identifiers: rules by element and datatype, texts by the road of text.

45 CFR 164.514(b)(2): https://www.ecfr.gov/current/title-45/section-164.514.
Dates are moved rather than cut to the year.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from extractors.deid.gate import may_leave
from extractors.deid.kept import Kept
from extractors.deid.known import known_from
from extractors.deid.model import Kind, Known, Mention
from extractors.deid.surrogates import Surrogates, new_map
from extractors.deid.text import Road
from extractors.deid.vocabulary import Vocabulary
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import DEIDENTIFIED, TAGS

Json = dict[str, Any]
DEEPEST = 60
OLDEST = 89  # years: from 90 on an age tells who somebody is
_TAG = re.compile(r"(<[^>]*>)")
_TARGET = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_SUBJECT = ("subject", "patient", "beneficiary", "individual", "for", "candidate", "securityContext")
_TEXT_TYPES = ("text/",)
_SYSTEMS = ("http://", "https://", "urn:oid:")
_LABEL = {"system": TAGS, "code": "PSEUDED", "display": "pseudonymized"}


@cache
def _rules() -> tuple[Mapping[str, str], Mapping[str, str], frozenset[str], frozenset[str]]:
    told = json.loads(files("extractors.deid").joinpath("data/elements.json").read_text("utf-8"))
    return told["types"], told["elements"], frozenset(told["extensions"]), frozenset(told["zip3_few_people"])


class Deidentifier:
    """Resources of one set: each patient has one number of days, ids and references are renamed alike.

    `around` are resources that tell who is known beside those of the set; `today` is the day by which ages count.
    """

    def __init__(
        self, vocabulary: Vocabulary, key: bytes, today: date, around: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        self._vocabulary, self._key, self._today = vocabulary, key, today
        self._around = list(around)
        self._known = Known()
        self._roads: dict[str, Road] = {}
        self._left: list[str] = []
        self._replacements: dict[str, dict[str, str | None]] = {}

    def kept(self) -> Kept:
        """What was replaced in the last resource, to be undone by whoever may; what became alike cannot be."""
        named = {patient: self._named(patient) for patient in self._roads}
        return Kept(
            {
                named[patient]: {made: text for made, text in values.items() if text is not None}
                for patient, values in self._replacements.items()
            },
            {named[patient]: list(road.map.pairs.values()) for patient, road in self._roads.items()},
        )

    def _named(self, patient: str) -> str:
        if patient.startswith(("#", "urn:")):
            return self._reference(patient) or ""
        return self.renamed(patient) if patient else ""

    def resource(self, resource: Mapping[str, Any]) -> Json:
        """The resource without identifiers; FhirError when the gate finds somebody in what was made."""
        self._known = known_from([*self._around, *_inside(resource, 0)])
        self._roads, self._left, self._replacements = {}, [], {"": {}}
        made = self._resource(resource, "", 0)
        may_leave("\n=\n".join(self._left), self._road("").identifiers)
        return made

    def _road(self, patient: str) -> Road:
        if patient not in self._roads:
            road = Road(self._known, self._vocabulary, self._key, new_map(self._key, patient))
            if self._roads:
                road.identifiers = next(iter(self._roads.values())).identifiers
            self._roads[patient] = road
        return self._roads[patient]

    def _resource(self, resource: Mapping[str, Any], patient: str, depth: int) -> Json:
        kind = resource.get("resourceType")
        if depth > DEEPEST or not isinstance(kind, str) or kind not in load().resource_types:
            raise FhirError.of(Category.INCORRECT, "structure", "Send a resource of FHIR R4, not nested too deep.")
        road = self._road(_patient_of(resource) or patient)
        made = {"resourceType": kind, **self._object(resource, kind, road, depth)}
        meta = made.setdefault("meta", {})
        meta["security"] = [*meta.get("security", []), _LABEL]
        if self._lost(made):
            del made["text"]
        return made

    def _lost(self, made: Json) -> bool:
        """Whether the narrative still tells of somebody across its tags, and has to go."""
        text = made.get("text")
        if not isinstance(text, dict):
            return False
        plain = html.unescape(_TAG.sub(" ", str(text.get("div", ""))))
        return "div" not in text or bool(self._road("").identifiers.find(plain))

    def _object(self, value: Mapping[str, Any], kind: str, road: Road, depth: int) -> Json:
        types = load().types[kind].by_key
        made: Json = {}
        for key, item in value.items():
            if key == "resourceType" or (key.startswith("_") and key[1:] in types):
                continue  # ids and extensions of primitive values go
            if key not in types:
                continue
            element, of = types[key]
            kept = self._element(item, f"{kind}.{element.name}", f"{kind}.{key}", of, road, depth, value)
            if kept is not None and kept != [] and kept != {}:
                made[key] = kept
        return made

    def _element(
        self, item: Any, place: str, chosen: str, of: str, road: Road, depth: int, owner: Mapping[str, Any]
    ) -> Any:
        if isinstance(item, list):
            kept = [self._element(one, place, chosen, of, road, depth, owner) for one in item]
            return [one for one in kept if one is not None and one != {}]
        types, elements, extensions, _ = _rules()
        action = elements.get(chosen) or elements.get(place)
        if place.endswith(".id") and load().types[place[:-3]].kind != "resource":
            return None  # of an element: nothing in the answer refers to it
        if action is None and isinstance(item, dict):
            if depth > DEEPEST:
                raise FhirError.of(Category.INCORRECT, "structure", "The resource is nested too deep.")
            if of == "Resource":
                return self._resource(item, road.map.patient, depth + 1)
            if of == "Extension" and item.get("url") not in extensions:
                return None
            return self._object(item, of, road, depth + 1) if of in load().types else None
        made = self._value(item, action or types.get(of, "drop"), road, owner)
        if isinstance(made, str) and isinstance(item, str) and made != item and action not in ("text", "narrative"):
            values = self._replacements.setdefault(road.map.patient, {})
            values[made] = item if values.get(made, item) == item else None
        return made

    def _value(self, item: Any, action: str, road: Road, owner: Mapping[str, Any]) -> Any:
        if action == "drop":
            return None
        if action == "keep":
            return item
        if action == "age":
            return min(item, OLDEST + 1) if isinstance(item, (int, float, Decimal)) else None
        if not isinstance(item, str):
            return None
        match action:
            case "display":
                return self._display(item, owner, road)
            case "text":
                return self._said(road.clean(item).text)
            case "narrative":
                return self._narrative(item, road)
            case "shift":
                return self._replaced(item, "date", road)
            case "birth":
                return self._birth(item, road)
            case "rename":
                return self.renamed(item)
            case "reference":
                return self._reference(item)
            case "zip3":
                return item[:3] if item[:3].isdigit() and item[:3] not in _rules()[3] else None
            case "contact":
                kind: Kind = "email" if "@" in item else "url" if "://" in item else "phone"
                return self._said(self._replaced(item, kind, road))
            case "full":
                named = self._reference(item)
                return named if named is None or named.startswith("urn:") else f"{DEIDENTIFIED}/{named}"
            case "attachment":
                return self._attachment(item, owner, road)
            case _:
                return self._said(self._replaced(item, action, road))  # type: ignore[arg-type]

    def _said(self, text: str) -> str:
        """A text that will leave, remembered for the gate."""
        self._left.append(text)
        return text

    def _display(self, text: str, owner: Mapping[str, Any], road: Road) -> str | None:
        """What a code is called: as it is where it is of a system and names nobody known, else cleaned as any text."""
        if road.identifiers.find(text):
            return None
        system = owner.get("system")
        return text if isinstance(system, str) and system.startswith(_SYSTEMS) else self._said(road.clean(text).text)

    def _replaced(self, text: str, kind: Kind, road: Road) -> str:
        if not text or (kind == "date" and len(text) == 4):
            return text
        if kind == "date" and len(text) == 7:
            text = f"{text}-15"
            return Surrogates(self._key, self._known, road.map, self._vocabulary, text).of(Mention(0, 10, kind), text)[
                :7
            ]
        return Surrogates(self._key, self._known, road.map, self._vocabulary, text).of(
            Mention(0, len(text), kind), text
        )

    def _birth(self, text: str, road: Road) -> str:
        """The moved day; of who is older than 89 only the year in which one is 90 today."""
        moved = self._replaced(text, "date", road)
        oldest = self._today.year - OLDEST - 1
        return str(oldest) if int(text[:4]) <= oldest else moved

    def _narrative(self, div: str, road: Road) -> str:
        parts = _TAG.split(div)
        for i in range(0, len(parts), 2):
            if parts[i].strip():
                parts[i] = html.escape(self._said(road.clean(html.unescape(parts[i])).text), quote=False)
        plain = re.compile(r"\s(?:title|alt|href|src|id|name|cite|longdesc)\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.I)
        return "".join(plain.sub("", part) if i % 2 else part for i, part in enumerate(parts))

    def _attachment(self, data: str, owner: Mapping[str, Any], road: Road) -> str | None:
        if not str(owner.get("contentType", "")).startswith(_TEXT_TYPES):
            return None
        if owner.get("resourceType") == "Binary" and not self._known.names:
            return None  # nobody can say whom it names
        try:
            text = base64.b64decode(data, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return None
        return base64.b64encode(self._said(road.clean(text).text).encode()).decode()

    def renamed(self, name: str) -> str:
        """What an id is called; the same key calls it the same."""
        return hmac.new(self._key, f"id\0{name}".encode(), hashlib.sha256).hexdigest()[:32]

    def _reference(self, text: str) -> str | None:
        if text.startswith("#"):
            return f"#{self.renamed(text[1:])}" if len(text) > 1 else text
        if match := _TARGET.match(text.partition("?")[0]):
            return f"{match[1]}/{self.renamed(match[2])}"
        if text.startswith("urn:uuid:"):
            name = self.renamed(text)
            return f"urn:uuid:{name[:8]}-{name[8:12]}-4{name[13:16]}-a{name[17:20]}-{name[20:32]}"
        return text if text in load().resource_types else None


def _patient_of(resource: Mapping[str, Any]) -> str | None:
    """The id of the patient that a resource is about."""
    if resource.get("resourceType") == "Patient":
        found = resource.get("id")
        return found if isinstance(found, str) else None
    for name in _SUBJECT:
        value = resource.get(name)
        if isinstance(value, dict) and isinstance(value.get("reference"), str):
            match = _TARGET.match(value["reference"])
            return match[2] if match else value["reference"]
    return None


def _inside(resource: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The resource and those within: entries, parameters, contained."""
    if depth > DEEPEST or not isinstance(resource, dict):
        return
    yield resource
    for name in ("entry", "parameter", "contained", "part"):
        for item in resource.get(name) or ():
            if isinstance(item, dict):
                yield from _inside(item.get("resource", item if name in ("contained", "part") else None), depth + 1)
