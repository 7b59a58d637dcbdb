"""JSON Patch: the examples of the RFC, its errors, and the limits (https://www.rfc-editor.org/rfc/rfc6902#appendix-A)."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.patch import MAX_OPERATIONS, json_patch

Json = dict[str, Any]

GOOD: list[tuple[str, Json, list[Json], Json]] = [
    ("add a member", {"a": 1}, [{"op": "add", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
    ("add over a member", {"a": 1}, [{"op": "add", "path": "/a", "value": 2}], {"a": 2}),
    ("add an item", {"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
    ("add at the end", {"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [1, 2]}),
    ("add at the size", {"a": [1]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2]}),
    ("add null", {"a": 1}, [{"op": "add", "path": "/b", "value": None}], {"a": 1, "b": None}),
    ("remove a member", {"a": 1, "b": 2}, [{"op": "remove", "path": "/b"}], {"a": 1}),
    ("remove an item", {"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
    ("remove the last item", {"a": [1], "b": 1}, [{"op": "remove", "path": "/a/0"}], {"b": 1}),
    (
        "fill an emptied list",
        {"a": [1]},
        [{"op": "remove", "path": "/a/0"}, {"op": "add", "path": "/a/-", "value": 2}],
        {"a": [2]},
    ),
    ("replace", {"a": {"b": 1}}, [{"op": "replace", "path": "/a/b", "value": [2]}], {"a": {"b": [2]}}),
    ("replace the whole", {"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
    (
        "move a member",
        {"a": {"b": 1}, "c": {}},
        [{"op": "move", "from": "/a/b", "path": "/c/d"}],
        {"a": {}, "c": {"d": 1}},
    ),
    ("move an item", {"a": [1, 2, 3]}, [{"op": "move", "from": "/a/0", "path": "/a/2"}], {"a": [2, 3, 1]}),
    ("move to where it is", {"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
    ("copy", {"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1], "b": [1]}),
    ("test text", {"a": "x"}, [{"op": "test", "path": "/a", "value": "x"}], {"a": "x"}),
    (
        "test a decimal",
        {"a": Decimal("1.50")},
        [{"op": "test", "path": "/a", "value": Decimal("1.5")}],
        {"a": Decimal("1.50")},
    ),
    (
        "test a whole decimal",
        {"a": Decimal("10.0")},
        [{"op": "test", "path": "/a", "value": 10}],
        {"a": Decimal("10.0")},
    ),
    (
        "test an object",
        {"a": {"x": [1], "y": 2}},
        [{"op": "test", "path": "/a", "value": {"y": 2, "x": [1]}}],
        {"a": {"x": [1], "y": 2}},
    ),
    (
        "escapes",
        {"/": 1, "~1": 2},
        [{"op": "test", "path": "/~1", "value": 1}, {"op": "remove", "path": "/~01"}],
        {"/": 1},
    ),
    ("an empty name", {"": 1, "a": 2}, [{"op": "remove", "path": "/"}], {"a": 2}),
    ("unknown members", {"a": 1}, [{"op": "remove", "path": "/a", "comment": "x"}], {}),
]

BAD: list[tuple[str, Json, Any, str, str]] = [
    ("no array", {}, {"op": "add"}, "structure", "array"),
    ("no object", {}, ["add"], "structure", "Operation 0"),
    ("no op", {}, [{"path": "/a"}], "structure", "op must be"),
    ("an unknown op", {}, [{"op": "merge", "path": "/a"}], "structure", "op must be"),
    ("no path", {}, [{"op": "remove"}], "required", "path must be"),
    ("no value", {}, [{"op": "add", "path": "/a"}], "required", "value is missing"),
    ("no from", {}, [{"op": "copy", "path": "/a"}], "required", "from must be"),
    ("no pointer", {"a": 1}, [{"op": "remove", "path": "a"}], "invalid", "no JSON Pointer"),
    ("a lone tilde", {"a": 1}, [{"op": "remove", "path": "/a~2"}], "invalid", "no JSON Pointer"),
    ("no such member", {"a": 1}, [{"op": "remove", "path": "/b"}], "not-found", "nothing stands"),
    ("no such parent", {"a": 1}, [{"op": "add", "path": "/b/c", "value": 1}], "not-found", "nothing stands"),
    ("into a text", {"a": "x"}, [{"op": "add", "path": "/a/b", "value": 1}], "invalid", "neither object nor array"),
    ("beyond the end", {"a": [1]}, [{"op": "add", "path": "/a/2", "value": 1}], "not-found", "beyond the end"),
    ("the end is nothing", {"a": [1]}, [{"op": "remove", "path": "/a/-"}], "invalid", "index"),
    ("a leading zero", {"a": [1, 2]}, [{"op": "remove", "path": "/a/01"}], "invalid", "index"),
    ("a negative index", {"a": [1, 2]}, [{"op": "remove", "path": "/a/-1"}], "invalid", "index"),
    ("remove the whole", {"a": 1}, [{"op": "remove", "path": ""}], "invalid", "whole resource"),
    ("replace by text", {"a": 1}, [{"op": "replace", "path": "", "value": "x"}], "structure", "no JSON object"),
    ("into itself", {"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/c"}], "invalid", "into itself"),
    ("a test that fails", {"a": 1}, [{"op": "test", "path": "/a", "value": 2}], "business-rule", "does not hold"),
    ("true is not 1", {"a": True}, [{"op": "test", "path": "/a", "value": 1}], "business-rule", "does not hold"),
    ("too many", {}, [{"op": "add", "path": "/a", "value": 1}] * (MAX_OPERATIONS + 1), "too-long", "more than"),
]


@pytest.mark.parametrize(("name", "before", "patch", "after"), GOOD, ids=[g[0] for g in GOOD])
def test_an_operation_does_what_the_rfc_says(name: str, before: Json, patch: list[Json], after: Json) -> None:
    """The result is that of the RFC, and neither the resource nor the patch was changed."""
    kept = copy.deepcopy((before, patch))
    result = json_patch(before, patch)
    assert result == after
    assert (before, patch) == kept


@pytest.mark.parametrize(("name", "before", "patch", "code", "says"), BAD, ids=[b[0] for b in BAD])
def test_a_wrong_operation_is_refused(name: str, before: Json, patch: Any, code: str, says: str) -> None:
    """The error has a code and says what is wrong, and the resource was not changed."""
    kept = copy.deepcopy(before)
    with pytest.raises(FhirError, match=says) as refused:
        json_patch(before, patch)
    assert refused.value.problems[0].code == code
    assert before == kept


def test_the_error_names_the_operation() -> None:
    """The index of the failing operation and its member are the place; nothing of the resource is repeated."""
    patch = [{"op": "add", "path": "/b", "value": 1}, {"op": "test", "path": "/name", "value": "Quill"}]
    with pytest.raises(FhirError) as refused:
        json_patch({"name": "Secret"}, patch)
    problem = refused.value.problems[0]
    assert problem.expression == "[1].value"
    assert "Operation 1" in problem.text
    assert "Secret" not in problem.text
    assert "Quill" not in problem.text


def test_the_result_shares_nothing_with_the_patch() -> None:
    """A value that was added twice can be changed at one place without the other."""
    value = {"x": [1]}
    result = json_patch({}, [{"op": "add", "path": "/a", "value": value}, {"op": "copy", "from": "/a", "path": "/b"}])
    result["a"]["x"].append(2)
    assert (value, result["b"]) == ({"x": [1]}, {"x": [1]})


def test_copies_of_copies_are_bounded() -> None:
    """A patch that doubles the resource with each operation is refused before it fills the memory."""
    doubling = [{"op": "copy", "from": "/a", "path": "/a/-"} for _ in range(60)]
    with pytest.raises(FhirError, match="adds more than"):
        json_patch({"a": [1, 2, 3]}, doubling)


def test_depth_is_bounded() -> None:
    """A patch cannot nest deeper than a body may."""
    deep: Any = 1
    for _ in range(150):
        deep = [deep]
    with pytest.raises(FhirError, match="levels deep"):
        json_patch({}, [{"op": "add", "path": "/a", "value": deep}])
