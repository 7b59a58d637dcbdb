"""The routes of one resource type, with links from what is stored to what can be done with it.

https://spec.openapis.org/oas/v3.1.0#link-object
"""

from __future__ import annotations

from fhir_profiles.definitions import load
from server.http.openapi.parts import (
    FORM,
    FORMAT,
    JSON,
    JSON_PATCH,
    PARAMETERS,
    SEARCH_RESULT,
    Tree,
    content,
    links,
    parameter,
    ref,
    response,
    typed,
)
from server.http.openapi.routes import BUNDLE, HISTORY, named, route, search_parameter
from server.http.openapi.schemas import Schemas
from server.http.routes import COMPARTMENTS


class TypeRoutes:
    """Makes the paths of a type from what the CapabilityStatement says of it."""

    def __init__(self, told: Tree, base: str, schemas: Schemas, parameters: Tree) -> None:
        self._parameters = parameters
        self._name: str = told["type"]
        self._told = told
        self._base = f"{base}/{self._name}"
        self._body = {"required": True, "content": content(schemas.resource(self._name))}
        self._found = content(typed(self._name))

    def paths(self) -> Tree:
        """Every route of the type."""
        name, base = self._name, self._base
        search = self._search()
        form = {name: {"schema": {"type": "object", "properties": self._form()}} for name in (FORM,)}
        found = {
            base: {"get": self._one("search", "Search", BUNDLE, *search), **self._conditional(search)},
            f"{base}/_search": {
                "post": self._one("postSearch", "Search by POST", BUNDLE, body={"required": False, "content": form})
            },
            f"{base}/_history": {"get": self._one("historyType", "What changed of", BUNDLE, *HISTORY)},
            f"{base}/{{id}}": self._instance(),
            f"{base}/{{id}}/_history": {"get": self._one("history", "The versions of", BUNDLE, *named("id"), *HISTORY)},
            f"{base}/{{id}}/_history/{{vid}}": {
                "get": self._one("vread", "Read a version of", self._read(), *named("id", "vid", "_summary", *FORMAT))
            },
        }
        if name in COMPARTMENTS:
            members = sorted(load().compartment(name))
            member = parameter("member", "path", "The type to search, or all.", {"enum": ["*", *members]})
            found[f"{base}/{{id}}/{{member}}"] = {
                "get": self._one("compartment", "Search what belongs to", BUNDLE, member, *named("id", *SEARCH_RESULT))
            }
        return found

    def _one(self, kind: str, text: str, statuses: Tree, *parameters: Tree, body: Tree | None = None) -> Tree:
        return route(f"{kind}{self._name}", self._name, f"{text} {self._name}.", statuses, *parameters, body=body)

    def _search(self) -> tuple[Tree, ...]:
        own = {f"{self._name}.{p['name']}": p for p in self._told["searchParam"] if not p["name"].startswith("_")}
        self._parameters.update({key: search_parameter(p) for key, p in own.items()})
        common = {p["name"]: p for p in self._told["searchParam"] if p["name"].startswith("_")}
        shared = named(*(name if name in PARAMETERS else f"search_{name}" for name in common))
        self._parameters.update({f"search_{name}": search_parameter(p) for name, p in common.items()})
        return (*named(*own), *shared, *named(*SEARCH_RESULT, "_has", "prefer", *FORMAT))

    def _form(self) -> Tree:
        return {p["name"]: {"type": "string"} for p in self._told["searchParam"][:20]}

    def _conditional(self, search: tuple[Tree, ...]) -> Tree:
        """What is done to the type: create, and changes of what a search finds."""
        only = tuple(one for one in search if one["$ref"].startswith(f"#/components/parameters/{self._name}."))
        return {
            "post": self._one(
                "create", "Create", self._written("201"), *named("ifNoneExist", "prefer"), body=self._body
            ),
            "put": self._one(
                "conditionalUpdate",
                "Update what a search finds of",
                self._written("200", "201"),
                *only,
                body=self._body,
            ),
            "patch": self._one(
                "conditionalPatch", "Patch what a search finds of", self._written("200"), *only, body=_PATCH
            ),
            "delete": self._one("conditionalDelete", "Delete what a search finds of", _DELETED, *only),
        }

    def _instance(self) -> Tree:
        read = named("id", "ifNoneMatch", "_summary", "_elements", *FORMAT)
        change = named("id", "ifMatch", "prefer")
        return {
            "get": self._one("read", "Read", self._read(), *read),
            "put": self._one("update", "Update", self._written("200", "201"), *change, body=self._body),
            "patch": self._one("patch", "Patch", self._written("200"), *change, body=_PATCH),
            "delete": self._one("delete", "Delete", _DELETED, *named("id", "ifMatch")),
        }

    def _read(self) -> Tree:
        after = links(self._name, "update", "delete", "history")
        whole = {"description": "The resource.", "headers": _HEADERS, "content": self._found, "links": after}
        return {"200": whole, **response("304"), **response("404"), **response("410"), **response("4XX")}

    def _written(self, *statuses: str) -> Tree:
        after = links(self._name, "read", "vread", "update", "patch", "delete", "history")
        whole = {"description": "What is stored.", "headers": _HEADERS, "content": self._found, "links": after}
        refused = response("400") | response("412") | response("422") | response("4XX")
        return {**dict.fromkeys(("200", *statuses), whole), **refused}


_HEADERS: Tree = {
    "ETag": {"schema": {"type": "string"}, "description": "The version."},
    "Last-Modified": {"schema": {"type": "string"}, "description": "When it was stored."},
}
_DELETED: Tree = {**response("200"), **response("204"), **response("404"), **response("412"), **response("4XX")}
_PATCH: Tree = {
    "required": True,
    "content": {JSON_PATCH: {"schema": ref("schemas", "JsonPatch")}, JSON: {"schema": ref("schemas", "Parameters")}},
}
