"""A GraphQL request: its document, operation and variables, within limits (https://hl7.org/fhir/R4/graphql.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson
from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    parse,
)

from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request

MAX_TOKENS = 10_000
MAX_DEPTH = 24
MAX_FIELDS = 2000


class _Body(msgspec.Struct):
    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation to run, the fragments it may use and the values of its variables."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def argument(self, node: ValueNode) -> Any:
        """The value of an argument, its variables put in; enums are their names."""
        match node:
            case VariableNode():
                if node.name.value not in self.variables:
                    raise invalid("A variable is used that the operation does not declare.")
                return self.variables[node.name.value]
            case IntValueNode():
                return int(node.value) if len(node.value) < 20 else node.value
            case FloatValueNode():
                return node.value
            case StringValueNode() | EnumValueNode() | BooleanValueNode():
                return node.value
            case NullValueNode():
                return None
            case ListValueNode():
                return [self.argument(one) for one in node.values]
            case ObjectValueNode():
                return {one.name.value: self.argument(one.value) for one in node.fields}
        raise invalid("An argument has a value that cannot be read.")

    def arguments(self, node: FieldNode | DirectiveNode) -> dict[str, Any]:
        """Every argument of a field or directive; those that are null are as if absent."""
        found = {one.name.value: self.argument(one.value) for one in node.arguments or ()}
        return {name: value for name, value in found.items() if value is not None}


def read_asked(request: Request) -> Asked:
    """The request in a query string, or in a body of JSON or GraphQL; FhirError when it cannot be run."""
    body = _body(request)
    try:
        document = parse(body.query, no_location=True, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError:
        raise invalid("The query is not GraphQL, or it is too long.") from None
    except RecursionError:
        raise invalid("The query is nested too deep.") from None
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    operation = _operation(document, body.operationName)
    _measure(operation.selection_set, fragments)
    return Asked(document, operation, fragments, _variables(operation, body.variables or {}))


def _body(request: Request) -> _Body:
    kind = request.content_type.partition(";")[0].strip().lower()
    if request.method == "POST" and kind == "application/graphql":
        return _Body(request.body.decode("utf-8", "replace"))
    if request.method == "POST" and request.body:
        try:
            return msgspec.json.decode(request.body, type=_Body)
        except (msgspec.DecodeError, RecursionError):
            raise invalid("Send JSON with query, and maybe variables and operationName.") from None
    given = dict(request.query)
    if "query" not in given:
        raise invalid("Send the query as the parameter query, or as the body of a POST.")
    try:
        variables = orjson.loads(given["variables"]) if given.get("variables") else {}
    except orjson.JSONDecodeError:
        raise invalid("variables must be a JSON object.") from None
    if not isinstance(variables, dict):
        raise invalid("variables must be a JSON object.")
    return _Body(given["query"], variables, given.get("operationName") or None)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if name is not None:
        found = [one for one in found if one.name and one.name.value == name]
    if len(found) != 1:
        raise invalid("The document must hold one operation, or operationName must name one of them.")
    if found[0].operation.value != "query":
        raise invalid("Only queries are served; change resources by REST.")
    return found[0]


def _variables(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    none = Asked(DocumentNode(definitions=()), operation, {}, {})
    for one in operation.variable_definitions or ():
        name = one.variable.name.value
        default = none.argument(one.default_value) if one.default_value else None
        values[name] = given.get(name, default)
        if values[name] is None and one.type.kind == "non_null_type":
            raise invalid("A variable that is required has no value.")
    return values


def _measure(selections: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    """Refuse what is too deep, too wide, or refers to itself."""
    count = 0

    def walk(one: SelectionSetNode | None, depth: int, inside: tuple[str, ...]) -> None:
        nonlocal count
        if depth > MAX_DEPTH:
            raise invalid(f"The query is nested deeper than {MAX_DEPTH} levels.")
        for node in one.selections if one else ():
            count += 1
            if count > MAX_FIELDS:
                raise invalid(f"The query asks for more than {MAX_FIELDS} fields.")
            if isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name in inside or name not in fragments:
                    raise invalid("A fragment is not there, or it uses itself.")
                walk(fragments[name].selection_set, depth + 1, (*inside, name))
            elif isinstance(node, FieldNode | InlineFragmentNode):
                walk(node.selection_set, depth + 1, inside)

    walk(selections, 0, ())


def fields_of(asked: Asked, selections: SelectionSetNode | None, fits: Any) -> Iterator[FieldNode]:
    """The fields to answer, those of fragments whose type `fits` included, without what is skipped."""
    for node in selections.selections if selections else ():
        if not _is_on(asked, node.directives):
            continue
        if isinstance(node, FieldNode):
            yield node
            continue
        fragment = asked.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)
        condition = fragment.type_condition
        if condition is None or fits(condition.name.value):
            yield from fields_of(asked, fragment.selection_set, fits)


def _is_on(asked: Asked, directives: Any) -> bool:
    for one in directives or ():
        if one.name.value in ("skip", "include"):
            wanted = asked.arguments(one).get("if")
            if not isinstance(wanted, bool):
                raise invalid("@skip and @include need a boolean.")
            if wanted is (one.name.value == "skip"):
                return False
    return True


def invalid(text: str) -> FhirError:
    """A request that cannot be run as a whole."""
    return FhirError.of(Category.INCORRECT, "invalid", text)
