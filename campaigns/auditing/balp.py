"""BALP as rules: what each profile asks of an AuditEvent, read from its published text, without any code of ours.

https://profiles.ihe.net/ITI/BALP/1.1.3/artifacts.html
"""

from __future__ import annotations

from typing import Any

ROOT = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DCM = "http://dicom.nema.org/resources/ontology/DCM"
TYPE = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
RESTFUL = "http://hl7.org/fhir/restful-interaction"
ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CUSTODIAN = ("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian")
SOURCES = {(PARTICIPATION, "AUT"), (PARTICIPATION, "INF"), (PARTICIPATION, "CST")}
RECIPIENT = {(PARTICIPATION, "IRCP")}
OAUTH = ("https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes", "UserOauthAgent")

PROFILES: dict[str, dict[str, Any]] = {
    "Create": {
        "action": "C", "subtype": {"create"}, "client": (DCM, "110153"), "server": (DCM, "110152"), "user": SOURCES,
    },
    "Read": {
        "action": "R", "subtype": {"read", "vread"}, "client": (DCM, "110152"), "server": (DCM, "110153"),
        "user": RECIPIENT,
    },
    "Update": {
        "action": "U", "subtype": {"update", "patch"}, "client": (DCM, "110153"), "server": (DCM, "110152"),
        "user": SOURCES,
    },
    "Delete": {
        "action": "D", "subtype": {"delete"}, "client": (DCM, "110150"), "server": CUSTODIAN, "user": SOURCES,
        "bare": ("role", "altId", "name", "location", "policy", "media", "purposeOfUse"),
    },
    "Query": {
        "action": "E", "subtype": {"search", "search-type", "search-system"}, "client": (DCM, "110153"),
        "server": (DCM, "110152"), "user": RECIPIENT,
    },
}  # fmt: skip
EXPECTED = {
    code: name
    for name, rules in PROFILES.items()
    for code in rules["subtype"]
}  # fmt: skip


def codings(concept: dict[str, Any] | None) -> set[tuple[str | None, str | None]]:
    """System and code of each coding."""
    return {(one.get("system"), one.get("code")) for one in (concept or {}).get("coding", [])}


def problems(event: dict[str, Any]) -> list[str]:
    """What an AuditEvent breaks of the profiles that it claims, and of those that its success would have it claim."""
    found: list[str] = []
    claimed = [url.removeprefix(ROOT) for url in event.get("meta", {}).get("profile", [])]
    subtype = [one.get("code") for one in event.get("subtype", []) if one.get("system") == RESTFUL]
    patients = [e for e in event.get("entity", []) if (e["type"].get("system"), e["type"].get("code")) == (ENTITY, "1")]
    if event["outcome"] == "0" and subtype and subtype[0] in EXPECTED:
        name = ("Patient" if patients else "") + EXPECTED[subtype[0]]
        if name not in claimed:
            found.append(f"should claim {name}")
    found += [f"{key} is missing" for key in ("type", "recorded", "agent", "source") if key not in event]
    for name in claimed:
        if name.startswith("OAUTH"):
            found += _oauth(event)
        elif name.removeprefix("Patient") in PROFILES:
            found += _restful(event, PROFILES[name.removeprefix("Patient")], name, subtype, patients)
        else:
            found.append(f"{name} is no profile of BALP")
    return found


def _restful(event: Any, rules: dict[str, Any], name: str, subtype: list[Any], patients: list[Any]) -> list[str]:
    found = []
    checks = {
        "type": (event["type"].get("system"), event["type"].get("code")) == TYPE,
        "subtype": bool(rules["subtype"] & {*subtype}) and (name[-6:] != "Delete" or len(event["subtype"]) == 1),
        "action": event.get("action") == rules["action"],
        "outcome": event.get("outcome") == "0",
        "two agents": len(event["agent"]) >= 2,
    }
    for part in ("client", "server"):
        agents = [one for one in event["agent"] if rules[part] in codings(one.get("type"))]
        checks[f"one {part}"] = len(agents) == 1
        for agent in agents:
            checks[f"{part} who, network, no media"] = (
                "who" in agent and "network" in agent and "media" not in agent
                and not any(key in agent for key in rules.get("bare", ()))
            )  # fmt: skip
    users = [one for one in event["agent"] if rules["user"] & codings(one.get("type"))]
    checks["at most one user"] = len(users) <= 1
    for user in users:
        checks["user"] = "who" in user and user["requestor"] is True and not {"media", "network"} & user.keys()
    checks |= _entities(event, name, patients)
    found += [f"{name}: {what}" for what, holds in checks.items() if not holds]
    return found


def _entities(event: Any, name: str, patients: list[Any]) -> dict[str, bool]:
    entities = event.get("entity", [])
    objects = [e for e in entities if (e["type"].get("system"), e["type"].get("code")) == (ENTITY, "2")]
    checks = {"one object": len(objects) == 1}
    for one in objects:
        if name.endswith("Query"):
            role = (one["role"].get("system"), one["role"].get("code"))
            bare = not {"what", "lifecycle", "detail"} & one.keys()
            checks["query"] = role == (ROLE, "24") and bool(one.get("query")) and bare
        else:
            checks["data"] = "what" in one and one["role"].get("code") in ("3", "4", "20")
            if name.endswith("Delete"):
                checks["data is bare"] = not {"lifecycle", "name", "query", "detail"} & one.keys()
    requests = [e for e in entities if e["type"].get("code") == "XrequestId"]
    checks["at most one request"] = len(requests) <= 1
    checks["request id"] = all(one["what"]["identifier"]["value"] for one in requests)
    if name.startswith("Patient"):
        checks["one patient"] = len(patients) == 1
        for one in patients:
            role = (one["role"].get("system"), one["role"].get("code"))
            checks["patient"] = role == (ROLE, "1") and one["what"]["reference"].startswith("Patient/")
    return checks


def _oauth(event: Any) -> list[str]:
    users = [one for one in event["agent"] if OAUTH in codings(one.get("type"))]
    if len(users) < 1:
        return ["OAuth: user is missing"]
    return [] if users[0]["requestor"] is True and len(users[0].get("policy", [])) == 1 else ["OAuth: policy"]
