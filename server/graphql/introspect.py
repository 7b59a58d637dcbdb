"""The GraphQL schema of R4, made from the definitions when somebody asks for it (https://spec.graphql.org/October2021/#sec-Introspection)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    execute_sync,
)

from fhir_profiles.definitions import Definitions, load
from fhir_profiles.errors import Category, FhirError

from .asked import Asked

_SCALARS: dict[str, GraphQLScalarType] = {
    "boolean": GraphQLBoolean,
    "integer": GraphQLInt,
    "positiveInt": GraphQLInt,
    "unsignedInt": GraphQLInt,
    "decimal": GraphQLFloat,
    "id": GraphQLID,
}
_META = ("__schema", "__type")


def introspect(asked: Asked) -> dict[str, Any] | None:
    """The answer to a query about the schema; None when it is about resources."""
    roots = [one.name.value for one in asked.operation.selection_set.selections if isinstance(one, FieldNode)]
    if not any(name in _META for name in roots):
        return None
    if any(name not in (*_META, "__typename") for name in roots):
        text = "Ask about the schema and about resources in two requests."
        raise FhirError.of(Category.INCORRECT, "invalid", text)
    name = asked.operation.name.value if asked.operation.name else None
    result = execute_sync(schema(), asked.document, variable_values=dict(asked.variables), operation_name=name)
    if result.errors:
        raise FhirError.of(Category.INCORRECT, "invalid", "The query about the schema cannot be answered.")
    return {"data": result.data}


@cache
def schema() -> GraphQLSchema:
    """Every type of R4, its fields, and the searches at the root."""
    return _Builder(load()).schema()


class _Builder:
    """Makes each type once; fields are worked out when they are looked at."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._types: dict[str, GraphQLObjectType] = {}
        self._any = GraphQLUnionType("AnyResource", lambda: [self._of(n) for n in definitions.resource_types])

    def schema(self) -> GraphQLSchema:
        return GraphQLSchema(GraphQLObjectType("Query", self._root))

    def _root(self) -> dict[str, GraphQLField]:
        fields = {}
        for name in self._definitions.resource_types:
            one = self._of(name)
            arguments = self._search_arguments(name)
            fields[name] = GraphQLField(one, {"id": GraphQLArgument(GraphQLNonNull(GraphQLID))})
            fields[f"{name}List"] = GraphQLField(GraphQLList(one), arguments)
            fields[f"{name}Connection"] = GraphQLField(self._connection(name), arguments)
        return fields

    def _search_arguments(self, name: str) -> dict[str, GraphQLArgument]:
        codes = [code.replace("-", "_") for code in self._definitions.search_params(name)]
        return {code: GraphQLArgument(GraphQLString) for code in [*codes, "_count", "_sort", "_cursor", "_filter"]}

    def _connection(self, name: str) -> GraphQLObjectType:
        edge = GraphQLObjectType(
            f"{name}Edge",
            lambda: {
                "mode": GraphQLField(GraphQLString),
                "score": GraphQLField(GraphQLFloat),
                "resource": GraphQLField(self._of(name)),
            },
        )
        texts = {key: GraphQLField(GraphQLString) for key in ("first", "previous", "next", "last")}
        numbers = {key: GraphQLField(GraphQLInt) for key in ("count", "offset", "pagesize")}
        return GraphQLObjectType(f"{name}Connection", {**numbers, **texts, "edges": GraphQLField(GraphQLList(edge))})

    def _of(self, name: str) -> GraphQLObjectType:
        if name not in self._types:
            plain = name.replace(".", "_")
            self._types[name] = GraphQLObjectType(plain, partial(self._fields, name))
        return self._types[name]

    def _fields(self, name: str) -> Mapping[str, GraphQLField]:
        fields: dict[str, GraphQLField] = {}
        for key, (element, kind) in self._definitions.types[name].by_key.items():
            of = self._output(kind)
            fields[key] = GraphQLField(GraphQLList(of) if element.many else of)
            if self._definitions.types.get(kind) and self._definitions.types[kind].kind == "primitive-type":
                fields[f"_{key}"] = GraphQLField(self._of("Element"))
        if name == "Reference":
            arguments = {"optional": GraphQLArgument(GraphQLBoolean), "type": GraphQLArgument(GraphQLString)}
            fields["resource"] = GraphQLField(self._any, arguments)
        if self._definitions.types[name].kind == "resource":
            fields["resourceType"] = GraphQLField(GraphQLString)
        return fields

    def _output(self, kind: str) -> GraphQLOutputType:
        if kind == "Resource":
            return self._any
        of = self._definitions.types.get(kind)
        if of is None or of.kind == "primitive-type":
            return _SCALARS.get(kind, GraphQLString)
        return self._of(kind)
