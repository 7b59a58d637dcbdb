"""JSON Patch over a resource (https://www.rfc-editor.org/rfc/rfc6902, https://www.rfc-editor.org/rfc/rfc6901)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.json import MAX_DEPTH
from fhir_profiles.patch.values import copied, same, size

MAX_OPERATIONS = 1_000
MAX_COPIED = 200_000
"""How many JSON values the operations of one patch may add or copy together: copies of copies grow fast."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"~(?![01])")

Pointer = tuple[str, ...]


class _Wrong(Exception):
    """Why an operation cannot be applied; `code` is from http://hl7.org/fhir/issue-type."""

    def __init__(self, text: str, code: str = "invalid", member: str = "path") -> None:
        super().__init__(text)
        self.code = code
        self.member = member


def json_patch(resource: dict[str, Any], patch: list[Any]) -> dict[str, Any]:
    """The resource after every operation; FhirError(INCORRECT) names the first operation that fails, by its index.

    An array that `remove` or `move` empties goes too, since FHIR has no empty arrays, unless a later operation
    fills it. A `test` that does not hold fails with the code `business-rule`.
    """
    if type(patch) is not list:
        raise _refused("structure", "A JSON Patch is an array of operations.", None)
    if len(patch) > MAX_OPERATIONS:
        raise _refused("too-long", f"The patch has more than {MAX_OPERATIONS} operations. Send it in parts.", None)
    document = _Document(resource)
    for i, operation in enumerate(patch):
        try:
            document.apply(operation)
        except _Wrong as wrong:
            raise _refused(wrong.code, f"Operation {i}: {wrong}", f"[{i}].{wrong.member}") from None
    return document.result()


def _refused(code: str, text: str, place: str | None) -> FhirError:
    return FhirError.of(Category.INCORRECT, code, text, place)


class _Document:
    """The copy that the operations change."""

    def __init__(self, resource: dict[str, Any]) -> None:
        self._root: Any = copied(resource)
        self._emptied: list[tuple[Any, Any, list[Any]]] = []
        self._added = 0

    def apply(self, operation: Any) -> None:
        """One operation; `_Wrong` when it cannot be."""
        if type(operation) is not dict:
            raise _Wrong("an operation is a JSON object.", "structure", "op")
        name = operation.get("op")
        do = _OPERATIONS.get(name) if type(name) is str else None
        if do is None:
            raise _Wrong(f"op must be one of {', '.join(_OPERATIONS)}.", "structure", "op")
        do(self, _pointer(operation, "path"), operation)

    def result(self) -> dict[str, Any]:
        """The changed resource, without the arrays that were left empty."""
        for owner, key, emptied in reversed(self._emptied):
            if not emptied and type(owner) is dict and owner.get(key) is emptied:
                del owner[key]
        if type(self._root) is not dict:
            raise _refused("structure", "After the patch the resource is no JSON object.", None)
        if _depth_exceeds(self._root, MAX_DEPTH):
            raise _refused("structure", f"After the patch the JSON is nested more than {MAX_DEPTH} levels deep.", None)
        return self._root

    def _get(self, at: Pointer, member: str = "path") -> Any:
        value = self._root
        for token in at:
            value = value[_key(value, token, member)]
        return value

    def _take_in(self, value: Any) -> Any:
        self._added += size(value)
        if self._added > MAX_COPIED:
            raise _Wrong(f"the patch adds more than {MAX_COPIED} values.", "too-long", "value")
        return copied(value)

    def _put(self, at: Pointer, value: Any) -> None:
        if not at:
            self._root = value
            return
        owner = self._get(at[:-1])
        if type(owner) is list:
            owner.insert(len(owner) if at[-1] == "-" else _place(owner, at[-1], len(owner), "path"), value)
        elif type(owner) is dict:
            owner[at[-1]] = value
        else:
            raise _Wrong("the path leads into a value that is neither object nor array.")

    def _cut(self, at: Pointer, member: str = "path") -> Any:
        if not at:
            raise _Wrong("the whole resource cannot be removed. Delete it instead.", member=member)
        owner = self._get(at[:-1], member)
        value = owner.pop(_key(owner, at[-1], member))
        if type(owner) is list and not owner and len(at) > 1:
            holder = self._get(at[:-2], member)
            self._emptied.append((holder, at[-2], owner))
        return value

    def add(self, at: Pointer, operation: Mapping[str, Any]) -> None:
        """A new member, or an item before the one at the index (`-` for the end)."""
        self._put(at, self._take_in(_value(operation)))

    def remove(self, at: Pointer, _: Mapping[str, Any]) -> None:
        """What stands at the path, which must exist."""
        self._cut(at)

    def replace(self, at: Pointer, operation: Mapping[str, Any]) -> None:
        """Another value for what stands at the path, which must exist."""
        value = self._take_in(_value(operation))
        if not at:
            self._root = value
            return
        owner = self._get(at[:-1])
        owner[_key(owner, at[-1], "path")] = value

    def move(self, at: Pointer, operation: Mapping[str, Any]) -> None:
        """What stands at `from`, taken away there."""
        source = _pointer(operation, "from")
        if at == source:
            self._get(source, "from")
            return
        if at[: len(source)] == source:
            raise _Wrong("a value cannot be moved into itself.", member="from")
        self._put(at, self._cut(source, "from"))

    def copy(self, at: Pointer, operation: Mapping[str, Any]) -> None:
        """What stands at `from`, once more."""
        self._put(at, self._take_in(self._get(_pointer(operation, "from"), "from")))

    def test(self, at: Pointer, operation: Mapping[str, Any]) -> None:
        """That the value at the path equals the one given."""
        if not same(self._get(at), _value(operation)):
            raise _Wrong("the test does not hold: another value stands there.", "business-rule", "value")


_OPERATIONS: Mapping[str, Callable[[_Document, Pointer, Mapping[str, Any]], None]] = {
    "add": _Document.add,
    "remove": _Document.remove,
    "replace": _Document.replace,
    "move": _Document.move,
    "copy": _Document.copy,
    "test": _Document.test,
}


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise _Wrong("value is missing.", "required", "value")
    return operation["value"]


def _pointer(operation: Mapping[str, Any], member: str) -> Pointer:
    """The JSON Pointer in `path` or `from` as its tokens."""
    text = operation.get(member)
    if type(text) is not str:
        raise _Wrong(f"{member} must be a JSON Pointer.", "required", member)
    if text == "":
        return ()
    if text[0] != "/" or _BAD_ESCAPE.search(text):
        raise _Wrong(
            f"{member} is no JSON Pointer: it starts with '/', and '~' stands only in ~0 and ~1.", member=member
        )
    tokens = tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))
    if len(tokens) > MAX_DEPTH:
        raise _Wrong(f"{member} is more than {MAX_DEPTH} levels deep.", "too-long", member)
    return tokens


def _key(owner: Any, token: str, member: str) -> Any:
    """The key of an existing child."""
    if type(owner) is dict and token in owner:
        return token
    if type(owner) is list:
        return _place(owner, token, len(owner) - 1, member)
    raise _Wrong(f"nothing stands at {member}.", "not-found", member)


def _place(owner: list[Any], token: str, last: int, member: str) -> int:
    if not _INDEX.fullmatch(token):
        raise _Wrong(f"{member} needs the index of an array item: 0, 1, 2, …", member=member)
    if int(token) > last:
        raise _Wrong(f"{member} leads beyond the end of an array of {len(owner)}.", "not-found", member)
    return int(token)


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [c for v in level for c in (v.values() if type(v) is dict else v) if type(c) in (dict, list)]
        if not level:
            return False
    return True
