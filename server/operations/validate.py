"""`$validate`: what is wrong with a resource, by R4 and by profiles, without storing it.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError, Problem, operation_outcome
from fhir_profiles.systems import HL7_FHIR
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments, wrong
from server.operations.registry import Operation

Json = dict[str, Any]
MODES = ("create", "update", "delete", "profile")
_MOST_PROFILES = 20
_ORDER = ("fatal", "error", "warning", "information")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call of `$validate` asks; `id` and `type` are those of its URL, empty where it has none."""

    type: str
    id: str
    resource: Json | None
    mode: str
    profiles: tuple[str, ...]
    must_support: bool


class Validate:
    """Answers `$validate` on a type and on an instance."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """200 with the OperationOutcome, whatever it says; FhirError when the call itself is wrong."""
        return await self._fhir.store.run(self._answer, request)

    def _answer(self, request: Request) -> Response:
        asked = read_asked(request)
        if asked.mode == "delete":
            self._read(request, asked)  # 404 or 410 when there is nothing to delete
            problems: list[Problem] = []
        else:
            resource = self._read(request, asked) if asked.resource is None else asked.resource
            problems = _misplaced(resource, asked) or self._problems(resource, asked)
        return Response(status=200, body=json.encode(outcome(problems)))

    def _problems(self, resource: Json, asked: Asked) -> list[Problem]:
        return self._fhir.conformance.problems(resource, asked.profiles, must_support=asked.must_support)

    def _read(self, request: Request, asked: Asked) -> Json:
        if not asked.id:
            raise wrong("Send the resource, as the body or as the parameter resource; or name an instance.", "resource")
        path = (asked.type, asked.id)
        read = msgspec.structs.replace(request, method="GET", path=path, query=(), body=b"")
        return json.decode(self._fhir.handle_sync(read).body)


def read_asked(request: Request) -> Asked:
    """The arguments of a call; FhirError for one that is not known or not as it must be."""
    arguments = read_arguments(request)
    arguments.only("resource", "mode", "profile", "mustSupport")
    mode = arguments.text("mode") or ""
    if mode and mode not in MODES:
        raise wrong(f"mode must be one of {', '.join(MODES)}.", "mode")
    supported = arguments.text("mustSupport")
    if supported not in (None, "report", "ignore"):
        raise wrong("mustSupport must be report or ignore.", "mustSupport")
    profiles = tuple(dict.fromkeys(arguments.all("profile")))
    if mode == "profile" and not profiles:
        raise wrong("The mode profile needs the parameter profile.", "profile")
    if len(profiles) > _MOST_PROFILES:
        raise wrong(f"At most {_MOST_PROFILES} profiles can be asked for at once.", "profile")
    resource = arguments.value("resource")
    if resource is not None and not isinstance(resource, dict):
        raise wrong("The parameter resource must hold a resource.", "resource")
    name, id = (*request.path[:-1], "", "")[:2]
    if name not in load().resource_types:
        raise FhirError.of(Category.NOT_FOUND, "not-supported", "R4 has no resource type of this name.")
    return Asked(name, id, resource, mode, profiles, supported == "report")


def _misplaced(resource: Json, asked: Asked) -> list[Problem]:
    """What makes a resource unfit for the URL or the mode, whatever else it holds."""
    if resource.get("resourceType") != asked.type:
        text = f"The resource must be of type {asked.type}, as the URL says."
        return [Problem("error", "structure", text, "resourceType")]
    given = resource.get("id")
    if asked.mode == "update" and given is None:
        return [Problem("error", "required", "An update needs a resource with an id.", f"{asked.type}.id")]
    if asked.mode in ("", "update") and asked.id and given not in (None, asked.id):
        text = "The id of the resource is not that of the instance in the URL."
        return [Problem("error", "value", text, f"{asked.type}.id")]
    return []


def outcome(problems: list[Problem]) -> Json:
    """The OperationOutcome, the worst first, with the text of each issue as `details`; a line that says all is well."""
    fine = all(problem.severity == "information" for problem in problems)
    good = Problem("information", "informational", "All OK: no errors and no warnings.")
    built = operation_outcome([good, *problems] if fine else sorted(problems, key=lambda p: _ORDER.index(p.severity)))
    for issue in built["issue"]:
        issue["details"] = {"text": issue["diagnostics"]}
    return built


def operations(fhir: Fhir) -> list[Operation]:
    """`$validate` on every type and instance."""
    handler = Validate(fhir)
    methods = frozenset({"GET", "POST"})
    definition = f"{HL7_FHIR}OperationDefinition/Resource-validate"
    return [
        Operation(
            "validate", frozenset({"type", "instance"}), handler, methods=methods, definition=definition, for_all=True
        )
    ]
