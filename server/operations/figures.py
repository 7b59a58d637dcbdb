"""`$figures`: how documents, coding, claims and the server do, in numbers that each open the resources behind them.

docs/operations/figures.md
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.access.caller import Caller
from server.access.reach import rules_of
from server.figures.metrics import METRICS
from server.figures.model import MOST_DAYS, Figure, Labels, Period
from server.figures.told import as_csv, parameters
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.figures_areas import AREAS
from server.operations.figures_found import Found
from server.operations.house import House
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation

Json = dict[str, Any]
CSV = "text/csv"
SYSTEM = "system"
DAYS = 30
"""Days until today that are told of where none are asked for."""
ROWS, MOST_ROWS = 20, 200
"""Rows on a page, unless asked otherwise, and at most."""


class Figures:
    """Computes figures for who asks, over what that one may see."""

    def __init__(self, fhir: Fhir, house: House) -> None:
        self._fhir, self._house = fhir, house

    async def __call__(self, request: Request) -> Response:
        """The figures as Parameters or CSV, or with `rows` the resources that one of them is made of."""
        return await self._fhir.store.run(self.answer, request)

    def answer(self, request: Request) -> Response:
        """The same, for threads."""
        arguments = read_arguments(request)
        arguments.only("of", "since", "until", "rows", "label", "_count", "_offset")
        area = arguments.text("of")
        if area not in (*AREAS, SYSTEM):
            raise wrong(f"of must be one of {', '.join((*AREAS, SYSTEM))}.", "of")
        now = time.time()
        first, last = _days(arguments, now)
        found = Found(self._fhir, request)
        if area == SYSTEM:
            _admit(request.caller)
            figures = list(self._house.system())
        else:
            figures = list(AREAS[area](found, Period.of_days(first, last), now))
        if (name := arguments.text("rows")) is not None:
            return self._rows(request, found, _behind(figures, name, _labels(arguments)), arguments)
        if request.wants == CSV:
            text = as_csv(figures, first.isoformat(), last.isoformat())
            name = f'attachment; filename="{area}-{first}-{last}.csv"'
            return Response(
                status=200, body=text.encode(), content_type=f"{CSV}; charset=utf-8",
                headers=(("Content-Disposition", name),),
            )  # fmt: skip
        head = [
            {"name": "of", "valueCode": area},
            {"name": "since", "valueDate": first.isoformat()},
            {"name": "until", "valueDate": last.isoformat()},
        ]
        return Response(status=200, body=json.encode(parameters(figures, head, found.notes)))

    def _rows(self, request: Request, found: Found, rows: list[str], arguments: Arguments) -> Response:
        """A page of a searchset of the resources, those of them that the caller may read now."""
        count = arguments.whole("_count", ROWS, MOST_ROWS)
        offset = arguments.whole("_offset", 0, 10**9, least=0)
        some = rows[offset : offset + count]
        bodies = dict(found.named(some))
        entries = [
            {"fullUrl": f"{request.base_url}/{name}", "resource": json.decode(bodies[name]),
             "search": {"mode": "match"}} for name in some if name in bodies
        ]  # fmt: skip
        links = [("self", offset)]
        if offset:
            links.append(("previous", max(0, offset - count)))
        if offset + count < len(rows):
            links.append(("next", offset + count))
        bundle: Json = {
            "resourceType": "Bundle", "type": "searchset", "total": len(rows),
            "link": [{"relation": name, "url": _url(request, count, at)} for name, at in links],
        }  # fmt: skip
        return Response(status=200, body=json.encode(bundle | ({"entry": entries} if entries else {})))


def _admit(caller: Caller) -> None:
    """403 for who neither looks after the server nor may read every Task."""
    if not (caller.admin or rules_of(caller, "Task", "s") is None):
        text = "Figures of the server are for those who look after it, and for callers who may search every Task."
        raise FhirError.of(Category.FORBIDDEN, "forbidden", text)


def _days(arguments: Arguments, now: float) -> tuple[date, date]:
    """The first and the last day that is told of."""
    today = datetime.fromtimestamp(now, UTC).date()
    last = _day(arguments, "until") or today
    first = _day(arguments, "since") or last - timedelta(days=DAYS - 1)
    if first > last:
        raise wrong("since must not be after until.", "since")
    if (last - first).days >= MOST_DAYS:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"At most {MOST_DAYS} days can be told of.", "since")
    return first, last


def _day(arguments: Arguments, name: str) -> date | None:
    text = arguments.text(name)
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise wrong(f"{name} must be a day, YYYY-MM-DD.", name) from None
    if not 1970 < found.year < 9000:  # so that what lies a period before or after it is a date too
        raise wrong(f"{name} must be a day of our time.", name)
    return found


def _labels(arguments: Arguments) -> Labels:
    """`label=name=value`, each of which a figure must have."""
    parts = [text.partition("=") for text in arguments.all("label")]
    if any(not middle for _, middle, _ in parts):
        raise wrong("label must be NAME=VALUE.", "label")
    return tuple((name, value) for name, _, value in parts)


def _behind(figures: Iterable[Figure], name: str, labels: Labels) -> list[str]:
    """What the figures of a name with these labels are made of, each resource once."""
    named = [one for one in figures if one.name == name]
    if not named and name not in METRICS:  # a figure by groups has none where there is nothing to group
        raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no figure of this name now.", "rows")
    return list(dict.fromkeys(row for one in named if {*labels} <= {*one.labels} for row in one.rows))


def _url(request: Request, count: int, offset: int) -> str:
    kept = [(name, value) for name, value in request.query if name not in ("_count", "_offset")]
    pairs = [*kept, ("_count", str(count)), *([("_offset", str(offset))] if offset else [])]
    return f"{request.base_url}/$figures?{'&'.join(f'{quote(name)}={quote(value)}' for name, value in pairs)}"


def operations(fhir: Fhir, house: House) -> list[Operation]:
    """`$figures` of the system."""
    definition = f"{BASE}/OperationDefinition/figures"
    return [
        Operation(
            "figures", frozenset({"system"}), Figures(fhir, house), None, frozenset({"GET"}), definition, for_all=True,
            gives=CSV,
        )
    ]  # fmt: skip
