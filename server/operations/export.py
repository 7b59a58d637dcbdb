"""`$export`: the store, all patients or a group as NDJSON files (https://hl7.org/fhir/uv/bulkdata/STU2/export.html).

The kick-off is answered with 202 and a status URL; a job writes the files, which are streamed below `/fhir/$file/`.
"""

from __future__ import annotations

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BULK_EXPORT
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs.exporting.asked import Asked, read_asked
from server.jobs.exporting.pages import Pages
from server.jobs.exporting.run import KIND
from server.jobs.exporting.walks import members
from server.operations.later import Deferred
from server.operations.registry import Level, Operation


class Export:
    """Checks a kick-off as far as it can be and queues its job."""

    def __init__(self, fhir: Fhir, deferred: Deferred) -> None:
        self._fhir = fhir
        self._deferred = deferred

    async def __call__(self, request: Request) -> Response:
        """202 with the status URL; FhirError for what the job could not do."""
        if not request.preferred.respond_async:
            text = "An export is answered later only. Send Prefer: respond-async."
            raise FhirError.of(Category.INCORRECT, "required", text)
        await self._fhir.store.run(self._check, request, read_asked(request))
        return await self._deferred.accept(KIND, request, self._fhir.settings.exports_at_once)

    def _check(self, request: Request, asked: Asked) -> None:
        """Refuse a group that is not there and a filter that is not understood."""
        members(self._fhir, request, asked)
        pages = Pages(self._fhir, request)
        for name, filters in asked.filters.items():
            for pairs in filters:
                pages.check(name, pairs)


def operations(fhir: Fhir, deferred: Deferred) -> list[Operation]:
    """`$export` for the system, for patients and for a group."""
    handler = Export(fhir, deferred)
    methods = frozenset({"GET", "POST"})
    places: tuple[tuple[Level, frozenset[str] | None, str], ...] = (
        ("system", None, "export"),
        ("type", frozenset({"Patient"}), "patient-export"),
        ("instance", frozenset({"Group"}), "group-export"),
    )
    return [
        Operation(
            "export",
            frozenset({level}),
            handler,
            types,
            methods,
            f"{BULK_EXPORT}/{name}",
            defers=True,
            for_services=True,
        )
        for level, types, name in places
    ]
