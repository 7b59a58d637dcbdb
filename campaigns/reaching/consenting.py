"""Random Consents of the two patients, and a simple reading of them that shares nothing with the server's.

https://hl7.org/fhir/R4/consent.html, as docs/policy.md keeps to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from campaigns.reaching.world import BASE, CODES, PEOPLE, Json, Step
from campaigns.searching.meaning import targets
from campaigns.searching.paths import select
from fhir_profiles.definitions import load

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PARTS = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
LEVELS = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
REASONS = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
KINDS = "http://hl7.org/fhir/resource-types"
CLIENTS = "https://fhirwright.dev/fhir/client"
ORDER = "ULMNRV"
SOME = ("Observation", "Condition", "Patient", "DocumentReference", "Encounter", "Binary", "Task", "Procedure")
ACTORS = ("Practitioner/ann", "Practitioner/ben", "RelatedPerson/A-0", "Practitioner/x", "client:app", "Organization/o")
TELLING = ("Bundle", "Provenance")
CONTEXTS = ("DiagnosticReport", "DocumentReference", "Encounter", "Media", "Observation")

There = Mapping[tuple[str, ...], Json | None]


@dataclass(frozen=True)
class Known:
    """Who a caller is: the person's resource, the app, the purpose, and whether it is a service."""

    user: str = ""
    client: str = ""
    purpose: str = ""
    service: bool = False


NOBODY = Known()
"""Of whom nothing is known."""


def steps(seed: int) -> Iterator[Step]:
    """The writes of the Consents, and of resources with labels."""
    dice = Random(seed * 7 + 1)
    for n, level in enumerate("NRVN"):
        for who in PEOPLE:
            label = {"system": LEVELS, "code": level}
            body = {"status": "final", "code": {"coding": [{"system": CODES, "code": f"c{n % 3}"}]}}
            name = f"label-{who}-{n}"
            about = {"subject": {"reference": f"Patient/{who}"}, "meta": {"security": [label]}}
            yield "PUT", f"Observation/{name}", {"resourceType": "Observation", "id": name, **body, **about}
    for who in PEOPLE:
        for n in range(3):
            name = f"privacy-{who}-{n}"
            yield "PUT", f"Consent/{name}", {"id": name, **consent(dice, who, opting_out=n == 2 and who == "B")}
    kinds = [{"system": KINDS, "code": kind} for kind in TELLING]
    for who, actor in zip(PEOPLE, ACTORS, strict=False):
        told = {"type": "deny", "actor": [_actor(actor)], "class": kinds}
        label = {"type": "deny", "actor": [_actor(actor)], "securityLabel": [{"system": LEVELS, "code": "R"}]}
        for name, exception in (("telling", told), ("labelled", label)):
            yield (
                "PUT",
                f"Consent/{name}-{who}",
                {"id": f"{name}-{who}", **_of(who, "OPTIN", {"provision": [exception]})},
            )


def consent(dice: Random, who: str, *, opting_out: bool) -> Json:
    """A Consent by chance."""
    basis = "OPTOUT" if opting_out else "OPTIN"
    exceptions = [_exception(dice, "permit" if opting_out else "deny", 2) for _ in range(dice.randint(1, 3))]
    for one in exceptions:  # always towards somebody, so that reach is all that keeps the patients from each other
        one.setdefault("actor", [_actor(dice.choice(ACTORS))])
    root: Json = {"provision": exceptions} | ({"actor": [_actor(name) for name in ACTORS[:2]]} if opting_out else {})
    if dice.random() < 0.3:
        root["period"] = {"start": "2020"} if dice.random() < 0.7 else {"end": "2021"}
    return _of(who, basis, root)


def _of(who: str, basis: str, root: Json) -> Json:
    return {
        "resourceType": "Consent", "status": "active", "patient": {"reference": f"Patient/{who}"},
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]}, "category": [{"text": "privacy"}],
        "policyRule": {"coding": [{"system": ACTS, "code": basis}]}, "provision": root,
    }  # fmt: skip


