"""Lay Claims out as the rows of a sheet (https://hl7.org/fhir/R4/claim.html); see docs/claims.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from claims.sheet.adjustments import adjustment_rows
from claims.sheet.parties import Parties, Resolve
from claims.sheet.parts import diagnosis_rows, info_row, insurance_row, line_row, member_row
from claims.sheet.reading import EMPTY, Reading, code_of, said_code, system_of
from claims.sheet.shapes import Bundle, Claim, Party
from claims.sheet.whole import claim_row
from fhir_profiles.errors import Category, FhirError

Record = dict[str, Any]
MAX_LINES = 2_000
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
    claim, near = open_claim(body)
    try:
        return _record(Reading(claim, Parties(near, resolve), row, received), history)
    except msgspec.ValidationError as error:
        text = f"What the claim refers to cannot be read: {str(error).split(' - at ')[-1][:80]}"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None


def open_claim(body: bytes) -> tuple[Claim, dict[str, Any]]:
    """A Claim, or the one that a Bundle begins with, and what stands beside it, by address; errors as `read_claim`."""
    try:
        claim, near = _opened(body)
    except msgspec.MsgspecError as error:
        text = f"The claim cannot be read as FHIR JSON: {str(error).split(' - at ')[-1][:80]}"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None
    if claim.resource_type != "Claim":
        raise FhirError.of(Category.INCORRECT, "invalid", "A Claim, or a Bundle whose first entry is one, is expected")
    if len(claim.item) > MAX_LINES:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"A claim has at most {MAX_LINES} lines", "Claim.item")
    return claim, near


def _opened(body: bytes) -> tuple[Claim, dict[str, Any]]:
    try:
        claim = _claim.decode(body)
    except msgspec.ValidationError:  # the elements of a Bundle have names that a Claim has too
        if _bundle.decode(body).resource_type != "Bundle":
            raise
        claim = Claim("Bundle")
    near: dict[str, Any] = {}
    if claim.resource_type == "Bundle":
        entries = _bundle.decode(body).entry
        resources = [(entry.full_url, entry.resource) for entry in entries if bytes(entry.resource)]
        if not resources:
            return Claim(), {}
        claim = _claim.decode(resources[0][1])
        for url, resource in resources[1:]:
            head = msgspec.json.decode(resource, type=Party)
            if url:
                near[url] = head
            if head.id:
                near[f"{head.resource_type}/{head.id}"] = head
    for one in claim.contained:
        near[f"#{one.id}"] = one
    return claim, near


def _record(at: Reading, history: Sequence[Mapping[str, Any]] | None) -> Record:
    claim = at.claim
    infos = [info_row(at, info) for info in claim.supporting_info]
    at.by_category = {info["category"] or "": info for info in reversed(infos)}
    diagnoses = diagnosis_rows(at)
    team = [member_row(at, member) for member in claim.care_team]
    insurances = [insurance_row(at, one) for one in claim.insurance]
    adjustments = [row for one in claim.insurance for row in adjustment_rows(at, one)]
    codes = {d["seq"]: d["code"] for d in diagnoses}
    by_seq = {member["seq"]: member for member in team}
    place = said_code(claim.extension, "place-of-service")
    lines = [line_row(at, item, codes, by_seq, team, place) for item in claim.item]
    procedures = [
        {
            **EMPTY["procedures"], "row": at.row, "seq": one.sequence, "date": at.day(one.date),
            "code": code_of(one.procedure_codeable_concept), "system": system_of(one.procedure_codeable_concept),
        }
        for one in claim.procedure
    ]  # fmt: skip
    whole = claim_row(at, lines, diagnoses, insurances, team)
    whole["unresolved"] = at.near.lost
    whole["history_known"] = history is not None
    for line in lines:
        line["performer"] = line["rendering_npi"] or whole["provider_npi"]
    return {
        "claim": whole,
        "lines": lines,
        "diagnoses": diagnoses,
        "team": team,
        "procedures": procedures,
        "infos": infos,
        "insurances": insurances,
        "adjustments": adjustments,
        "history": [
            {**EMPTY["history"], "mods": (), "status": "billed", **one, "row": at.row} for one in history or ()
        ],
    }
