"""Every sample message of HL7 v2 has the resources, or the reason, that its file tells."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from fhir_profiles import json as exact
from server.doors.v2.message import EVENTS, reader
from server.doors.v2.parse import parse
from server.interactions.fhir import Fhir

from .samples import Sample, read_samples, send

SAMPLES = read_samples()
BESIDE = ("T03", "T05", "T07", "T09")
"""Notifications without content, read as those with content are."""


def at(resources: list[dict[str, Any]], path: str) -> list[str]:
    """The values at a path in the resources of a type."""
    kind, *steps = path.split(".")
    found = []
    for one in (one for one in resources if one["resourceType"] == kind):
        value: Any = one
        for step in steps:
            value = value[int(step)] if step.isdigit() and isinstance(value, list) else (value or {}).get(step)
            if value is None:
                break
        found.append(value if isinstance(value, str) else str(value))
    return found


def test_enough() -> None:
    """There are at least 45 messages, and one that is stored of each event that is read."""
    assert len(SAMPLES) >= 45
    stored = {parse(one.content).kind for one in SAMPLES if one.state == "stored"}
    wanted = {(code, event) for code, events in EVENTS.items() for event in events if event not in BESIDE}
    assert wanted <= stored


@pytest.mark.parametrize("sample", SAMPLES, ids=[one.name.replace(" ", "-") for one in SAMPLES])
def test_sample(house: Fhir, sample: Sample) -> None:
    """The message is stored with just these resources and values, or lies in quarantine with this reason."""
    found = send(house, sample.content, sample.name)
    assert (found.state, found.reason) == (sample.state, sample.reason), found.text
    if sample.state == "quarantined":
        assert found.text.startswith(sample.place)
        return
    assert sample.note in found.text
    bundle = reader(house.settings)(sample.content).bundle
    resources = exact.decode(exact.encode(bundle))
    made = [one["resource"] for one in resources["entry"]]
    assert Counter(one["resourceType"] for one in made) == sample.counts
    for path, wanted in sample.values.items():
        assert wanted in at(made, path), (path, at(made, path))


CURIOUS = {
    "binary": bytes(range(256)) * 20,
    "nothing": b"",
    "zeros": b"MSH|^~\\&|A|B|||2024||ADT^A08|1|P|2.5\rPID|1||1^^^B||X\0Y\r",
    "only bars": b"MSH" + b"|" * 5000,
    "utf-16": "MSH|^~\\&|A|B|||2024||ADT^A08|1|P|2.5\r".encode("utf-16"),
    "many segments": b"MSH|^~\\&|A|B|||2024||ADT^A08|1|P|2.5\r" + b"ZZZ|1\r" * 50_001,
}


@pytest.mark.parametrize("content", CURIOUS.values(), ids=[one.replace(" ", "-") for one in CURIOUS])
def test_rubbish(house: Fhir, content: bytes) -> None:
    """What is no message at all lies in quarantine with a reason, and its bytes are not in it."""
    found = send(house, content, "rubbish")
    assert found.state == "quarantined"
    assert found.reason in ("syntax", "too-large")


def test_every_cut(house: Fhir) -> None:
    """A message that is cut off anywhere becomes something valid or a reason, and never an error of ours."""
    whole = SAMPLES[0].content
    for end in range(0, len(whole), 61):
        assert send(house, whole[:end], f"cut {end}").state in ("stored", "quarantined")
