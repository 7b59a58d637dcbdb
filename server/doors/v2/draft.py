"""What a message becomes, as far as the message alone can tell; then the Bundle, against what is stored.

A patient or a stay that is known by an identifier keeps its id, whoever made it. A message that is older than what is
stored changes nothing of it. What a message does not say stays, as HL7 v2 has it; `""` removes.
https://www.hl7.eu/HL7v2x/v251/std251/ch02.html (2.5.3, 2.10)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from fhir_profiles.systems import MESSAGE_TIME
from server.access.caller import server_as
from server.doors.arrivals import Unusable, derived_id
from server.interactions.conditional import find_some
from server.interactions.exchange import Request
from server.store import Tx, Version

from .values import Context, Json, moment_of

MERGED, REPLACED, ONCE = "merged", "replaced", "once"
"""What happens to what is stored: it gets what the message says, it is replaced, it stays as it is."""

CHOICES = ("deceased", "multipleBirth")
_UNITED = "identifier"


@dataclass
class Item:
    """A resource of a message: `found_by` is its identifier, `fresh` what it has only when it is new."""

    resource: Json
    mode: str
    found_by: Json | None = None
    fresh: Json = field(default_factory=dict)
    ends: bool = False
    """Whether it is written although its patient was merged into another: the merge itself."""

    @property
    def reference(self) -> str:
        """`Type/id` as the message alone would have it."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


class Draft:
    """The resources of a message, in the order in which they are looked for: first whom they are about."""

    def __init__(self, context: Context, at: str | None) -> None:
        self.context = context
        self.at = at
        self.items: dict[str, Item] = {}

    def add(
        self, kind: str, key: tuple[str, ...], resource: Json, mode: str = REPLACED, *,
        found_by: Json | None = None, fresh: Json | None = None, ends: bool = False,
    ) -> str:  # fmt: skip
        """Take a resource; its reference. `key` says what its id is derived from: the same key is the same resource."""
        id = derived_id("v2", kind, "\x1f".join(key))
        meta: Json = {}
        if self.at and mode != ONCE:
            meta = {"meta": {"extension": [{"url": MESSAGE_TIME, "valueDateTime": self.at}]}}
        item = Item({"resourceType": kind, "id": id, **meta, **resource}, mode, found_by, fresh or {}, ends)
        self.items.setdefault(item.reference, item)
        return item.reference

    def bundle(self) -> Json:
        """A transaction of them, as for an empty store."""
        return _bundle([{**item.fresh, **_without_none(item.resource)} for item in self.items.values()])

    def settle(self, tx: Tx, _: Json) -> Json:
        """The transaction against what is stored, inside it."""
        caller = server_as(f"door:{self.context.door}")
        request = Request(method="POST", caller=caller)
        names: dict[str, str] = {}
        written: list[Json] = []
        for item in self.items.values():
            current = _current(tx, item, request)
            if current is not None:
                names[item.reference] = f"{current.type}/{current.id}"
            if (resource := self._against(tx, item, current, names)) is not None:
                written.append(resource)
        return _bundle([_renamed(one, names) for one in written])

    def _against(self, tx: Tx, item: Item, current: Version | None, names: dict[str, str]) -> Json | None:
        """What to write of an item, given what is stored; None for nothing."""
        if current is None:
            return {**item.fresh, **_without_none(item.resource)}
        kind = current.type
        if item.mode == ONCE:
            return None
        stored = orjson.loads(current.body)
        if not item.ends and (survivor := survivor_of(tx, stored)) is not None:
            names[item.reference] = survivor
            self.context.note(f"The {kind} was merged into another, which the rest of the message is about.")
            return None
        if is_older(self.at, stored):
            self.context.note(f"Something later is stored: the {kind} is left as it is.")
            return None
        if item.mode == REPLACED:
            return {**item.resource, "id": current.id}
        return {**_merged(stored, item.resource), "id": current.id}


def _current(tx: Tx, item: Item, request: Request) -> Version | None:
    """What is stored of an item: by its identifier, else under its own id; held until the transaction ends."""
    kind, id = item.resource["resourceType"], item.resource["id"]
    if item.found_by is not None:
        criterion = f"{item.found_by['system']}|{_escaped(item.found_by['value'])}"
        tx.lock(f"{kind}?identifier={criterion}")
        found = find_some(tx, kind, (("identifier", criterion),), 2, request)
        if len(found) > 1:
            raise Unusable("several", f"{kind}: More than one is stored under the identifier of the message.")
        if found:
            return found[0]
    current = tx.current(kind, id)
    return None if current is None or current.deleted else current


def _escaped(value: str) -> str:
    for sign in ("\\", ",", "$", "|"):
        value = value.replace(sign, f"\\{sign}")
    return value


def survivor_of(tx: Tx, patient: Json) -> str | None:
    """The Patient that replaced one, however often; None when nothing did."""
    found = None
    for _ in range(10):
        after = [one["other"].get("reference") for one in patient.get("link") or () if one.get("type") == "replaced-by"]
        if not after or not str(after[0]).startswith("Patient/"):
            return found
        found = str(after[0])
        version = tx.current("Patient", found.partition("/")[2])
        if version is None or version.deleted:
            return found
        patient = orjson.loads(version.body)
    return found


def time_of(resource: Json) -> str | None:
    """When the message was sent that a resource has its state from."""
    for one in (resource.get("meta") or {}).get("extension") or ():
        if one.get("url") == MESSAGE_TIME:
            return str(one.get("valueDateTime"))
    return None


def is_older(at: str | None, stored: Json) -> bool:
    """Whether a message of a time is older than what is stored."""
    before = time_of(stored)
    return at is not None and before is not None and moment_of(at) < moment_of(before)


def _merged(stored: Json, new: Json) -> Json:
    """What is stored with what a message says; None is what it removes."""
    found = dict(stored)
    for name, value in new.items():
        for choice in CHOICES:
            if name.startswith(choice):
                found = {key: kept for key, kept in found.items() if not key.startswith(choice)}
        if name == _UNITED and isinstance(value, list):
            there = {(one.get("system"), one.get("value")) for one in value}
            value = [
                *value,
                *(one for one in found.get(name, ()) if (one.get("system"), one.get("value")) not in there),
            ]
        elif name in ("period", "meta") and isinstance(value, dict):
            value = _without_none({**found.get(name, {}), **value})
        found[name] = value
    return {name: value for name, value in found.items() if value not in (None, {}, [])}


def _without_none(resource: Json) -> Json:
    found = {name: value for name, value in resource.items() if value is not None}
    if isinstance(period := found.get("period"), dict):
        found["period"] = {name: value for name, value in period.items() if value is not None}
    return {name: value for name, value in found.items() if value not in ({}, [])}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """A resource with its references to what is stored under other ids."""
    if isinstance(value, dict):
        return {
            name: names.get(one, one) if name == "reference" and isinstance(one, str) else _renamed(one, names)
            for name, one in value.items()
        }
    return [_renamed(one, names) for one in value] if isinstance(value, list) else value


def _bundle(resources: list[Json]) -> Json:
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
