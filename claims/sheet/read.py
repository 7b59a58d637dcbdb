"""Lay Claims out as the rows of a sheet (https://hl7.org/fhir/R4/claim.html); see docs/claims.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from claims.sheet.adjustments import adjustment_rows
from claims.sheet.lines import line_rows
from claims.sheet.parties import Parties, Resolve, met
from claims.sheet.parts import INSURED, diagnosis_rows, info_row, insurance_row, procedure_row, team_rows
from claims.sheet.people import provider_values
from claims.sheet.reading import Reading, Values
from claims.sheet.rows import NAMES, Rows, named
from claims.sheet.schema import HISTORY
from claims.sheet.sent import Sent
from claims.sheet.shapes import Bundle, Claim
from claims.sheet.whole import claim_row
from fhir_profiles.errors import Category, FhirError

Record = dict[str, Any]
Read = TypeVar("Read", Claim, Sent)
MAX_LINES = 2_000
_sent = msgspec.json.Decoder(Sent)
_claim = msgspec.json.Decoder(Claim)
_bundle = msgspec.json.Decoder(Bundle)


def read_claim(
    body: bytes,
    row: int = 0,
    resolve: Resolve | None = None,
    received: int | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> Record:
    """The rows of one Claim, or of a Bundle whose first entry is one: `claim` is a row, the collections are lists.

    FhirError when the JSON cannot be read or the Claim has more than 2,000 lines. `received` is the day it came,
    `history` the lines of the patient's earlier claims as rows of the sheet, which may leave out what is not known;
    None where nobody looked for them.
    """
    _, rows = read_rows(body, row, resolve, received, history)
    found: Record = {name: [named(name, values) for values in rows[name]] for name in NAMES}
    (found["claim"],) = found.pop("claims")
    return found


def read_rows(
    body: bytes,
    row: int,
    resolve: Resolve | None = None,
    received: int | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> tuple[Sent, Rows]:
    """A Claim with its rows, as `read_claim` for one claim and `Sheet` for many take them."""
    try:
        claim, near = _sent_with(body)
        return claim, _rows(Reading(claim, Parties(near, resolve), row, received), history)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        open_claim(body)  # which says what of the claim itself cannot be read
        text = f"What the claim refers to cannot be read: {str(error).split(' - at ')[-1][:80]}"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None


def _sent_with(body: bytes) -> tuple[Sent, dict[str, Any]]:
    """As `open_claim`, but that what many claims say alike is read when it is needed."""
    claim, near = _opened(body, _sent)
    if claim.resource_type != "Claim" or len(claim.item) > MAX_LINES:
        open_claim(body)  # which says what is wrong first
    for raw in claim.contained:
        one = met(bytes(raw))
        near[f"#{one.id}"] = one
    return claim, near


def open_claim(body: bytes) -> tuple[Claim, dict[str, Any]]:
    """A Claim, or the one that a Bundle begins with, and what stands beside it, by address; errors as `read_claim`."""
    try:
        claim, near = _opened(body, _claim)
    except (UnicodeDecodeError, RecursionError):
        text = "The claim cannot be read as FHIR JSON: it is not UTF-8, or too deep"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None
    except msgspec.MsgspecError as error:
        text = f"The claim cannot be read as FHIR JSON: {str(error).split(' - at ')[-1][:80]}"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None
    for one in claim.contained:
        near[f"#{one.id}"] = one
    if claim.resource_type != "Claim":
        raise FhirError.of(Category.INCORRECT, "invalid", "A Claim, or a Bundle whose first entry is one, is expected")
    if len(claim.item) > MAX_LINES:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"A claim has at most {MAX_LINES} lines", "Claim.item")
    return claim, near


def _opened(body: bytes, shape: msgspec.json.Decoder[Read]) -> tuple[Read, dict[str, Any]]:
    """A Claim, and the other entries of its Bundle."""
    try:
        claim = shape.decode(body)
        if claim.resource_type != "Bundle":
            return claim, {}
    except msgspec.ValidationError:  # the elements of a Bundle have names that a Claim has too
        if _bundle.decode(body).resource_type != "Bundle":
            raise
    resources = [(one.full_url, bytes(one.resource)) for one in _bundle.decode(body).entry if bytes(one.resource)]
    if not resources:
        return shape.decode(b"{}"), {}
    near: dict[str, Any] = {}
    claim = shape.decode(resources[0][1])
    for url, resource in resources[1:]:
        head = met(resource)
        if url:
            near[url] = head
        if head.id:
            near[f"{head.resource_type}/{head.id}"] = head
    return claim, near


def _rows(at: Reading, history: Sequence[Mapping[str, Any]] | None) -> Rows:
    claim = at.claim
    infos = [info_row(at, bytes(raw)) for raw in claim.supporting_info]
    diagnoses, team, insured = diagnosis_rows(at), team_rows(at), INSURED[bytes(claim.insurance)]
    insurances = [insurance_row(at, one) for one in insured]
    adjustments = [row for one in insured if one.claim_response for row in adjustment_rows(at, one)]
    provider = provider_values(at, at.near.of(claim.provider))
    lines = line_rows(at, {row[1][0]: row[1][2] for row in diagnoses}, team, provider[0])
    procedures = [procedure_row(at, bytes(raw)) for raw in claim.procedure]
    whole = claim_row(at, provider, lines, diagnoses, insured, insurances, team, looked=history is not None)
    return {
        "claims": [whole],
        "lines": lines,
        "diagnoses": diagnoses,
        "team": team,
        "procedures": procedures,
        "infos": infos,
        "insurances": insurances,
        "adjustments": adjustments,
        "history": [_past(at.row, one) for one in history or ()],
    }


def _past(row: int, line: Mapping[str, Any]) -> Values:
    """A line of an earlier claim."""
    known = {"mods": (), "status": "billed", **line, "row": row}
    return tuple(known.get(name) for name in HISTORY)
