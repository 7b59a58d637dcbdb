"""The container files call only what exists; no engine runs here, so this is what can be held."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.cli.main import COMMANDS, load_command
from server.settings import Settings


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    """The Dockerfile with its continued lines joined."""
    return (root / "docker" / "Dockerfile").read_text().replace("\\\n", " ")


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    """The composition."""
    found: dict[str, Any] = yaml.safe_load((root / "docker" / "compose.yaml").read_text())
    return found


def test_hadolint_has_nothing_to_say(root: Path) -> None:
    """The Dockerfile follows the rules of the linter, without exceptions."""
    command = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if not command:
        pytest.skip("hadolint is not installed")
    result = subprocess.run([command, str(root / "docker" / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_called_commands_and_options_exist(dockerfile: str, compose: dict[str, Any]) -> None:
    """Every `fhirwright` call of the image and of the composition names a command and options that there are."""
    calls = list(_calls(dockerfile, compose))
    assert len(calls) >= 5
    for name, *options in calls:
        assert name in COMMANDS, name
        known = {text for p in load_command(name).params for text in (*p.opts, *p.secondary_opts)}
        assert {option for option in options if option.startswith("--")} <= known, name


def _calls(dockerfile: str, compose: dict[str, Any]) -> Iterator[list[str]]:
    """The arguments of each `fhirwright` call."""
    assert re.search(r'^ENTRYPOINT \["fhirwright"\]$', dockerfile, re.MULTILINE)
    yield json.loads(re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)[-1])
    for service in compose["services"].values():
        if service["image"] == "fhirwright":
            yield service["command"]


def test_settings_that_are_given_exist(dockerfile: str, compose: dict[str, Any]) -> None:
    """Each FHIRWRIGHT_ variable is a setting, and its value is one that it takes."""
    told = dict(re.findall(r"(FHIRWRIGHT_\w+)=(\S+)", dockerfile))
    for service in compose["services"].values():
        told |= {key: value for key, value in service.get("environment", {}).items() if key.startswith("FHIRWRIGHT_")}
    fields = {f"FHIRWRIGHT_{name.upper()}": name for name in Settings.model_fields}
    assert set(told) <= set(fields)
    told = {key: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for key, value in told.items()}
    values = {fields[key]: re.sub(r"\$\{.*?\}", "secret", value) for key, value in told.items()}
    assert Settings.model_validate({key: json.loads(v) if v[:1] == "[" else v for key, v in values.items()})


def test_the_composition_is_one_of_the_specification(compose: dict[str, Any]) -> None:
    """A parser of the Compose specification takes it, and no unknown field; profiles bring the rest."""
    compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is not installed")
    read = compose_spec.PyCompose.from_json
    assert read(json.dumps(compose)).services
    with pytest.raises(ValueError, match="prts"):
        read(json.dumps({"services": {"x": {"image": "y", "prts": []}}}))
    profiles = {name: one.get("profiles", []) for name, one in compose["services"].items()}
    assert {name for name, some in profiles.items() if some == ["monitoring"]} == {"prometheus", "grafana"}
    assert {name for name, some in profiles.items() if some == ["streaming"]} == {"kafka", "stream-in", "stream-out"}
    assert {name for name, some in profiles.items() if some == ["telemetry"]} == {"collector", "jaeger"}
    for one in compose["services"].values():
        assert set(one.get("depends_on", [])) <= set(profiles)
        named = {volume.split(":")[0] for volume in one.get("volumes", []) if not volume.startswith(".")}
        assert named <= set(compose["volumes"])


def test_copied_files_exist_and_are_sent(root: Path, dockerfile: str) -> None:
    """What the build copies from the context exists and passes .dockerignore."""
    sent = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for arguments in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for source in arguments.split()[:-1]:
            assert (root / source).exists(), source
            assert source.removeprefix("./").split("/")[0] in sent, source


def test_the_image_runs_without_root_and_checks_its_health(dockerfile: str, compose: dict[str, Any]) -> None:
    """The last stage drops root, has a health check of a route that is served, and holds no build tools."""
    final = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert "/readyz" in final
    assert "pip install" not in final
    assert all("privileged" not in service for service in compose["services"].values())


def test_no_secret_is_written_down(root: Path) -> None:
    """Passwords come from the environment and have no default."""
    text = (root / "docker" / "compose.yaml").read_text()
    assert re.findall(r"PASSWORD: (?!\$\{POSTGRES_PASSWORD:\?)", text) == []
    assert ":?set POSTGRES_PASSWORD}" in text


def test_two_workers_have_slots_of_their_own(compose: dict[str, Any]) -> None:
    """No two services share a slot, and the server starts no worker beside them."""
    slots = [s["command"][-1] for s in compose["services"].values() if s.get("command", [""])[0] == "worker"]
    assert sorted(slots) == ["0", "1"]
    assert "--no-worker" in compose["services"]["server"]["command"]
