"""The entries of a batch or transaction Bundle as requests (https://hl7.org/fhir/R4/bundle.html#transaction)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError, Problem

from .exchange import FHIR_JSON, Request, Response, is_reading

_RANKS = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
DELETE, POST, PUT, READ = range(4)
_TEXTS = ("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince")


class Entry(msgspec.Struct, frozen=True):
    """One entry of a Bundle: where it stands, its full URL, its resource as a dict and what it asks for."""

    number: int
    full_url: str | None
    resource: dict[str, Any] | None
    request: Request
    rank: int
    """Its place in the order of the specification: DELETE, POST, PUT (and PATCH), READ."""

    @property
    def is_conditional(self) -> bool:
        """Whether a query says which resource it writes."""
        asked = self.request
        if asked.method == "POST":
            return asked.if_none_exist is not None
        return asked.method in ("PUT", "PATCH") and len(asked.path) == 1


def read_entries(request: Request, bundle: dict[str, Any]) -> list[Entry]:
    """The entries of a Bundle as requests; FhirError names the first that cannot be read."""
    return [_read_entry(request, number, entry) for number, entry in enumerate(bundle.get("entry", []))]


def read_each(request: Request, bundle: dict[str, Any]) -> tuple[list[Entry], dict[int, Response | FhirError]]:
    """The entries of a batch that can be read, and the answers to those that cannot: one does not spoil the others."""
    entries: list[Entry] = []
    answers: dict[int, Response | FhirError] = {}
    for number, entry in enumerate(bundle.get("entry", [])):
        try:
            entries.append(_read_entry(request, number, entry))
        except FhirError as error:
            answers[number] = error
    return entries, answers


def _read_entry(outer: Request, number: int, entry: dict[str, Any]) -> Entry:
    at = f"Bundle.entry[{number}]"
    asked = entry.get("request")
    if not isinstance(asked, dict) or not isinstance(asked.get("url"), str):
        text = "Each entry needs a request with a method and a url."
        raise FhirError.of(Category.INCORRECT, "required", text, f"{at}.request")
    method = asked.get("method")
    if not isinstance(method, str) or method not in _RANKS:
        text = "The method must be GET, HEAD, POST, PUT, PATCH or DELETE."
        raise FhirError.of(Category.INCORRECT, "not-supported", text, f"{at}.request.method")
    resource, full_url = entry.get("resource"), entry.get("fullUrl")
    if (resource is not None and not isinstance(resource, dict)) or not isinstance(full_url, str | None):
        raise FhirError.of(Category.INCORRECT, "structure", "The entry is not built as FHIR says.", at)
    texts = {name: asked.get(name) for name in _TEXTS}
    if not all(isinstance(text, str | None) for text in texts.values()):
        raise FhirError.of(Category.INCORRECT, "structure", "The request holds something that is no text.", at)
    with place(number, ".request"):
        path, query = split_url(asked["url"], outer.base_url)
    if not path and method not in ("GET", "HEAD"):
        text = "The url must name what the entry is about; a Bundle inside a Bundle is not run."
        raise FhirError.of(Category.INCORRECT, "value", text, f"{at}.request.url")
    if path and path[-1][:1] == "$":
        text = "Operations are not run inside a Bundle. Call this one on its own."
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text, f"{at}.request.url")
    one = Request(
        method=method,
        path=path,
        query=query,
        base_url=outer.base_url,
        if_match=texts["ifMatch"],
        if_none_match=texts["ifNoneMatch"],
        if_modified_since=texts["ifModifiedSince"],
        if_none_exist=texts["ifNoneExist"],
        prefer=outer.prefer,
        caller=outer.caller,
        versioned=outer.versioned,
    )
    return Entry(number, full_url, resource, one, READ if is_reading(one) else _RANKS[method])


def split_url(url: str, base_url: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The path below the base and the query of an entry's URL, relative or absolute."""
    if base_url and url.startswith((f"{base_url}/", f"{base_url}?")):
        url = url[len(base_url) :]
    head, _, query = url.partition("?")
    if "://" in head or head.startswith("//"):
        text = "The url is of another server. Write it relative, or below the base of this one."
        raise FhirError.of(Category.INCORRECT, "value", text, "url")
    path = tuple([unquote(segment) for segment in head.split("/") if segment])
    return path, tuple(parse_qsl(query, keep_blank_values=True)) if query else ()


def with_body(entry: Entry) -> Request:
    """The entry's request with its resource as body; a patch may come as a Binary."""
    if entry.resource is None:
        return entry.request
    resource, content_type = entry.resource, FHIR_JSON
    if entry.request.method == "PATCH" and resource.get("resourceType") == "Binary":
        content_type = str(resource.get("contentType"))
        with place(entry.number, ".resource.data"):
            body = _data_of(resource)
    else:
        body = json.encode(resource)
    return msgspec.structs.replace(entry.request, body=body, content_type=content_type)


def _data_of(binary: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(binary.get("data", ""), validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise FhirError.of(Category.INCORRECT, "value", "The data of the Binary is not base64.") from None


def copy_of(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource that can be changed without the other, as a transaction may run more than once."""
    return json.decode(json.encode(resource))


@contextmanager
def place(number: int | None, below: str = "") -> Iterator[None]:
    """Say in which entry a problem is: its expression gets `Bundle.entry[n]` in front, and loses its type."""
    try:
        yield
    except FhirError as error:
        raise placed(error, number, below) from None


def placed(error: FhirError, number: int | None, below: str = "") -> FhirError:
    """The error with its place in front."""
    front = below if number is None else f"Bundle.entry[{number}]{below}"
    return FhirError(error.category, *(_placed(front, problem, strip=number is None) for problem in error.problems))


def _placed(front: str, problem: Problem, *, strip: bool) -> Problem:
    rest = problem.expression or ""
    if strip and rest[:1].isupper():
        rest = rest.partition(".")[2]
    return Problem(problem.severity, problem.code, problem.text, f"{front}.{rest}" if rest else front)
