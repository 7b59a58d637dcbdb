"""What the chart renders runs without root, without secrets written down, within limits (docs/kubernetes.md).

Held by what https://kubernetes.io/docs/concepts/security/pod-security-standards/ calls restricted, and more.
"""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, PROFILES, RELEASE, Resource, containers, ours, profile, render

SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY$|DATABASE$")


@pytest.fixture(scope="module", params=[None, *PROFILES], ids=lambda path: path.stem if path else "defaults")
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """What a profile renders to."""
    return render(profile(request.param))


def one_of(resources: list[Resource], kind: str, name: str) -> Resource:
    """The resource of a kind and name."""
    [found] = [one for one in resources if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def test_nothing_runs_as_root_or_writes_to_its_image(resources: list[Resource]) -> None:
    """Every container: user 10001, read-only root, no capability, no escalation, the runtime's seccomp, no token."""
    found = list(containers(resources))
    assert len(found) >= 3
    for _, pod, container in found:
        assert pod["automountServiceAccountToken"] is False and "hostNetwork" not in pod and "hostPID" not in pod
        assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        held = container["securityContext"]
        assert (held["readOnlyRootFilesystem"], held["allowPrivilegeEscalation"]) == (True, False)
        assert held["capabilities"] == {"drop": ["ALL"]} and not held.get("privileged")
        assert all("hostPath" not in volume for volume in pod["volumes"])


def test_what_may_be_written_has_a_limit(resources: list[Resource]) -> None:
    """/data and /tmp are emptyDirs with a size; memory has a limit and a request; each mount has its volume."""
    for _, pod, container in ours(resources):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert {"/data", "/tmp"} <= set(mounts) and set(mounts.values()) == set(volumes)
        assert all(volumes[mounts[path]]["emptyDir"]["sizeLimit"] for path in ("/data", "/tmp"))
        assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]


def test_secrets_come_by_reference(resources: list[Resource]) -> None:
    """No Secret is made, no variable that holds one has a value, no URL has a password."""
    assert all(one["kind"] != "Secret" for one in resources)
    for _, _, container in containers(resources):
        for variable in container.get("env", []):
            if SECRET.search(variable["name"]):
                given = variable.get("value", "$(DATABASE_PASSWORD)@")
                assert "$(DATABASE_PASSWORD)@" in given or variable["name"] == "FHIRWRIGHT_ENCRYPTION", variable["name"]
    assert re.findall(r"//[^/\s:$]+:[^$@/\s]+@", json.dumps(resources)) == []


def test_a_pod_that_ends_has_the_time_it_was_promised(resources: list[Resource]) -> None:
    """Drain, shutdown and some seconds fit before SIGKILL; the Deployment never has fewer pods than it should."""
    api = one_of(resources, "Deployment", f"{RELEASE}-api")
    assert api["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    for kind, part in (("Deployment", "api"), ("StatefulSet", "worker")):
        pod = one_of(resources, kind, f"{RELEASE}-{part}")["spec"]["template"]["spec"]
        container = pod["containers"][0]
        told = {one["name"]: one.get("value") for one in container["env"]}
        drain = int(container["lifecycle"]["preStop"]["exec"]["command"][1]) if part == "api" else 0
        assert pod["terminationGracePeriodSeconds"] >= drain + int(told["FHIRWRIGHT_SHUTDOWN_SECONDS"]) + 10


def test_the_api_is_asked_how_it_does(resources: list[Resource]) -> None:
    """Start and life by /healthz, readiness by /readyz, on the port that it listens on; the start may take minutes."""
    container = one_of(resources, "Deployment", f"{RELEASE}-api")["spec"]["template"]["spec"]["containers"][0]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] >= 300
    assert str(container["ports"][0]["containerPort"]) == container["args"][container["args"].index("--port") + 1]
    assert "--no-worker" in container["args"]


