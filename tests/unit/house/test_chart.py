"""The Helm chart renders with every profile of values to resources that Kubernetes takes (docs/kubernetes.md)."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.cli.main import COMMANDS, load_command
from server.settings import Settings
from tests.support.chart import CHART, PROFILES, Resource, ours, profile, refusal, render
from tests.support.custom_resources import SPECS, schema_of

CASES = [None, *PROFILES]
KUBERNETES = ("1.29", "1.37")
"""The oldest version that the chart takes, and the newest whose schemas are known."""


@pytest.fixture(scope="module", params=CASES, ids=lambda path: path.stem if path else "defaults")
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """What a profile renders to."""
    return render(profile(request.param))


def test_every_resource_is_what_kubernetes_takes(resources: list[Resource]) -> None:
    """Strictly, in the oldest and the newest version: no field that is unknown, none of another type, none missing."""
    kinds = Counter(one["kind"] for one in resources)
    assert kinds["Deployment"] >= 1 and kinds["StatefulSet"] == 1 and kinds["NetworkPolicy"] >= 3
    for one in resources:
        check(one)


@pytest.mark.parametrize("kind", ["Deployment", "NetworkPolicy", "ScaledObject", "PrometheusRule"])
def test_a_field_that_is_unknown_is_seen(kind: str) -> None:
    """The check above can fail: for what Kubernetes knows, and for custom resources."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    rendered = render(profile(next(path for path in PROFILES if path.stem == "keda")))
    one = next(one for one in rendered if one["kind"] == kind)
    one["spec"]["replicaz"] = 3
    with pytest.raises(jsonschema.ValidationError, match="replicaz"):
        check(one)


def check(one: Resource) -> None:
    """Raise where a resource is not what its schema says; skip without the package that has the schemas."""
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed").validate
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    if (one["apiVersion"], one["kind"]) in SPECS:
        jsonschema.validate(one, schema_of(one["apiVersion"], one["kind"]))
    else:
        for version in KUBERNETES:
            validate(one, version, strict=True)


def test_names_are_unique_and_fit(resources: list[Resource]) -> None:
    """No two resources of a kind share a name; each fits into a label."""
    names = Counter((one["kind"], one["metadata"]["name"]) for one in resources)
    assert [name for name, count in names.items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for _, name in names)


def test_what_is_selected_is_there(resources: list[Resource]) -> None:
    """Selectors of workloads, services, budgets and policies find pods; what is scaled, mounted or routed to exists."""
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in resources if "template" in one.get("spec", {})]
    names = {(one["kind"], one["metadata"]["name"]) for one in resources}
    for one in resources:
        spec = one.get("spec", {})
        given = spec.get("selector") or spec.get("podSelector") or {}
        labels = given.get("matchLabels", given)
        if labels and one["kind"] != "ServiceMonitor":
            assert any(labels.items() <= pod.items() for pod in pods), one["metadata"]["name"]
        target = spec.get("scaleTargetRef")
        assert target is None or (target["kind"], target["name"]) in names
        if one["kind"] == "ServiceMonitor":
            services = [x["metadata"]["labels"] for x in resources if x["kind"] == "Service"]
            assert len([x for x in services if labels.items() <= x.items()]) == 1
    for name in re.findall(r'"(?:backendRefs|service)": \[?{"name": "([^"]+)"', json.dumps(resources)):
        assert ("Service", name) in names


def test_commands_and_settings_exist(resources: list[Resource]) -> None:
    """Each container calls a command with options that there are; each FHIRWRIGHT_ variable is a setting."""
    fields = {f"FHIRWRIGHT_{name.upper()}": name for name in Settings.model_fields}
    for _, _, container in ours(resources):
        name, *options = container["args"]
        assert name in COMMANDS
        command = load_command(name)
        for part in [one for one in options if one in getattr(command, "commands", {})][:1]:
            command = command.commands[part]
        assert not hasattr(command, "commands"), "a group needs a command"
        known = {text for p in command.params for text in (*p.opts, *p.secondary_opts)}
        assert {option for option in options if option.startswith("--")} <= known
        told = {one["name"]: one.get("value", "postgresql://x@y/z") for one in container["env"]}
        given = {key: value for key, value in told.items() if key.startswith("FHIRWRIGHT_")}
        assert set(given) <= set(fields)
        assert Settings.model_validate({fields[key]: _plain(value) for key, value in given.items()})


