"""What the earlier claims of a patient say to a later one: their lines as the rows of its history; see docs/claims.md.

`earlier(record)` is made once of each earlier claim and can be kept; `recall(record, several)` puts those that count
into the record of a claim. Both are pure: which claims are earlier, and how many, the caller decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from claims.answer.repair import repair
from claims.sheet.shapes import Bundle, Concept, Identifier, Reference, Shape

Row = dict[str, Any]
Record = dict[str, Any]
VOID = "8"
_CORRECTS = frozenset({"prior", "replaces", "7", "8"})
_LINE = ("seq", "code", "mods", "units", "minutes", "charge", "start", "end", "pos", "pointed", "performer", "revenue")
_CLAIM = ("type", "bill_type", "total", "provider_npi", "provider_tax", "payer_id", "member_id", "start", "end")
_TAKEN = ("seq", "code", "pos", "specialty", "units", "start", "end", "charge", "mods")


class Earlier(NamedTuple):
    """An earlier claim: its id and control number, what it corrects, a digest of what it bills, its lines as rows."""

    id: str | None
    control: str | None
    corrects: frozenset[str]
    void: bool
    likeness: bytes
    rows: tuple[Row, ...]


class _Related(Shape):
    relationship: Concept | None = None
    claim: Reference | None = None
    reference: Identifier | None = None


class _Relations(Shape):
    resource_type: str = ""
    related: list[_Related] = []  # noqa: RUF012, of a Struct each has its own


_relations = msgspec.json.Decoder(_Relations)
_bundle = msgspec.json.Decoder(Bundle)


def corrects(body: bytes) -> frozenset[str]:
    """What a Claim, or the first of a Bundle, says that it replaces or voids: control numbers, and addresses `Claim/…`.

    The body was read as a claim before.
    """
    if b'"related"' not in body:
        return frozenset()
    found = _relations.decode(body)
    if found.resource_type == "Bundle":
        found = _relations.decode(next(bytes(e.resource) for e in _bundle.decode(body).entry if bytes(e.resource)))
    named: set[str] = set()
    for one in found.related:
        codings = one.relationship.coding if one.relationship else []
        if codings and _CORRECTS.isdisjoint(coding.code or "" for coding in codings):
            continue
        if one.reference is not None and one.reference.value:
            named.add(one.reference.value)
        if one.claim is not None and one.claim.reference:
            named.add("/".join(one.claim.reference.split("/_history/")[0].split("/")[-2:]))
    return frozenset(named)


def earlier(record: Record, corrected: frozenset[str] = frozenset()) -> Earlier:
    """What a claim says to later ones; its record is put right in place, as that of every claim is before the edits."""
    like = likeness(record)
    repair(record)
    claim = record["claim"]
    common = {
        "claim": claim["id"], "control": claim["control"], "provider_tax": claim["provider_tax"],
        "payer_id": claim["payer_id"], "bill_type": claim["bill_type"], "claim_total": claim["total"],
        "how": claim["frequency"] or claim["related_how"],
    }  # fmt: skip
    rows = tuple(_row(line, claim, common) for line in record["lines"])
    return Earlier(claim["id"], claim["control"], corrected, common["how"] == VOID, like, rows)


def _row(line: Mapping[str, Any], claim: Mapping[str, Any], common: Row) -> Row:
    row = {**common, **{name: line[name] for name in _TAKEN}}
    row["provider_npi"], row["diagnoses"] = line["performer"], line["pointed"]
    if row["start"] is None:
        row["start"], row["end"] = claim["start"], claim["end"]
    return row


def likeness(record: Mapping[str, Any]) -> bytes:
    """The same for claims that bill the same, whatever their numbers: by whom, to whom, which lines for how much."""
    claim = record["claim"]
    said = [claim[name] for name in _CLAIM], [[line[name] for name in _LINE] for line in record["lines"]]
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=16).digest()


def recall(
    record: Record, several: Iterable[Earlier], corrected: frozenset[str] = frozenset(), states: Mapping[str, str] = {}
) -> None:
    """Put the history of a claim into its record, before it is put right.

    Left out are the claim itself (the same id, or the same number and content), what it or one of the others corrects,
    and voids. `states` tells by id what became of a claim: accepted, pending, paid or denied; the others are billed.
    Where nothing is left the record says that no history is known: that a server has no claim of a patient may mean
    that it was given none.
    """
    several, claim = list(several), record["claim"]
    mine = likeness(record)
    gone = corrected.union(*(one.corrects for one in several))
    rows: list[Row] = []
    for one in several:
        state = states.get(one.id or "", "billed")
        if one.void or one.control in gone or f"Claim/{one.id}" in gone:
            continue
        alike = one.likeness == mine
        if one.id is not None and one.id == claim["id"]:
            continue
        if alike and state == "billed" and one.control is not None and one.control == claim["control"]:
            continue
        rows += [{**row, "row": claim["row"], "status": state, "same_claim": alike} for row in one.rows]
    claim["history_known"] = bool(rows)
    record["history"] = rows
