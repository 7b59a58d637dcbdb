"""`_summary` and `_elements` on whatever is read: parts of resources (https://hl7.org/fhir/R4/search.html#summary)."""

from __future__ import annotations

import msgspec

from fhir_profiles.subset import WHOLE, Wish, cut, read_wish

from .exchange import FHIR_JSON, Request, Response

_NAMES = frozenset({"_summary", "_elements"})


def wish_of(request: Request) -> Wish:
    """What of each resource a request asks for."""
    if any(name in _NAMES for name, _ in request.query):
        return read_wish(request.query)
    return WHOLE


def narrow(response: Response, wish: Wish) -> Response:
    """The answer with what the wish leaves of its resources."""
    if wish.whole or not response.body or response.status >= 400 or response.content_type != FHIR_JSON:
        return response
    return msgspec.structs.replace(response, body=cut(response.body, wish))
