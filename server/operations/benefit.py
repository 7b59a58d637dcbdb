"""`Claim/[id]/$explanation-of-benefit`: a Claim and the answer to it as an ExplanationOfBenefit, kept.

https://hl7.org/fhir/us/carin-bb/
"""

from __future__ import annotations

import hashlib
from typing import Any, get_args

from claims.answer.benefit import Made, Network, explanation
from claims.work_answer import source_of
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.interactions import update
from server.interactions.content import content_of
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import Fhir
from server.operations.answers import answers, asking, stored
from server.operations.near import Near
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation

Json = dict[str, Any]
_DECIDED = ("835", "payer")


class ExplainBenefit:
    """Makes the explanation and stores it: a Claim and an answer have one, which follows them."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """200 with the ExplanationOfBenefit; FhirError where the Claim has no answer, or none of its own is named."""
        found = await self._fhir.store.run(self._explain, request)
        made = content_of(found, found["id"], request.base_url)
        put = asking(request, "PUT", ("ExplanationOfBenefit", found["id"]))
        done = await self._fhir.store.write(
            lambda tx: update.run(self._fhir, tx, put, made), (("ExplanationOfBenefit", found["id"]),)
        )
        return Response(
            status=200, body=done.body, etag=done.etag, content_type=FHIR_JSON,
            headers=(("Content-Location", done.location or ""),),
        )  # fmt: skip

    def _explain(self, request: Request) -> Json:
        arguments = read_arguments(request)
        arguments.only("response", "network", "provider-network")
        network, providers = _network(arguments, "network"), _network(arguments, "provider-network")
        claim = stored(self._fhir, request, "Claim", request.path[1])
        response = self._response(request, claim, arguments)
        claim_name, response_name = f"Claim/{claim['id']}", f"ClaimResponse/{response['id']}"
        id = f"eob-{hashlib.sha256(f'{claim_name} {response_name}'.encode()).hexdigest()[:40]}"
        made = Made(id, claim_name, response_name, network, providers)
        return explanation(claim, response, made, Near(self._fhir, request))

    def _response(self, request: Request, claim: Json, arguments: Arguments) -> Json:
        """The answer that is named; else the newest decision of a payer, else the newest of our own."""
        named = _reference(arguments)
        if named is not None:
            path = Near(self._fhir, request).path(named)
            if path is None or path[0] != "ClaimResponse":
                raise wrong("response names a ClaimResponse of this server.", "response")
            found = stored(self._fhir, request, *path)
            if not _answers(found, claim, request.base_url):
                raise wrong("The ClaimResponse answers another Claim. Name one that answers this.", "response")
            return found
        every = answers(self._fhir, request, claim["id"])
        decided = [one for one in every if source_of(one) in _DECIDED]
        scrubbed = [one for one in every if source_of(one) == "scrub"]
        if not decided and not scrubbed:
            text = "The Claim has no answer yet. Send it to Claim/$submit, or store the payer's ClaimResponse."
            raise FhirError.of(Category.CONFLICT, "business-rule", text, "Claim")
        return (decided or scrubbed)[0]


def _reference(arguments: Arguments) -> str | None:
    """The parameter response, as a reference or as its text."""
    value = arguments.value("response")
    name = value.get("reference") if isinstance(value, dict) else None
    return name if isinstance(name, str) else arguments.text("response")


def _network(arguments: Arguments, name: str) -> Network | None:
    said = arguments.text(name)
    known: tuple[Network, ...] = get_args(Network)
    if said is not None and said not in known:
        raise wrong(f"{name} is one of {', '.join(known)}.", name)
    return next((one for one in known if one == said), None)


def _answers(response: Json, claim: Json, base: str) -> bool:
    """Whether a ClaimResponse names the Claim, by reference or by its number."""
    asked = response.get("request") or {}
    if "reference" in asked:
        name = str(asked["reference"]).removeprefix(f"{base}/").split("/_history/")[0]
        return name == f"Claim/{claim['id']}"
    number = (asked.get("identifier") or {}).get("value")
    return number is not None and number in [one.get("value") for one in claim.get("identifier", ())]


def operations(fhir: Fhir) -> list[Operation]:
    """`$explanation-of-benefit` on a Claim."""
    definition = f"{BASE}/OperationDefinition/Claim-explanation-of-benefit"
    return [
        Operation(
            "explanation-of-benefit", frozenset({"instance"}), ExplainBenefit(fhir), frozenset({"Claim"}),
            definition=definition, for_all=True,
        )
    ]  # fmt: skip