def _plain(value: str) -> Any:
    """A variable's text as pydantic-settings reads it: lists and objects are JSON."""
    return json.loads(value) if value[:1] in "[{" else value


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("unknown", {"replicas": 3}, "additional properties 'replicas' not allowed"),
    ("type", {"api": {"replicas": "three"}}, "at '/api/replicas': got string, want integer"),
    ("bound", {"workers": {"documents": 0}}, "at '/workers/documents': minimum: got 0, want 1"),
    ("choice", {"database": {"mode": "sqlite"}}, "at '/database/mode': value must be one of 'external', 'operator'"),
    ("quantity", {"temporarySize": "much"}, "at '/temporarySize': 'much' does not match pattern"),
    ("password", {"database": {"external": {"password": "x"}}}, "additional properties 'password' not allowed"),
    ("secret-setting", {"settings": {"FHIRWRIGHT_DATABASE": "x"}}, "invalid propertyName 'FHIRWRIGHT_DATABASE'"),
    ("open", {"settings": {"FHIRWRIGHT_OPEN": "true"}}, "invalid propertyName 'FHIRWRIGHT_OPEN'"),
    ("no-tls", {"ingress": {"enabled": True, "host": "a.example"}}, "at '/ingress/tlsSecret': minLength: got 0"),
    ("no-metrics", {"workers": {"autoscaling": {"kind": "queue"}}}, "at '/workers/autoscaling/prometheusAddress'"),
    ("no-claim", {"backup": {"enabled": True}}, "at '/backup/claim': minLength: got 0"),
    ("pooler", {"database": {"external": {"pooler": {"enabled": True}}}}, "at '/database/external/pooledKey'"),
    ("poolers", {"database": {"mode": "operator", "external": {"pooler": {"enabled": True}}}}, "at '/database/mode'"),
    ("door", {"doors": {"mllp": {"port": 2575}}}, "at '/doors/mllp': missing property 'args'"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_wrong_values_are_refused_with_the_reason(values: dict[str, Any], reason: str) -> None:
    """Unknown names, wrong types, bounds, secrets as values, and what makes sense only together."""
    assert reason in refusal(values)


def test_every_value_is_described_and_has_a_default() -> None:
    """The schema names each value of values.yaml, with a sentence, and none beside."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    told = dict(leaves(schema))
    assert {name for name, text in told.items() if not re.search(r"[.)]$", text)} == set()
    for name in told:
        place = values
        for part in name.split("."):
            assert part in place, name
            place = place[part]


def test_the_table_of_values_is_what_the_schema_says(root: Path) -> None:
    """docs/kubernetes.md has a row for each value, with its default and its description."""
    page = (root / "docs" / "kubernetes.md").read_text()
    assert table() in page, table()


def leaves(schema: dict[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Each value that can be set, with its description."""
    found = []
    for name, one in schema["properties"].items():
        if "properties" in one and "description" not in one:
            found += leaves(one, f"{path}{name}.")
        elif name != "global":
            found.append((f"{path}{name}", one["description"]))
    return found


def table() -> str:
    """The rows of the page."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    rows = ["| value | default | what it does |", "|---|---|---|"]
    for name, text in leaves(json.loads((CHART / "values.schema.json").read_text())):
        default = values
        for part in name.split("."):
            default = default[part]
        shown = "" if default in ("", {}, []) else f"`{json.dumps(default)}`".replace('"', "")
        rows.append(f"| `{name}` | {shown} | {text} |")
    return "\n".join(rows)
