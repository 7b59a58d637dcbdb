"""Which patients and encounters somebody may choose for an app: what an ordinary search of that person finds.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import orjson

from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.access.grants import read_scopes
from server.access.roles import Role, grants_of
from server.audit import interaction
from server.audit.event import Event
from server.audit.trace import Trace
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

from .model import Person

MOST = 20
"""Rows that are shown; whoever is not among them is searched for more narrowly."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


class Row(msgspec.Struct, frozen=True):
    """What tells one patient, or one encounter, from another."""

    id: str
    title: str
    details: tuple[str, ...] = ()


class Choosing:
    """The records that people may choose among; `keep` takes the event of each look at them, for the audit."""

    def __init__(self, fhir: Fhir, roles: Mapping[str, Role], keep: Callable[[Event], None]) -> None:
        self._fhir = fhir
        self._roles = roles
        self._keep = keep

    def patients(self, person: Person, name: str = "", born: str = "", identifier: str = "") -> list[Row]:
        """Patients by a part of the name, the day of birth and an identifier; all when nothing is asked."""
        query = [("_count", str(MOST)), ("_sort", "family")]
        query += [("name", _literal(word)) for word in name[:200].split()[:5]]
        query += [("birthdate", born)] if _DATE.fullmatch(born) else []
        query += [("identifier", _literal(identifier[:200]))] if identifier.strip() else []
        if (own := own_patients(person)) is None:
            return [_patient(one) for one in self._search("Patient", query, self._caller(person, None))]
        found = [self._search("Patient", [*query, ("_id", id)], self._caller(person, id)) for id in own[:MOST]]
        return [_patient(one) for some in found for one in some]

    def patient(self, person: Person, id: str) -> Row | None:
        """A patient whom the person may choose."""
        own = own_patients(person)
        if not _ID.fullmatch(id) or (own is not None and id not in own):
            return None
        found = self._search("Patient", [("_id", id)], self._caller(person, id if own is not None else None))
        return _patient(found[0]) if found else None

    def encounters(self, person: Person, patient: str) -> list[Row]:
        """The latest encounters of a patient."""
        own = patient if own_patients(person) is not None else None
        query = [("patient", patient), ("_sort", "-date"), ("_count", str(MOST))]
        return [_encounter(one) for one in self._search("Encounter", query, self._caller(person, own))]

    def encounter(self, person: Person, patient: str, id: str) -> Row | None:
        """An encounter of the patient."""
        own = patient if own_patients(person) is not None else None
        query = [("patient", patient), ("_id", id)]
        found = self._search("Encounter", query, self._caller(person, own)) if _ID.fullmatch(id) else []
        return _encounter(found[0]) if found else None

    def _caller(self, person: Person, patient: str | None) -> Caller:
        """The person as who calls; `patient` limits that to one record, whatever roles say."""
        return Caller(
            who=person.id,
            grants=read_scopes(("user/*.rs",) if patient is None else ("patient/*.rs",)),
            patient=patient,
            role=grants_of(self._roles, person.roles),
            user=person.fhir_user,
        )

    def _search(self, kind: str, query: list[tuple[str, str]], caller: Caller) -> list[dict[str, Any]]:
        trace = Trace(asked=f"/fhir/{kind}?{urlencode(query)}")
        request = Request(
            method="GET", path=(kind,), query=tuple(query), base_url="/fhir",
            caller=msgspec.structs.replace(caller, trace=trace),
        )  # fmt: skip
        try:
            answer = self._fhir.handle_sync(request)
        except FhirError:  # 403: the person's roles have none of the type
            self._keep(interaction.read(request, 403, b""))
            return []
        self._keep(interaction.read(request, answer.status, answer.body))
        entries = orjson.loads(answer.body).get("entry", [])
        return [one["resource"] for one in entries if one.get("search", {}).get("mode") == "match"]


def own_patients(person: Person) -> tuple[str, ...] | None:
    """The ids of the only patients that somebody may choose; None where roles say who."""
    self_id = (person.fhir_user or "").partition("Patient/")[2]
    found = (*((self_id,) if self_id else ()), *person.patients)
    return tuple(dict.fromkeys(found)) or (() if set(person.roles) == {"patient"} else None)


def _literal(text: str) -> str:
    r"""Text as a value of a search: `,`, `$`, `|` and `\` stand for themselves."""
    return re.sub(r"([\\,$|])", r"\\\1", text.strip())


def _patient(told: dict[str, Any]) -> Row:
    names = sorted(told.get("name", []), key=lambda one: one.get("use") != "official")
    name = names[0] if names else {}
    text = name.get("text") or " ".join([*name.get("given", []), name.get("family", "")]).strip()
    details = [f"born {told['birthDate']}"] if "birthDate" in told else []
    details += [str(told["gender"])] if "gender" in told else []
    details += [str(one["value"]) for one in told.get("identifier", [])[:2] if "value" in one]
    return Row(str(told["id"]), text or "(no name)", tuple(details))


def _encounter(told: dict[str, Any]) -> Row:
    types = [kind.get("text") or _display(kind.get("coding", [])) for kind in told.get("type", [])]
    title = next((one for one in types if one), "") or _display([told.get("class", {})]) or "Encounter"
    period = told.get("period", {})
    details = [f"{word} {period[key][:16]}" for key, word in (("start", "from"), ("end", "to")) if key in period]
    return Row(str(told["id"]), title, (*details, str(told.get("status", ""))))


def _display(codings: list[dict[str, Any]]) -> str:
    return next(
        (str(one.get("display") or one.get("code")) for one in codings if one.get("display") or one.get("code")), ""
    )