def test_the_ordinal_is_the_slot(resources: list[Resource]) -> None:
    """A worker's slot is its pod's index."""
    container = one_of(resources, "StatefulSet", f"{RELEASE}-worker")["spec"]["template"]["spec"]["containers"][0]
    variables = {one["name"]: one for one in container["env"]}
    assert container["args"] == ["worker", "--slot", "$(SLOT)"]
    field = variables["SLOT"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert field == "metadata.labels['apps.kubernetes.io/pod-index']"
    assert list(variables).index("SLOT") == 0


def test_whoever_goes_through_a_pooler_knows_a_way_around_it(resources: list[Resource]) -> None:
    """Servers, workers and doors have both URLs or one; migrations and backups need a session and the direct one."""
    for one, _, container in ours(resources):
        told = {name["name"]: json.dumps(name) for name in container["env"]}
        pooled = "pooler:" in told["FHIRWRIGHT_DATABASE"] or "pooled" in told["FHIRWRIGHT_DATABASE"]
        assert pooled is ("FHIRWRIGHT_DATABASE_DIRECT" in told)
        assert "pooled" not in (around := told.get("FHIRWRIGHT_DATABASE_DIRECT", "")) and "pooler:" not in around
        if one["kind"] in ("Job", "CronJob"):
            assert not pooled


@pytest.fixture(scope="module")
def pooled() -> list[Resource]:
    """What the profile with a PgBouncer of its own renders to."""
    return render(profile(next(path for path in PROFILES if path.stem == "pooler")))


def test_the_chart_brings_no_pooler_until_it_is_asked_for() -> None:
    """Off by default."""
    assert [one for one in render() if "pooler" in one["metadata"]["name"]] == []


def test_the_pooler_lends_by_transaction_and_keeps_to_itself(pooled: list[Resource]) -> None:
    """Both ways are encrypted, the database is known by its certificate, and files lie where they are mounted."""
    settings = configparser.ConfigParser()
    settings.read_string(one_of(pooled, "ConfigMap", f"{RELEASE}-pooler")["data"]["pgbouncer.ini"])
    told = settings["pgbouncer"]
    assert settings["databases"]["*"] == "host=postgres.example.org port=5432"
    assert (told["pool_mode"], told["auth_type"], told["unix_socket_dir"]) == ("transaction", "scram-sha-256", "")
    assert (told["server_tls_sslmode"], told["client_tls_sslmode"]) == ("verify-full", "require")
    pod = one_of(pooled, "Deployment", f"{RELEASE}-pooler")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    files = [value for name, value in told.items() if name.endswith("_file")]
    assert {str(Path(value).parent) for value in files} == mounts - {"/etc/pgbouncer"}
    assert all(mount["readOnly"] for mount in container["volumeMounts"]) and container["resources"]["limits"]["memory"]


def test_only_the_release_reaches_the_pooler(pooled: list[Resource]) -> None:
    """Pods go to it by its own port; nobody goes to a PgBouncer elsewhere."""
    told = policies(pooled)
    [inward] = told["pooler"]["ingress"]
    release = {"app.kubernetes.io/name": "fhirwright", "app.kubernetes.io/instance": RELEASE}
    assert inward == {"from": [{"podSelector": {"matchLabels": release}}], "ports": [{"port": "pooler"}]}
    there = [(rule["to"], [port["port"] for port in rule["ports"]]) for rule in told["egress"]["egress"]]
    labels = {**release, "app.kubernetes.io/component": "pooler"}
    assert ([{"podSelector": {"matchLabels": labels}}], [6432]) in there
    assert ([{"ipBlock": {"cidr": "10.20.0.0/24"}}], [5432]) in there
    assert one_of(pooled, "Service", f"{RELEASE}-pooler")["spec"]["ports"][0]["port"] == 6432


def test_another_configuration_is_another_pod(pooled: list[Resource]) -> None:
    """PgBouncer reads its file when it begins, so the pods carry the hash of it."""
    values = profile(next(path for path in PROFILES if path.stem == "pooler"))
    values["database"]["external"]["pooler"]["poolSize"] = 7
    hashes = {
        one_of(given, "Deployment", f"{RELEASE}-pooler")["spec"]["template"]["metadata"]["annotations"][
            "checksum/configuration"
        ]
        for given in (pooled, render(values))
    }
    assert len(hashes) == 2


def test_the_migration_comes_before_new_pods(resources: list[Resource]) -> None:
    """A hook before each upgrade; it needs nothing that only the release makes."""
    job = one_of(resources, "Job", f"{RELEASE}-migrate")
    assert "pre-upgrade" in job["metadata"]["annotations"]["helm.sh/hook"]
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate"]


def policies(resources: list[Resource]) -> dict[str, dict[str, Any]]:
    """The specs of network policies by what follows the release's name."""
    found = [one for one in resources if one["kind"] == "NetworkPolicy"]
    return {one["metadata"]["name"].removeprefix(f"{RELEASE}-"): one["spec"] for one in found}


def test_nothing_goes_in_or_out_but_what_is_named(resources: list[Resource]) -> None:
    """All pods are denied both ways; out go DNS, the database's port and what is named; workers take nothing."""
    told = policies(resources)
    labels = {"app.kubernetes.io/name": "fhirwright", "app.kubernetes.io/instance": RELEASE}
    assert told["deny"] == {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress", "Egress"]}
    assert told["egress"]["podSelector"]["matchLabels"] == labels
    assert all(rule["to"] and rule["ports"] for rule in told["egress"]["egress"])
    assert [port["port"] for port in told["egress"]["egress"][0]["ports"]] == [53, 53]
    inward = [spec["podSelector"]["matchLabels"] for spec in told.values() if spec.get("ingress")]
    assert all(labels["app.kubernetes.io/component"] != "worker" for labels in inward)
    assert all(rule["from"] for spec in told.values() for rule in spec.get("ingress", []))


def test_a_door_is_off_until_it_is_named_and_takes_only_whom_it_names() -> None:
    """Without doors there is none; one that listens has a Service, and a policy for whom it names."""
    args = ["worker", "--slot", "900"]
    names = {one["metadata"]["name"] for one in render()}
    assert [name for name in names if "door" in name] == []
    peers = [{"ipBlock": {"cidr": "10.1.0.0/16"}}]
    open_, shut = (render({"doors": {"ward": {"args": args, "port": 2575, **more}}}) for more in ({"from": peers}, {}))
    assert one_of(open_, "Service", "one-door-ward")["spec"]["ports"][0]["port"] == 2575
    assert policies(open_)["door-ward"]["ingress"][0]["from"] == peers
    assert "door-ward" not in policies(shut)


def test_metrics_stay_inside(resources: list[Resource]) -> None:
    """Neither the Ingress nor the route lead to /metrics or the checks of health."""
    entries = [one for one in resources if one["kind"] in ("Ingress", "HTTPRoute")]
    paths = re.findall(r'"(?:path|value)": "(/[^"]*)"', json.dumps(entries))
    assert set(paths) <= {"/fhir", "/auth", "/work", "/.well-known"}
    assert all("tls" in one["spec"] for one in entries if one["kind"] == "Ingress")


def test_dashboards_and_rules_are_the_files_themselves() -> None:
    """What the production profile gives to Grafana and Prometheus is what compose gives them."""
    rendered = render(profile(next(path for path in PROFILES if path.stem == "production")))
    rules = yaml.safe_load((CHART / "files" / "rules.yaml").read_text())
    assert one_of(rendered, "PrometheusRule", RELEASE)["spec"] == rules
    boards = {name: text for one in rendered if one["kind"] == "ConfigMap" for name, text in one["data"].items()}
    files = sorted((CHART / "files" / "dashboards").glob("*.json"))
    assert {name: json.loads(text) for name, text in boards.items()} == {
        p.name: json.loads(p.read_text()) for p in files
    }


@pytest.mark.parametrize(
    ("given", "base"),
    [({}, "https://a.example/fhir"), ({"baseUrl": "https://b.example/r4/fhir"}, "https://b.example/r4/fhir")],
)
def test_the_address_is_that_of_the_ingress_unless_it_is_set(given: dict[str, str], base: str) -> None:
    """A server without an address answers nobody who calls it by the name of its Ingress."""
    ingress = {"enabled": True, "host": "a.example", "tlsSecret": "t"}
    found = render(profile(None) | {"ingress": ingress} | given)
    [api] = [c for one, _, c in ours(found) if one["kind"] == "Deployment" and one["metadata"]["name"].endswith("-api")]
    assert {"name": "FHIRWRIGHT_BASE_URL", "value": base} in api["env"]