def _exception(dice: Random, way: str, depth: int) -> Json:
    made: Json = {"type": way}
    if dice.random() < 0.6:
        made["actor"] = [_actor(name) for name in dice.sample(ACTORS, dice.randint(1, 2))]
    if dice.random() < 0.6 or way == "deny":
        made["class"] = [{"system": KINDS, "code": kind} for kind in dice.sample(SOME, dice.randint(1, 4))]
    if dice.random() < 0.2:
        made["purpose"] = [{"system": REASONS, "code": dice.choice(("TREAT", "HPAYMT", "COC"))}]
    if dice.random() < 0.2:
        made["securityLabel"] = [{"system": LEVELS, "code": dice.choice("NRV")}]
    if dice.random() < 0.2:
        made["code"] = [{"coding": [{"system": CODES, "code": f"c{dice.randrange(3)}"}]}]
    if dice.random() < 0.15:
        made["data"] = [{"meaning": "instance", "reference": {"reference": f"Observation/{dice.choice(PEOPLE)}-1"}}]
    if dice.random() < 0.15:
        made["period"] = {"start": "2020"} if dice.random() < 0.5 else {"end": "2021-03"}
    if depth and dice.random() < 0.4:
        made["provision"] = [_exception(dice, "permit" if way == "deny" else "deny", depth - 1)]
    return made


def _actor(name: str) -> Json:
    role = {"coding": [{"system": PARTS, "code": "IRCP"}]}
    if name.startswith("client:"):
        return {"role": role, "reference": {"identifier": {"system": CLIENTS, "value": name[7:]}}}
    return {"role": role, "reference": {"reference": name}}


_read: dict[int, tuple[There, list[Json]]] = {}


def consents(there: There) -> list[Json]:
    """The Consents of privacy that count."""
    if id(there) not in _read:
        every = [one for (kind, _), one in there.items() if kind == "Consent" and one is not None]
        active = [one for one in every if one["status"] == "active" and SCOPE in str(one.get("scope"))]
        _read[id(there)] = (there, active)
    return _read[id(there)][1]


def withheld(who: Known, opened: Iterable[str], resource: Json, there: There) -> bool:
    """Whether a Consent keeps a resource from somebody for whom the records of `opened` are open."""
    if any(about(resource, patient, there) for patient in opened):
        return False
    return _kept(who, opened, resource, there)


def _kept(who: Known, opened: Iterable[str], resource: Json, there: There) -> bool:
    for one in consents(there):
        patient = one["patient"]["reference"].removeprefix("Patient/")
        if patient in opened or not about(resource, patient, there):
            continue
        basis = "permit" if one["policyRule"]["coding"][0]["code"] == "OPTIN" else "deny"
        root = {"type": basis, **one["provision"]}
        if _fits(who, root) is not False and _says(who, root, resource) == "deny":
            return True
    if resource["resourceType"] == "Binary":
        return any(withheld(who, opened, one, there) for one in near(resource, there))
    return False


def limited(who: Known, opened: Iterable[str], kind: str, there: There) -> bool:
    """Whether some resource of a type could be kept from somebody, whatever stands in it."""
    some = [one for one in consents(there) if one["patient"]["reference"].removeprefix("Patient/") not in opened]
    for one in some:
        basis = "permit" if one["policyRule"]["coding"][0]["code"] == "OPTIN" else "deny"
        root = {"type": basis, **one["provision"]}
        if (_place(kind) or kind in TELLING) and _fits(who, root) is not False and _could(who, root, kind):
            return True
    return kind == "Binary" and any(limited(who, opened, other, there) for other in CONTEXTS)


def _could(who: Known, rule: Json, kind: str) -> bool:
    parts = [one for one in rule.get("provision", ()) if _names(one, kind)]
    if any(_fits(who, one) is not False and _could(who, one, kind) for one in parts):
        return True
    plain = [one for one in parts if _fits(who, one) is True and not {"data", "code", "securityLabel"} & {*one}]
    return rule["type"] == "deny" and not plain


def _names(rule: Json, kind: str) -> bool:
    """Whether a rule can be about resources of a type."""
    if "class" in rule and kind not in [one["code"] for one in rule["class"]]:
        return False
    if "data" in rule and not any(one["reference"]["reference"].startswith(f"{kind}/") for one in rule["data"]):
        return False
    return "code" not in rule or bool(_coded(kind))


def _says(who: Known, rule: Json, resource: Json) -> str:
    parts = [(one, _fits(who, one)) for one in rule.get("provision", ()) if _about(one, resource)]
    if any(fits is not False and _says(who, one, resource) == "deny" for one, fits in parts):
        return "deny"
    return "permit" if any(fits for _, fits in parts) else str(rule["type"])


