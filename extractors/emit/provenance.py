"""Where everything emitted comes from (https://hl7.org/fhir/R4/provenance.html)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from extractors.emit.concepts import fixed
from extractors.emit.people import reference_to
from extractors.emit.source import Source
from extractors.model import Coded
from fhir_profiles.systems import PROVENANCE_PARTICIPANT


def emit_provenance(source: Source, coded: Coded, resources: Iterable[dict[str, Any]], id: str) -> dict[str, Any]:
    """One Provenance that targets every resource of the document.

    Its entities are the document version that was read and the editions of the code systems that were used; its agent
    is the software with its version.
    """
    editions = sorted((system, version) for system, version in coded.editions.items() if version)
    return {
        "resourceType": "Provenance",
        "id": id,
        "contained": [_software(source)],
        "target": [reference_to(resource) for resource in resources],
        "recorded": source.recorded,
        "activity": {"text": "Coded from the document"},
        "agent": [
            {"type": fixed(PROVENANCE_PARTICIPANT, "assembler", "Assembler"), "who": {"reference": "#software"}},
        ],
        "entity": [
            {"role": "source", "what": source.versioned},
            *(
                {
                    "role": "source",
                    "what": {
                        "type": "CodeSystem",
                        "identifier": {"system": system, "value": version},
                        "display": f"{system}|{version}",
                    },
                }
                for system, version in editions
            ),
        ],
    }


def _software(source: Source) -> dict[str, Any]:
    device: dict[str, Any] = {
        "resourceType": "Device",
        "id": "software",
        "deviceName": [{"name": source.software, "type": "model-name"}],
    }
    if source.software_version:
        device["version"] = [{"value": source.software_version}]
    return device
