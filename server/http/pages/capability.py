"""The CapabilityStatement as a page (https://hl7.org/fhir/R4/capabilitystatement.html)."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import DictLoader, Environment, StrictUndefined

from fhir_profiles.served import Told, id_of, told_operations
from fhir_profiles.systems import SPECIFICATION

Header = tuple[bytes, bytes]


@lru_cache(maxsize=4)
def capability_page(statement: bytes) -> bytes:
    """The page of a CapabilityStatement."""
    told = orjson.loads(statement)
    rest = told["rest"][0]
    template = _environment().get_template("page")
    return template.render(
        told=told,
        rest=rest,
        style=_file("page.css"),
        specification=SPECIFICATION,
        operations=sorted(_operations(rest).values(), key=lambda one: str(one["name"])),
    ).encode()


def page_headers() -> list[Header]:
    """What keeps the page to itself: its own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_file("page.css").encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"vary", b"accept, accept-encoding"),
    ]


def _operations(rest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Definition → the operation with where it is called and what is told of it."""
    found: dict[str, dict[str, Any]] = {}
    places = [("", rest.get("operation", ()))] + [(r["type"], r.get("operation", ())) for r in rest["resource"]]
    for place, operations in places:
        for one in operations:
            entry = found.setdefault(one["definition"], {**one, "places": [], "told": _told(one["definition"])})
            entry["places"].append(place or "system")
    for entry in found.values():
        if len(entry["places"]) > len(rest["resource"]) // 2:
            entry["places"] = ["every type"]
    return found


def _told(definition: str) -> Told:
    return told_operations().get(id_of(definition)) or Told("", "", ())


@cache
def _environment() -> Environment:
    made = Environment(
        loader=DictLoader({"page": _file("capability.html")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["id_of"] = id_of
    return made


@cache
def _file(name: str) -> str:
    return files("server.http.pages").joinpath(name).read_text()
