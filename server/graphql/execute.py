"""Answer the fields of a GraphQL query from resources (https://hl7.org/fhir/R4/graphql.html).

Resources come by the same read and search as those of any client. An error inside a field makes that field null and
stands beside the data; the rest is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from graphql import FieldNode, SelectionSetNode

from fhir_profiles import json
from fhir_profiles.definitions import Type, load
from fhir_profiles.errors import Category, FhirError, operation_outcome
from server.interactions.exchange import Request

from .asked import Asked, fields_of, invalid
from .directives import Sliced, flattened, merged, slice_of
from .lists import chosen, marks_of

MAX_VALUES = 200_000
MAX_RESOURCES = 5000

Json = dict[str, Any]
Read = Callable[[tuple[str, ...], tuple[tuple[str, str], ...]], Json]
Place = tuple[str | int, ...]


@dataclass
class Execution:
    """One run: what it reads with, what it has cost so far and what went wrong."""

    asked: Asked
    read: Read
    base_url: str
    errors: list[Json] = field(default_factory=list)
    values: int = 0
    resources: int = 0

    def root(self, resource: Json | None) -> Json:
        """The data of the operation: about the whole server, or about one resource."""
        selections = self.asked.operation.selection_set
        if resource is not None:
            return self.resource(resource, selections, ())
        return merged(
            (node, self._tried(node, ("data",), partial(self._top, node)))
            for node in fields_of(self.asked, selections, lambda name: name == "Query")
        )

    def _tried(self, node: FieldNode, place: Place, answer: Callable[[], Any]) -> Any:
        """The answer, or null with the error noted; a query that is too much as a whole ends."""
        try:
            return answer()
        except FhirError as error:
            if error.category is Category.BUSY or error.problems[0].code == "too-costly":
                raise
            path = [*place[1:], node.alias.value if node.alias else node.name.value]
            outcome = operation_outcome(error.problems)
            text = error.problems[0].text
            self.errors.append({"message": text, "path": path, "extensions": {"resource": outcome}})
            return None

    def _top(self, node: FieldNode) -> Any:
        """`Patient(id:)`, `PatientList(…)` or `PatientConnection(…)`."""
        name, arguments = node.name.value, self.asked.arguments(node)
        if name == "__typename":
            return "Query"
        if name in load().resource_types:
            if not isinstance(arguments.get("id"), str) or len(arguments) > 1:
                raise invalid("A single resource is asked for with its id, and nothing else.")
            return self._one((name, arguments["id"]), node)
        return self._search(node, arguments, None)

    def _one(self, path: tuple[str, ...], node: FieldNode) -> Json:
        self._spend(resources=1)
        return self.resource(self.read(path, ()), node.selection_set, ())

    def _spend(self, *, values: int = 0, resources: int = 0) -> None:
        self.values += values
        self.resources += resources
        if self.values > MAX_VALUES or self.resources > MAX_RESOURCES:
            text = "The query asks for too much. Ask for fewer resources or fields, or page through a Connection."
            raise FhirError.of(Category.INCORRECT, "too-costly", text)

    # Searching

    def _search(self, node: FieldNode, arguments: Mapping[str, Any], of: Json | None) -> Any:
        """A list of what a search finds, or a page of it; inside a resource, of what refers to it."""
        name = node.name.value
        kind = name.removesuffix("List").removesuffix("Connection")
        if name not in (f"{kind}List", f"{kind}Connection") or kind not in load().resource_types:
            raise invalid("There is no such field.")
        pairs = _pairs(kind, arguments, of)
        bundle = self.read((kind,), pairs)
        entries = [one for one in bundle.get("entry", ()) if one["search"]["mode"] == "match"]
        self._spend(resources=len(entries))
        if name.endswith("Connection"):
            return self._connection(node, bundle, entries)
        return [self.resource(one["resource"], node.selection_set, (n,)) for n, one in enumerate(entries)]

    def _connection(self, node: FieldNode, bundle: Json, entries: list[Json]) -> Json:
        def answer(one: FieldNode) -> Any:
            name = one.name.value
            if name == "edges":
                return [self._edge(one, entry) for entry in entries]
            simple = {
                "count": bundle.get("total"),
                "pagesize": len(entries),
                "offset": None,
                "__typename": "Connection",
            }
            if name in simple:
                return simple[name]
            if name in ("first", "previous", "next", "last"):
                return _cursor_of(bundle, name)
            raise invalid("A Connection has count, pagesize, first, previous, next, last and edges.")

        return merged((one, answer(one)) for one in fields_of(self.asked, node.selection_set, lambda _: True))

    def _edge(self, node: FieldNode, entry: Json) -> Json:
        def answer(one: FieldNode) -> Any:
            match one.name.value:
                case "resource":
                    return self.resource(entry["resource"], one.selection_set, ())
                case "mode" | "score" as name:
                    return entry["search"].get(name)
            raise invalid("An edge has mode, score and resource.")

        return merged((one, answer(one)) for one in fields_of(self.asked, node.selection_set, lambda _: True))

    # Resources and their parts

    def resource(self, resource: Json, selections: SelectionSetNode | None, place: Place) -> Json:
        """The fields of a resource."""
        return self._object(resource, resource["resourceType"], selections, resource, place)

    def _object(
        self, value: Json, kind: str, selections: SelectionSetNode | None, resource: Json, place: Place
    ) -> Json:
        if selections is None:
            raise invalid("A field that is an object needs fields of its own.")

        def fits(name: str) -> bool:
            return name in (kind, "Resource", "DomainResource", "Element")

        of = load().types[kind]
        found = []
        for node in fields_of(self.asked, selections, fits):
            self._spend(values=1)
            answer = self._tried(node, place, partial(self._field, node, value, kind, of, resource, place))
            found.append((node, answer))
        return flattened(merged(found), found)

    def _field(self, node: FieldNode, value: Json, kind: str, of: Type, resource: Json, place: Place) -> Any:
        name = node.name.value
        if name in ("__typename", "resourceType"):
            return kind
        if name == "resource" and kind == "Reference":
            return self._target(node, value, resource)
        known = of.by_key.get(name.removeprefix("_"))
        if known is None:
            if value is resource:
                return self._search(node, self.asked.arguments(node), resource)
            raise invalid("There is no such field.")
        element, kind_of = known
        if name.startswith("_"):
            kind_of = "Element"
        there, arguments = value.get(name), self.asked.arguments(node)
        if not element.many:
            if arguments:
                raise invalid("Only lists take arguments.")
            return None if there is None else self._value(node, there, kind_of, resource, place)
        items = chosen(there or [], kind_of, arguments, resource)
        self._spend(values=len(items))
        made = [self._value(node, one, kind_of, resource, (*place, name, n)) for n, one in enumerate(items)]
        if (by := slice_of(self.asked, node)) is not None:
            return Sliced(zip(marks_of(items, kind_of, by, resource), made, strict=True))
        return made if there is not None or arguments else None

    def _value(self, node: FieldNode, value: Any, kind: str, resource: Json, place: Place) -> Any:
        if not isinstance(value, dict):
            if node.selection_set:
                raise invalid("A field that is a simple value has no fields of its own.")
            return value
        kind = value.get("resourceType", kind) if kind == "Resource" else kind
        return self._object(value, kind, node.selection_set, resource, (*place, node.name.value))

    def _target(self, node: FieldNode, reference: Json, resource: Json) -> Any:
        """What a Reference points to: contained, or on this server; `optional` makes nothing of what is not there."""
        arguments = self.asked.arguments(node)
        written = reference.get("reference", "").removeprefix(f"{self.base_url}/")
        if written.startswith("#"):
            inside = [one for one in resource.get("contained", ()) if one.get("id") == written[1:]]
            found = inside[0] if inside else None
        else:
            found = self._read_reference(written, optional=arguments.get("optional") is True)
        if found is None or arguments.get("type") not in (None, found["resourceType"]):
            return None
        return self.resource(found, node.selection_set, ())

    def _read_reference(self, written: str, *, optional: bool) -> Json | None:
        kind, _, name = written.partition("/")
        try:
            if kind not in load().resource_types or not name:
                raise FhirError.of(Category.NOT_FOUND, "not-found", "The reference leads to another place.")
            self._spend(resources=1)
            return self.read((kind, *name.split("/")), ())
        except FhirError as error:
            if optional and error.category is Category.NOT_FOUND:
                return None
            raise


def _pairs(kind: str, arguments: Mapping[str, Any], of: Json | None) -> tuple[tuple[str, str], ...]:
    """Search parameters: `_` in a name stands for the `-` that GraphQL does not allow."""
    known, pairs = load().search_params(kind), []
    for name, value in arguments.items():
        if name == "_reference":
            if of is None:
                raise invalid("_reference is for lists inside a resource.")
            continue
        code = name if name in known or name.startswith("_") else name.replace("_", "-")
        text = ",".join(_text(one) for one in value) if isinstance(value, list) else _text(value)
        pairs.append((code, text))
    if of is not None:
        by = arguments.get("_reference")
        if not isinstance(by, str):
            raise invalid("A list inside a resource needs _reference: the parameter that refers to it.")
        pairs.append((by.replace("_", "-") if by not in known else by, f"{of['resourceType']}/{of['id']}"))
    return tuple(pairs)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        raise invalid("A search parameter has a simple value.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cursor_of(bundle: Json, relation: str) -> str | None:
    url = next((link["url"] for link in bundle.get("link", ()) if link["relation"] == relation), None)
    return dict(parse_qsl(urlsplit(url).query)).get("_cursor") if url else None


def run(asked: Asked, reading: Callable[[Request], bytes], outer: Request, path: tuple[str, ...]) -> Json:
    """The answer as GraphQL has it: `data`, and `errors` where there are any. `path` is the resource, if about one."""

    def read(at: tuple[str, ...], query: tuple[tuple[str, str], ...]) -> Json:
        if len(at) == 4 and at[2] != "_history":
            raise invalid("A reference has a form that is not read here.")
        one = Request(method="GET", path=at, query=query, base_url=outer.base_url, caller=outer.caller, prefer=_STRICT)
        return json.decode(reading(one))

    execution = Execution(asked, read, outer.base_url)
    data = execution.root(read(path, ()) if path else None)
    return {"data": data, **({"errors": execution.errors} if execution.errors else {})}


_STRICT = "handling=strict"
