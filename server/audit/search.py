"""read and search of AuditEvents over the chain (https://hl7.org/fhir/R4/auditevent.html#search)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError, Problem, operation_outcome
from server.access.caller import Caller
from server.access.gate import require
from server.access.grants import Pairs, Right
from server.access.reach import rules_of
from server.interactions.exchange import Request, Response
from server.interactions.read import absent
from server.search.values import read_date
from server.search.view import View
from server.settings import Settings
from server.store.ledger import SPAN
from server.store.sealing import sealing_of

from .chain import event_at
from .codes import SECURITY, action_of, type_of
from .event import Event, Head, decode, did, ended, outcome_of
from .finding import LOOKED, Asked, Keys, created, everything, found, spans
from .hiding import reveal
from .render import render, render_one

KIND = "AuditEvent"
SCANNED = 20_000
"""Events that one page looks at; where none of them fits, the next page goes on behind them."""

_KEYS = ("patient", "entity", "agent")
_MANNER = frozenset({"_count", "_sort", "_cursor", "_summary", "_elements", "_total"})
_KNOWN = frozenset({"date", "_lastUpdated", "_id", "action", "outcome", "type", "subtype", "address", *_KEYS})


class Part(msgspec.Struct, frozen=True):
    """A condition: on rows of the chain, on events and the keys they have, and on AuditEvents for the rest."""

    sql: str = "1 = 1"
    params: tuple[Any, ...] = ()
    fits: Callable[[int, Head], bool] = everything
    """Whether an event of a number can be one."""

    keys: Keys | None = None
    """An event has one of them."""

    patient: str | None = None
    address: tuple[str, ...] = ()
    action: tuple[str, ...] = ()


def answer(settings: Settings, request: Request, view: View) -> Response:
    """The AuditEvent, or the Bundle of those that are asked for and may be seen; 403 and 404 as of any resource."""
    path = request.path[:-1] if request.path[-1:] == ("_search",) else request.path
    match path:
        case ("Patient", patient, _):
            return _search(settings, request, view, (*request.query, ("patient", patient)))
        case (_,):
            return _search(settings, request, view, request.query)
        case (_, name) | (_, name, "_history", "1"):
            return _read(request, view, name)
    raise FhirError.of(Category.NOT_FOUND, "not-supported", "An AuditEvent has one version and no history.")


def _read(request: Request, view: View, name: str) -> Response:
    require(request.caller, KIND, "r")
    given, _, number = name.partition("-")
    if given.isdecimal() and number.isdecimal() and len(given) < 18 and len(number) < 9:
        seq, data = int(given), event_at(view, int(given))
    else:
        number, (seq, data) = "0", next(created(view, f"{KIND}/{name}"), (0, None))
    event = _as_seen(request.caller, "r", reveal(sealing_of(view.engine), decode(data))) if data else None
    one = render_one(seq, int(number), event) if event else None
    if one is not None and one["id"] != name:
        one = None
    if event is None or one is None or not _may_see(request.caller, event, one, "r"):
        raise absent()
    return Response(status=200, body=json.encode(one), etag='W/"1"')


def allowed(caller: Caller, right: Right) -> tuple[str, ...] | None:
    """The patients whose events a caller may see; None for all. Filters are not taken: they give nothing."""
    rules = rules_of(caller, KIND, right)
    if rules is None:
        return None
    plain = [rule for rule in rules if not rule.filters]
    return None if any(r.patient is None for r in plain) else tuple(r.patient for r in plain if r.patient)


def _as_seen(caller: Caller, right: Right, event: Event) -> Event:
    """The event without what somebody else asked, who may have asked by other people's names and numbers too."""
    own = event.who == caller.who and event.client == (caller.client or "")
    return (
        event if own or not event.query or allowed(caller, right) is None else msgspec.structs.replace(event, query="")
    )


def _may_see(caller: Caller, event: Event, resource: dict[str, Any], right: Right) -> bool:
    patients = allowed(caller, right)
    return patients is None or _patient_of(event, resource) in patients


