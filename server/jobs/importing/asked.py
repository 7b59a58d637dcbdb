"""What an import was asked for: NDJSON as the body, or URLs to fetch it from.

https://github.com/smart-on-fhir/bulk-import
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request
from server.jobs.outside import Wall

NDJSON = ("application/fhir+ndjson", "application/ndjson", "application/x-ndjson")
_MOST = 1000
_OURS = re.compile(r"/\$file/([0-9a-f\-]{36})/output/([A-Za-z0-9.\-]{1,80})\.ndjson$")


class Input(msgspec.Struct, frozen=True):
    """One file: its URL and the type of its resources when that was announced; no URL for what came as the body."""

    url: str | None
    type: str


def is_upload(request: Request) -> bool:
    """Whether the body is the NDJSON itself."""
    return request.content_type.partition(";")[0].strip().lower() in NDJSON


def read_inputs(request: Request, wall: Wall) -> list[Input]:
    """The files that a kick-off names; FhirError for what cannot be fetched from here."""
    if is_upload(request):
        return [Input(None, "")]
    body = json.decode(request.body) if request.body else {}
    listed = _of_parameters(body) if body.get("resourceType") == "Parameters" else body.get("input")
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
        text = f"Send NDJSON, or name 1 to {_MOST} files as input, each with type and url."
        raise FhirError.of(Category.INCORRECT, "required", text, "Parameters.parameter")
    return [_input(one, number, request.base_url, wall) for number, one in enumerate(listed)]


def our_file(url: str, base_url: str) -> tuple[str, str] | None:
    """The job and name of a file that an export of this server wrote."""
    found = _OURS.search(url) if url.startswith(f"{base_url}/$file/") else None
    return (found[1], found[2]) if found else None


def _input(one: Any, number: int, base_url: str, wall: Wall) -> Input:
    where = f"Parameters.parameter[{number}]"
    url = one.get("url") if isinstance(one, dict) else None
    kind = one.get("type", "") if isinstance(one, dict) else ""
    if not isinstance(url, str) or (kind and kind not in load().resource_types):
        raise FhirError.of(Category.INCORRECT, "value", "Each input needs a url, and a type that R4 has.", where)
    if our_file(url, base_url) is None:
        wall.check(url, where)
    return Input(url, kind)


def _of_parameters(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The inputs in Parameters: `input` with the parts `type` and `url`."""
    found = []
    for one in body.get("parameter") or ():
        if isinstance(one, dict) and one.get("name") == "input":
            parts = [part for part in one.get("part") or () if isinstance(part, dict)]
            found.append(
                {
                    str(part.get("name")): next((v for k, v in part.items() if k.startswith("value")), None)
                    for part in parts
                }
            )
    return found