def _fits(who: Known, rule: Json) -> bool | None:
    """Whether a rule is about the caller now; None where nobody knows."""
    if "2021" in rule.get("period", {}).get("end", ""):
        return False
    found: list[bool | None] = []
    if "actor" in rule:
        every = [_is(who, one["reference"]) for one in rule["actor"]]
        found.append(True if True in every else None if None in every else False)
    if "purpose" in rule:
        named = rule["purpose"][0]["code"]
        general = {"TREAT", "HPAYMT"}
        found.append(True if named == who.purpose else False if {named, who.purpose} <= general else None)
    return False if False in found else None if None in found else True


def _is(who: Known, actor: Json) -> bool | None:
    if "identifier" in actor:
        return bool(actor["identifier"]["value"] == who.client)
    named = actor["reference"]
    if named.startswith("Organization/"):
        return False if who.user.startswith(("Patient/", "RelatedPerson/")) else None
    if who.user or who.service:
        return bool(who.user == named)
    return None


def _about(rule: Json, resource: Json) -> bool:
    kind = resource["resourceType"]
    if not _names(rule, kind):
        return False
    if "data" in rule and f"{kind}/{resource['id']}" not in [one["reference"]["reference"] for one in rule["data"]]:
        return False
    if "code" in rule:
        wanted = [(one["system"], one["code"]) for one in rule["code"][0]["coding"]]
        told = [part for name in _coded(kind) for part, _ in select(resource, load().search_params(kind)[name])]
        codings = [one for part in told if isinstance(part, dict) for one in part.get("coding", [part])]
        if not any((one.get("system"), one.get("code")) in wanted for one in codings):
            return False
    if "securityLabel" in rule:
        level = ORDER.index(rule["securityLabel"][0]["code"])
        labels = [one["code"] for one in resource.get("meta", {}).get("security", ()) if one.get("system") == LEVELS]
        ranks = [ORDER.index(one) for one in labels]
        return bool(ranks) and (max(ranks) <= level if rule["type"] == "permit" else max(ranks) >= level)
    return True


def _coded(kind: str) -> list[str]:
    params = load().search_params(kind)
    return [name for name in ("code", "vaccine-code", "type") if name in params and params[name].type == "token"]


def _place(kind: str) -> list[str]:
    """The search parameters that say whose a resource of a type is; a Patient and a Binary have ways of their own."""
    if kind in ("Patient", "Binary"):
        return [kind]
    params = load().search_params(kind)
    named = [name for name in load().compartment("Patient").get(kind, ()) if name in params]
    loose = [name for name in ("patient", "subject") if name in params and "Patient" in (params[name].targets or ())]
    return named or loose


def about(resource: Json, patient: str, there: There) -> bool:
    """Whether a resource is a patient's."""
    kind = resource["resourceType"]
    if kind == "Patient":
        return bool(resource["id"] == patient)
    if kind == "Binary":
        context = resource.get("securityContext", {}).get("reference", "").removeprefix(f"{BASE}/")
        return context == f"Patient/{patient}" or any(about(one, patient, there) for one in near(resource, there))
    params = load().search_params(kind)
    if any(f"Patient/{patient}" in targets(select(resource, params[name]), BASE) for name in _place(kind)):
        return True
    return kind in TELLING and any(about(one, patient, there) for one in told(resource, there))


def told(resource: Json, there: There) -> list[Json]:
    """What a Provenance or a document tells of: all that it refers to and that tells of nothing itself."""
    params = load().search_params(resource["resourceType"]).values()
    named = {one for param in params if param.type == "reference" for one in targets(select(resource, param), BASE)}
    first = resource["entry"][0]["resource"] if resource.get("type") == "document" else None
    if first is not None:
        named.add(f"Composition/{first['id']}")
    found = [first, *(there.get(tuple(one.split("/")[:2])) for one in named)]
    return [one for one in found if one is not None and one["resourceType"] not in TELLING]


def near(binary: Json, there: There) -> list[Json]:
    """What a Binary belongs to: its context, and the documents that point to it."""
    context = binary.get("securityContext", {}).get("reference", "").removeprefix(f"{BASE}/").split("/")[:2]
    found = [there.get(tuple(context))] if context[0] in CONTEXTS else []
    urls = (f"Binary/{binary['id']}", f"{BASE}/Binary/{binary['id']}")
    for (kind, _), one in there.items():
        if kind == "DocumentReference" and one is not None:
            found += [one for part in one["content"] if part["attachment"].get("url") in urls]
    return [one for one in found if one is not None]
