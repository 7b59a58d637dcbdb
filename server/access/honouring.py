"""Consents that are honoured: the active ones of a database, and what they take away as one condition on rows.

They are kept in memory. What this process writes counts with its commit, what another one writes within LONGEST. When
they cannot be read, nobody whom they could concern is answered.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import structlog

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from server.search.blinded import blind_of
from server.search.custom import STANDARD
from server.search.query import Condition, Node, Some, escape
from server.search.sql import Sql, join, negate
from server.search.tree import Scope, part_of
from server.search.view import View
from server.store import Store, Tx, Written
from server.store.keys import param_key
from server.store.version import COLUMNS

from .caller import Caller
from .consent_reading import check_consent, lasts, read_consent
from .consents import Consent, Who, denied, moments, places
from .files import BINARY, TELLING, held, refers_to, whose_codes
from .grants import Right

KIND = "Consent"
LONGEST = 1.0
"""Seconds for which a look at the database is believed."""

MOST = 20_000
"""Active Consents of privacy that are honoured; one more is refused."""

KEPT, NAMED = 4096, 4_000_000
"""Conditions that are kept, of callers and types, and how many patients they may name in all."""

_PLACES = frozenset({"PractitionerRole", "Organization"})
_LISTED = f"SELECT rid, version FROM resource WHERE type = '{KIND}' AND change <> 'D'"
_ROLES = f"""SELECT {COLUMNS} FROM resource WHERE type = 'PractitionerRole' AND change <> 'D'
 AND rid IN (SELECT rid FROM idx_reference WHERE param = ? AND target = ?)"""
_HOUSE = "SELECT target FROM idx_reference WHERE rid = ? AND param = ?"
_ABOVE = (
    "SELECT x.target FROM resource r JOIN idx_reference x ON x.rid = r.rid AND x.param + 0 = ?"
    " WHERE r.type = 'Organization' AND r.id = ? AND r.change <> 'D'"
)
_log = structlog.get_logger("access")


class Active(msgspec.Struct, frozen=True, eq=False):
    """The Consents at one moment; `times` are those at which one may say something else."""

    until: float
    turn: int
    read: dict[int, tuple[int, Consent | None]]
    consents: tuple[Consent, ...]
    times: tuple[int, ...]
    asks_places: bool
    taken: dict[tuple[Any, ...], tuple[Sql | None]]


_NEVER = Active(0.0, -1, {}, (), (), False, {})


class Honoured:
    """The active Consents of one database, as they are now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = 0
        self._active = _NEVER
        self._lock = threading.Lock()

    def active(self) -> Active:
        """The Consents that count now; FhirError UNAVAILABLE where they are too many to be kept to."""
        found = self._active
        if found.turn == self._turn and time.monotonic() < found.until:
            return found
        with self._lock:
            found = self._active
            if found.turn != self._turn or time.monotonic() >= found.until:
                found = self._active = self._look(found)
        if len(found.consents) > MOST:
            _log.error("access.consents_unread", count=len(found.consents))
            text = "There are more Consents than this server can keep to, and so nothing is shown."
            raise FhirError.of(Category.UNAVAILABLE, "too-costly", text)
        return found

    def _look(self, before: Active) -> Active:
        """What the database holds; only what is new is read."""
        turn, until = self._turn, time.monotonic() + LONGEST
        listed = {int(rid): int(version) for rid, version in self._store.query(_LISTED)}
        read = {rid: one for rid, one in before.read.items() if listed.get(rid) == one[0]}
        if before is not _NEVER and turn == before.turn and len(read) == len(listed) == len(before.read):
            taken = before.taken if not before.asks_places else {}
            return msgspec.structs.replace(before, until=until, taken=taken)
        for rid in listed.keys() - read.keys():
            for one in self._store.versions(self._store.query(f"SELECT {COLUMNS} FROM resource WHERE rid = ?", (rid,))):
                read[rid] = (one.version, None if one.deleted else read_consent(json.decode(one.body)))
        consents = tuple(one for _, one in read.values() if one is not None)
        times = tuple(sorted({moment for one in consents for moment in moments(one.rule)}))
        return Active(until, turn, read, consents, times, any(places(one.rule) for one in consents), {})

    def on_write(self, tx: Tx, written: Written) -> None:
        """Refuse a Consent that could not be kept to, and look again once one is committed."""
        kind = written.version.type
        if kind == KIND:
            if written.resource is not None:
                check_consent(written.resource)
                if len(self._active.consents) >= MOST and read_consent(written.resource) is not None:
                    text = f"At most {MOST} active Consents of privacy can be honoured. End those that are over."
                    raise FhirError.of(Category.UNSUPPORTED, "too-costly", text)
            tx.afterwards(self._forget)
        elif kind in _PLACES and self._active.asks_places:
            tx.afterwards(self._forget)

    def _forget(self) -> None:
        self._turn += 1

    def who(self, caller: Caller, active: Active) -> Who:
        """What is known of a caller."""
        user = caller.user or ""
        where = self._places(user) if active.asks_places and user.startswith("Practitioner/") else None
        return Who(caller.who, caller.client or "", user, caller.usual or "", where)

    def _places(self, user: str) -> tuple[str, ...] | None:
        """Where a Practitioner works now, with what stands above it; None where no role tells."""
        rows = self._store.query(_ROLES, (param_key("PractitionerRole", "practitioner"), user))
        roles = [one for one in self._store.versions(rows) if lasts(json.decode(one.body), time.time_ns() // 1000)]
        found = {f"PractitionerRole/{one.id}": None for one in roles}
        house = param_key("PractitionerRole", "organization")
        wanted = [target for one in roles for (target,) in self._store.query(_HOUSE, (one.rid, house))]
        if not wanted:
            return None
        while wanted:
            at = wanted.pop()
            if at not in found:
                found[at] = None
                above = self._store.query(_ABOVE, (param_key("Organization", "partof"), at.rpartition("/")[2]))
                wanted += [target for (target,) in above]
        return tuple(found)


_honoured: WeakKeyDictionary[Any, Honoured] = WeakKeyDictionary()


def honour(store: Store) -> Honoured:
    """Have the Consents of a database kept to from now on, by all who ask it in this process."""
    return _honoured.setdefault(store.engine, Honoured(store))


def taken_away(view: View, caller: Caller, kind: str, right: Right, base_url: str, *, keeps: bool) -> Sql | None:
    """What holds of `{rid}` where a Consent keeps a resource of the type from the caller; None where none does.

    `keeps`: whether the caller may change Consents, which no Consent hides then. What is the patient's is open to the
    patient, and to be read to whom the glass is broken for.
    """
    honoured = _honoured.get(view.engine)
    if honoured is None or caller.whole or (kind == KIND and keeps):
        return None
    active = honoured.active()
    if not active.consents:
        return None
    kind_of, _, name = (caller.user or "").partition("/")
    own = (name,) if kind_of == "Patient" else ()
    opened = tuple(dict.fromkeys(own + (caller.broken if right in "rs" else ())))
    now = time.time_ns() // 1000
    who, blind = honoured.who(caller, active), blind_of(view)
    key = (who, opened, kind, view.dialect, blind is None, base_url, bisect_right(active.times, now))
    found = active.taken.get(key)  # once: another thread may clear them at any time
    if found is None:
        if len(active.taken) >= min(KEPT, 1 + NAMED // len(active.consents)):
            active.taken.clear()
        scope = Scope(view.dialect, base_url, lambda _type: None, None, blind)
        found = active.taken[key] = (_Taking(scope, active.consents, who, now, opened).of(kind),)
    return found[0]


class _Taking:
    """From Consents to SQL, for one caller."""

    def __init__(
        self, scope: Scope, consents: tuple[Consent, ...], who: Who, now: int, opened: tuple[str, ...]
    ) -> None:
        self._scope, self._who, self._now = scope, who, now
        self._consents = [one for one in consents if one.patient not in opened]
        self._opened = opened

    def of(self, kind: str) -> Sql | None:
        """The condition for a type, but for what is open anyway."""
        found = self._denied(kind)
        if found is None or not self._opened:
            return found
        inside = self._about(kind, self._opened)
        return found if inside is None else join("AND", [found, negate(inside)])

    def _denied(self, kind: str) -> Sql | None:
        """Each different denial once, with all patients who made it."""
        groups: dict[Node | bool, list[str]] = {}
        for one in self._consents:
            part = denied(one.rule, self._who, self._now, kind)
            if part is not False:
                groups.setdefault(part, []).append(one.patient)
        ways = []
        for part, patients in groups.items():
            inside = self._about(kind, tuple(dict.fromkeys(patients)))
            if inside is not None:
                parts = [inside] if isinstance(part, bool) else [inside, self._sql(part)]
                ways.append(join("AND", parts))
        if kind == BINARY and (files := held(self._scope.dialect, (), self.of)) is not None:
            ways.append(files)
        return join("OR", ways) if ways else None

    def _about(self, kind: str, patients: tuple[str, ...]) -> Sql | None:
        """What is the patients': of a type in no compartment, what says it is about them."""
        if kind == BINARY:
            return held(self._scope.dialect, patients, lambda name: self._about(name, patients))
        node = about_patients(kind, patients)
        ways = [] if node is None else [self._sql(node)]
        if kind in TELLING:
            ways.append(refers_to(self._scope.dialect, patients))
        return join("OR", ways) if ways else None

    def _sql(self, node: Node) -> Sql:
        return part_of(self._scope, node, depth=60).check


def about_patients(kind: str, patients: tuple[str, ...]) -> Node | None:
    """What is any of these patients'; None for a type that is nobody's."""
    if kind == "Patient":
        return Condition(kind, STANDARD.find(kind, "_id"), None, tuple(map(escape, patients)))
    known, named = load().search_params(kind), tuple(escape(f"Patient/{one}") for one in patients)
    ways = tuple(Condition(kind, known[code], None, named) for code in whose_codes(kind))
    return None if not ways else ways[0] if len(ways) == 1 else Some(ways)
