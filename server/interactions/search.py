"""search of a type, of several or of a compartment: parameters in, a searchset Bundle out.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.subset import read_wish
from server.access.gate import require_query
from server.access.reach import reach_of
from server.search.bundle import searchset
from server.search.custom import params_of
from server.search.find import run_search
from server.search.query import Limits, Query
from server.search.reach import whole
from server.search.reading import read_query
from server.settings import Settings

from .exchange import Request, Response
from .narrow import narrow
from .view import View

COMPARTMENTS = ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")


def search(settings: Settings, request: Request, view: View) -> Response:
    """Answer a search by GET or POST: of `Type`, of the base, of `Patient/1/Observation` or `Patient/1/*`."""
    form: tuple[tuple[str, str], ...] = ()
    if request.method == "POST":
        form = tuple(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    query = read(settings, request, view, form)
    require_query(request.caller, query)
    reach = whole if request.caller.whole else reach_of(view, request.caller, "s", request.base_url)
    response = Response(status=200, body=searchset(query, run_search(view, query, reach)))
    return narrow(response, read_wish(form)) if form else response


def read(settings: Settings, request: Request, view: View, form: tuple[tuple[str, str], ...] = ()) -> Query:
    """The query that a request asks, with what a form adds to its URL."""
    pairs = request.query + form
    path = request.path[:-1] if request.path[-1:] == ("_search",) else request.path
    types: str | tuple[str, ...]
    within: tuple[str, str] | None = None
    match path:
        case ():
            types = load().resource_types
        case (name,):
            types = name
        case (name, id_, other):
            types, within = _in_compartment(name, other), (name, id_)
        case _:
            raise FhirError.of(Category.NOT_FOUND, "not-supported", "There is no such search on this server.")
    return read_query(
        types,
        pairs,
        strict=(request.preferred.handling or settings.search_handling) == "strict",
        limits=Limits(default_count=settings.default_count, max_count=settings.max_count),
        base_url=request.base_url,
        path="/".join(path),
        within=within,
        params=params_of(view),
    )


def _in_compartment(name: str, other: str) -> str | tuple[str, ...]:
    """The types to search: one, or for `*` all of the compartment."""
    if name not in COMPARTMENTS:
        text = f"There is no compartment of this type; those that are: {', '.join(COMPARTMENTS)}."
        raise FhirError.of(Category.NOT_FOUND, "not-supported", text)
    members = tuple(kind for kind, codes in load().compartment(name).items() if codes or kind == name)
    if other == "*":
        return tuple(sorted({*members, name}))
    if other not in members and other != name:
        text = "Resources of this type are not in the compartment."
        raise FhirError.of(Category.NOT_FOUND, "not-supported", text)
    return other
