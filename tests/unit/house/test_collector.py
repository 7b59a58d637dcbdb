"""The collector of the composition lets through, by name, what the server tells, and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.telemetry.vocabulary import SPANS

LEVELS = {"debug", "info", "warning", "error", "critical", "say"}
ADDED = {"at", "cause", "logger"}
"""What `describe` and the bridge of the standard library add to a line."""


@pytest.fixture(scope="module")
def collector(root: Path) -> dict[str, Any]:
    """Its configuration."""
    found: dict[str, Any] = yaml.safe_load((root / "docker" / "otel" / "collector.yaml").read_text())
    return found


def kept(collector: dict[str, Any], signal: str, context: str) -> set[str]:
    """The names of attributes that are kept in a context."""
    statements = collector["processors"]["transform/known"][f"{signal}_statements"]
    [told] = [one["statements"] for one in statements if one["context"] == context]
    [statement] = told
    assert re.fullmatch(r"keep_keys\(attributes, \[.*\]\)", statement)
    return set(re.findall(r'"([^"]+)"', statement))


def test_spans_keep_exactly_what_the_table_names(collector: dict[str, Any]) -> None:
    """Each attribute of each span there is, and no other."""
    assert kept(collector, "trace", "span") == {name for attributes in SPANS.values() for name in attributes}


def test_lines_of_the_log_keep_what_is_logged(collector: dict[str, Any], modules: list[Path]) -> None:
    """Each name that a call of a logger in the server gives; one that is new is dropped until it stands there."""
    found = set()
    for path in modules:
        if "server" in path.parts:
            found |= {key for node in ast.walk(ast.parse(path.read_text())) for key in _logged(node)}
    assert len(found) > 20
    assert found | ADDED <= kept(collector, "log", "log")


def _logged(node: ast.AST) -> set[str]:
    """The names that a call of a logger gives."""
    if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
        return set()
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    text = node.args[0].value
    return {one.arg for one in node.keywords if one.arg} if name in LEVELS and isinstance(text, str) else set()


def test_every_pipeline_goes_through_the_list(collector: dict[str, Any]) -> None:
    """No signal passes beside it, what cannot be judged is dropped, and the resource tells only what we set."""
    assert collector["processors"]["transform/known"]["error_mode"] == "propagate"
    for pipeline in collector["service"]["pipelines"].values():
        assert "transform/known" in pipeline["processors"]
        assert set(pipeline["processors"]) <= set(collector["processors"])
        assert set(pipeline["exporters"]) <= set(collector["exporters"])
        assert set(pipeline["receivers"]) <= set(collector["receivers"])
    ours = {"service.name", "service.version", "service.instance.id", "fhirwright.role"}
    assert kept(collector, "trace", "resource") == kept(collector, "log", "resource") == ours
