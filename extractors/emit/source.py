"""Where emitted resources come from: the DocumentReference and what it already says (https://hl7.org/fhir/R4/documentreference.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_profiles.systems import MRN

Reference = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """The document that is emitted from.

    `document` is the id of the DocumentReference (or any stable key when nothing is stored, such as the content's
    SHA-256); with `version` it is the entity of the Provenance. `recorded` is an instant, passed in so that a second
    run gives the same bytes. `subject`, `encounter` and `author` are References taken over as they are.
    """

    document: str
    recorded: str
    version: str | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    author: Reference | None = None
    path: str = "DocumentReference.content[0].attachment"  # where the text stands, for the evidence
    mrn_system: str = MRN
    software: str = "fhirwright"
    software_version: str = ""
    model: str = ""  # version of what was learned; empty for what the software brings
    refuted: bool = False  # also emit negated problems, as Conditions with verificationStatus refuted
    suggested: float = 0.5  # problems whose code is suggested with this confidence become unconfirmed Conditions

    @property
    def reference(self) -> dict[str, str]:
        """The reference that evidence and Claim carry: the document, whichever its version."""
        return {"reference": f"DocumentReference/{self.document}"}

    @property
    def versioned(self) -> dict[str, str]:
        """The reference to exactly the version that was read."""
        history = f"/_history/{self.version}" if self.version else ""
        return {"reference": f"DocumentReference/{self.document}{history}"}


@dataclass(frozen=True, slots=True)
class Context:
    """What every emitted resource of one document points to."""

    subject: Reference
    encounter: Reference | None = None
    performer: Reference | None = None
    people: tuple[Any, ...] = field(default=())  # the resources made for them


def source_of(document: Mapping[str, Any], *, recorded: str | None = None, **settings: Any) -> Source:
    """The Source of a stored DocumentReference; `recorded` defaults to when that version was stored.

    Raises KeyError when the resource has no id.
    """
    meta = document.get("meta") or {}
    context = document.get("context") or {}
    return Source(
        document=document["id"],
        version=meta.get("versionId"),
        recorded=recorded or meta.get("lastUpdated") or document.get("date") or "1970-01-01T00:00:00Z",
        subject=document.get("subject"),
        encounter=next(iter(context.get("encounter") or ()), None),
        author=next((a for a in document.get("author") or () if _is_person(a)), None),
        **settings,
    )


def _is_person(reference: Reference) -> bool:
    """Only a practitioner can have performed what the document says; a device or organisation wrote it down."""
    kind = reference.get("type") or str(reference.get("reference", "")).rpartition("/")[0].rpartition("/")[2]
    return kind in ("Practitioner", "PractitionerRole")
