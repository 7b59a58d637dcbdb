"""Where everything emitted comes from (https://hl7.org/fhir/R4/provenance.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from extractors.adjudicate.model import UNDECIDED
from extractors.emit.concepts import fixed
from extractors.emit.people import reference_to
from extractors.emit.source import Source
from extractors.model import Adjudication, Coded
from fhir_profiles.systems import PROVENANCE_PARTICIPANT


def emit_provenance(
    source: Source, coded: Coded, resources: Iterable[dict[str, Any]], id: str, left: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """One Provenance that targets every resource of the document; `left` says what is not among them, and why.

    Its entities are the document version that was read and the editions of the code systems that were used; its agent
    is the software with its version, and the language model where one decided about codes.
    """
    asked = coded.adjudication
    editions = sorted((system, version) for system, version in coded.editions.items() if version)
    return {
        "resourceType": "Provenance",
        "id": id,
        **({"extension": [*left]} if left else {}),
        "contained": [_software(source), *([_model(asked)] if asked else [])],
        "target": [reference_to(resource) for resource in resources],
        "recorded": source.recorded,
        "activity": {
            "text": "Coded from the document" if asked is None else f"Coded from the document. {_told(asked)}"
        },
        "agent": [
            {"type": fixed(PROVENANCE_PARTICIPANT, "assembler", "Assembler"), "who": {"reference": "#software"}},
            *([_advised()] if asked and asked.decisions else []),
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
    versions: list[dict[str, Any]] = [{"value": source.software_version}] if source.software_version else []
    if source.model:
        versions.append({"type": {"text": "Learned model of codes"}, "value": source.model})
    return {**device, "version": versions} if versions else device


def _model(asked: Adjudication) -> dict[str, Any]:
    """The language model that was asked, with the version of the prompt."""
    return {
        "resourceType": "Device",
        "id": "adjudicator",
        "deviceName": [{"name": asked.model, "type": "model-name"}],
        "version": [{"value": asked.prompt}],
    }


def _advised() -> dict[str, Any]:
    return {"type": fixed(PROVENANCE_PARTICIPANT, "performer", "Performer"), "who": {"reference": "#adjudicator"}}


def _told(asked: Adjudication) -> str:
    """How many suggested codes the model decided about, and that the rest stands as it was."""
    if asked.silence:
        why = UNDECIDED[asked.silence]
        return f"A language model was to be asked about {len(asked.offered)} suggested codes: {why}; the rules decided."
    kept = sum(decision.verdict == "keep" for decision in asked.decisions)
    rest = f"the rules decided about {len(asked.refused)}" if asked.refused else "none was left"
    return (
        f"A language model was asked about {len(asked.offered)} suggested codes: kept {kept}, "
        f"dropped {len(asked.decisions) - kept}; {rest}."
    )
