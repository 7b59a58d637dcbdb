"""Lines of an export without identifiers: one key for all its files, so that ids and days fit together.

https://www.ecfr.gov/current/title-45/section-164.514
"""

from __future__ import annotations

from datetime import date

from extractors.deid.resource import Deidentifier
from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.interactions.exchange import Request
from server.jobs.kinds import Work
from server.operations.deidentify import vocabulary_of
from server.operations.people import people_around


class Cleaning:
    """What an export does to each resource that it writes; `left_out` counts those that the gate kept back.

    Who is known is looked up by what the caller may see. A resource whose patient is not seen is left out: nobody could
    say whether it still names them.
    """

    def __init__(self, work: Work, request: Request, key: bytes, today: date) -> None:
        self._fhir, self._request, self._today = work.fhir, request, today
        self._key = key
        self._vocabulary = vocabulary_of(work.settings.data)

    def line(self, line: bytes) -> bytes | None:
        """The resource with stand-ins; None when the last gate would not let it go."""
        resource = json.decode(line)
        try:
            around = list(people_around(self._fhir, self._request, resource, needed=True))
            made = Deidentifier(self._vocabulary, self._key, self._today, around).resource(resource)
        except FhirError:
            return None
        name = made.pop("id", None)
        return json.encode({"resourceType": made.pop("resourceType"), **({"id": name} if name else {}), **made})

    def renamed(self, name: str) -> str:
        """What an id is called in the files."""
        return Deidentifier(self._vocabulary, self._key, self._today).renamed(name)