def _patient_of(event: Event, resource: dict[str, Any]) -> str | None:
    """The patient whose event a rendered one is."""
    if bytes(event.given) != b"null":
        return event.patients[0] if len(event.patients) == 1 else None
    number = int(resource["id"].partition("-")[2])
    return event.patients[number] if number < len(event.patients) else None


def _search(settings: Settings, request: Request, view: View, query: Pairs) -> Response:
    require(request.caller, KIND, "s")
    used, parts, problems = _parts(query, request, settings)
    seen = allowed(request.caller, "s")
    count = _count(query, settings)
    cursor, rising = _cursor(query), dict(query).get("_sort") in ("date", "_lastUpdated")
    page: list[dict[str, Any]] = []
    after: str | None = None
    for event, one in _walk(view, parts, cursor, rising, request.caller):
        if one is None:
            after = str(event)
            break
        if seen is not None and _patient_of(event, one) not in seen:
            continue
        if not _fits(event, one, parts):
            continue
        if len(page) == count:
            after = page[-1]["id"] if page else None
            break
        page.append(one)
    return Response(status=200, body=json.encode(_bundle(request, used, page, after, problems)))


def _bundle(
    request: Request,
    used: list[tuple[str, str]],
    page: list[dict[str, Any]],
    after: str | None,
    problems: list[Problem],
) -> dict[str, Any]:
    base = f"{request.base_url}/{KIND}"

    def url(pairs: list[tuple[str, str]]) -> str:
        return base + ("?" + "&".join(f"{name}={quote(value, safe=':/,|')}" for name, value in pairs) if pairs else "")

    links = [{"relation": "self", "url": url(used)}]
    if after is not None:
        links.append({"relation": "next", "url": url([*[p for p in used if p[0] != "_cursor"], ("_cursor", after)])})
    entries: list[dict[str, Any]] = [
        {"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in page
    ]
    if problems:
        entries.append({"resource": operation_outcome(problems), "search": {"mode": "outcome"}})
    bundle = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return {**bundle, "entry": entries} if entries else bundle


def _walk(
    view: View, parts: list[Part], cursor: tuple[int, int] | None, rising: bool, caller: Caller
) -> Iterator[tuple[Any, dict[str, Any] | None]]:
    """What rows stand for in the order asked for, from behind the cursor; at the limit where it stopped, and None."""
    if (patients := allowed(caller, "s")) is not None:
        parts = [*parts, Part(keys=tuple(f"Patient/{one}" for one in patients))]
    asked = _asked(parts)
    sealing, scanned = sealing_of(view.engine), 0
    at = cursor or ((0, -1) if rising else (2**62, -1))
    for first, last in spans(view, asked.keys, at[0], rising=rising):
        for seq, data in found(view, asked, (first, last), rising=rising):
            scanned += 1
            event = _as_seen(caller, "s", reveal(sealing, decode(data)))
            for number, one in enumerate(render(seq, event)):
                if seq != at[0] or number > at[1]:
                    yield event, one
            if scanned >= SCANNED:
                yield f"{seq}-{2**30}", None
                return
        scanned += LOOKED
        if scanned >= SCANNED:
            yield f"{last if rising else first}-{2**30}", None
            return


def _asked(parts: list[Part]) -> Asked:
    """All conditions on rows and on events."""
    tests = [part.fits for part in parts if part.fits is not everything]
    return Asked(
        keys=tuple(part.keys for part in parts if part.keys is not None),
        where="".join(f" AND {part.sql}" for part in parts),
        params=tuple(value for part in parts for value in part.params),
        fits=(lambda seq, head: all(test(seq, head) for test in tests)) if tests else everything,
    )


def _fits(event: Event, one: dict[str, Any], parts: list[Part]) -> bool:
    for part in parts:
        if part.patient is not None and _patient_of(event, one) not in (part.patient, None):
            return False
        if part.address and event.address not in part.address:
            return False
        if part.action and action_of(event.code) not in part.action:
            return False
    return True


def _parts(
    query: Pairs, request: Request, settings: Settings
) -> tuple[list[tuple[str, str]], list[Part], list[Problem]]:
    """The parameters that are used, as conditions, and what there is to say of the others."""
    strict = (request.preferred.handling or settings.search_handling) == "strict"
    used, parts, problems = [], [], []
    for name, value in query:
        if name in _MANNER:
            used.append((name, value))
        elif name in _KNOWN and value:
            used.append((name, value))
            parts.append(_part(name, value))
        else:
            text = f"The search parameter {name[:64]} is not known for {KIND} and was left out."
            problem = Problem("error" if strict else "warning", "not-supported", text)
            if strict:
                raise FhirError(Category.UNSUPPORTED, problem)
            problems.append(problem)
    return used, parts, problems


def _part(name: str, value: str) -> Part:
    values = tuple(value.split(","))
    match name:
        case "date" | "_lastUpdated":
            return _date(value)
        case "_id":
            return _ids(values)
        case "outcome":
            return _outcome(frozenset(int(v) for v in _codes(values) if v.isdecimal() and len(v) < 9))
        case "action":
            return Part(action=_codes(values))
        case "subtype":
            return Part(keys=tuple(did(code) for code in _codes(values)))
        case "type":
            return _type(_codes(values))
        case "address":
            return Part(address=values)
    keys = _keys(name, values)
    return Part(keys=keys, patient=values[0].rpartition("/")[2] if name == "patient" and len(values) == 1 else None)


def _keys(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    match name:
        case "patient":
            return tuple(f"Patient/{one.rpartition('/')[2]}" for one in values)
        case "agent":
            return tuple(f"by {one}" for one in values)
    return values


def _ids(values: tuple[str, ...]) -> Part:
    """The rows that hold the events of these numbers: of each the first that ends at it or behind it."""
    seqs = [one.partition("-")[0] for one in values]
    wanted = frozenset(int(seq) for seq in seqs if seq.isdecimal() and len(seq) < 18)
    one = "(SELECT min(seq) FROM audit_event WHERE seq >= ?)"
    some = ", ".join([one] * len(wanted)) or "NULL"
    return Part(f"seq IN ({some})", tuple(wanted), fits=lambda seq, _: seq in wanted)


def _outcome(wanted: frozenset[int]) -> Part:
    keys = None if 0 in wanted else tuple(ended(one) for one in sorted(wanted))
    return Part(keys=keys, fits=lambda _, head: outcome_of(head.status) in wanted)


def _date(value: str) -> Part:
    span = read_date(value)
    low, high = int(span.low), int(span.high)
    match span.prefix:
        case "eq" | "ap":
            return _between(low, high)
        case "ne":
            return Part(fits=lambda _, head: not low <= head.at < high)
        case "gt" | "sa":
            return _between(low=high)
        case "ge":
            return _between(low=low)
        case "le":
            return _between(high=high)
    return _between(high=low)


def _between(low: int | None = None, high: int | None = None) -> Part:
    """Events from a moment on and before another; a row's time is that of its earliest event."""
    sql = [*(["at >= ?"] if low is not None else ()), *(["at < ?"] if high is not None else ())]
    params = [*([low - SPAN] if low is not None else ()), *([high] if high is not None else ())]

    def fits(_: int, head: Head) -> bool:
        return (low is None or head.at >= low) and (high is None or head.at < high)

    return Part(" AND ".join(sql), tuple(params), fits=fits)


def _type(codes: tuple[str, ...]) -> Part:
    of_security = frozenset(name for name in SECURITY if type_of(name)["code"] in codes)
    if "rest" in codes:
        left = frozenset(SECURITY) - of_security
        return Part(fits=lambda _, head: head.code not in left)
    return Part(keys=tuple(did(name) for name in sorted(of_security)))


def _codes(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.rpartition("|")[2] for one in values)


def _count(query: Pairs, settings: Settings) -> int:
    given = dict(query).get("_count", "")
    return min(int(given), settings.max_count) if given.isdecimal() and len(given) < 9 else settings.default_count


def _cursor(query: Pairs) -> tuple[int, int] | None:
    seq, _, number = dict(query).get("_cursor", "").partition("-")
    if not seq.isdecimal() or not number.isdecimal() or len(seq) > 18 or len(number) > 10:
        return None
    return int(seq), int(number)
