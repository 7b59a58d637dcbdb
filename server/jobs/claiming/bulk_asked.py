"""What `Claim/$submit-bulk` was asked for: claims as NDJSON in the body, or the files that hold them."""

from __future__ import annotations

from datetime import date

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request
from server.jobs.importing.asked import is_upload, our_file
from server.jobs.importing.inputs import our_binary
from server.jobs.importing.lines import Measure
from server.jobs.outside import Wall
from server.operations.parameters import Arguments, read_arguments, wrong

MOST_FILES = 100
MEASURE = Measure(4 * 1024 * 1024, 2_500)
"""How much a chunk of claims has: about a second of work."""


class Bulk(msgspec.Struct, frozen=True):
    """A kick-off, understood. `urls` has None for what came as the body; `on` is the day on which the claims came."""

    urls: tuple[str | None, ...]
    on: str | None
    responses: bool


def read_bulk(request: Request, wall: Wall) -> Bulk:
    """What a kick-off asks for; FhirError for what is not understood or may not be fetched."""
    upload = is_upload(request)
    arguments = read_arguments(msgspec.structs.replace(request, body=b"") if upload else request)
    arguments.only("url", "on", "responses")
    urls = arguments.all("url")
    if upload:
        if urls:
            raise wrong("Send the claims as the body or name files as url, not both.", "url")
        return Bulk((None,), _day(arguments), _responses(arguments))
    if not 0 < len(urls) <= MOST_FILES:
        text = f"Send NDJSON, or Parameters that name 1 to {MOST_FILES} files as url."
        raise FhirError.of(Category.INCORRECT, "required", text, "Parameters.parameter")
    for url in urls:
        if our_file(url, request.base_url) is None and our_binary(url, request.base_url) is None:
            wall.check(url, "url")
    return Bulk(tuple(urls), _day(arguments), _responses(arguments))


def _day(arguments: Arguments) -> str | None:
    text = arguments.text("on")
    try:
        return None if text is None else date.fromisoformat(text).isoformat()
    except ValueError:
        raise wrong("on is a day such as 2026-10-01.", "on") from None


def _responses(arguments: Arguments) -> bool:
    return arguments.text("responses") is None or arguments.flag("responses")
