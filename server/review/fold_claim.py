"""The draft Claim after a coding run that comes after decisions (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from claims.draft import MAX_DIAGNOSES
from extractors.emit.ids import is_coded_id
from server.review.claim_of import BILLED, Draft, claimed_concept, put_together, taken_apart
from server.review.claiming import line_or_diagnosis
from server.review.coded import tagged
from server.review.model import Json
from server.review.read import CODED, STATES, coding_of, kind_of, tags_of

ORDERS = frozenset({"reorder", "principal"})
LINES = frozenset({"modifiers", "units", "pointers"})


def claim_again(
    document: str,
    stored: Json | None,
    new: Json | None,
    coded: Mapping[str, Json],
    decisions: Sequence[Mapping[str, Any]],
) -> Json | None:
    """The Claim of what the machine now says and what coders decided; None where there is nothing to claim.

    Decided diagnoses and lines are as they are on the `stored` one, the others as on the `new` one. The order is the
    machine's, unless a coder ordered them. `coded` are the Conditions and Procedures, by `Type/ID`.
    """
    base = stored or new
    if base is None:
        return None
    before, now = taken_apart(stored or {}, coded.values()), taken_apart(new or {}, coded.values())
    draft = Draft(tagged(base, None))
    ordered = any(kind_of(one) in ORDERS for one in decisions)
    names = _names(document, before.diagnoses, now.diagnoses, "Condition", coded, ordered)
    for name in _within(names, coded):
        element = before.diagnoses.get(name) or now.diagnoses.get(name)
        draft.diagnoses[name] = _element(element, name, coded, draft)
    touched = {about for one in decisions if kind_of(one) in LINES for about in _about(one)}
    for name in _names(document, before.lines, now.lines, "Procedure", coded, False):
        own = name in touched or _is_decided(name, coded)
        first, second = (before, now) if own else (now, before)
        draft.lines[name] = _element(first.lines.get(name) or second.lines.get(name), name, coded, draft)
        draft.pointers[name] = first.pointers.get(name) or second.pointers.get(name, [])
    return put_together(draft)


def _names(
    document: str,
    old: Mapping[str, Json],
    fresh: Mapping[str, Json],
    kind: str,
    coded: Mapping[str, Json],
    ordered: bool,
) -> list[str]:
    """What is on the Claim, in order: what stands, and what somebody else put there."""
    standing = [name for name, one in coded.items() if name.partition("/")[0] == kind and _stands(name, one, fresh)]
    foreign = [name for name, one in old.items() if name not in coded and not _was_ours(one, document, kind)]
    first, second = (old, fresh) if ordered else (fresh, old)
    return [name for name in dict.fromkeys([*first, *second, *standing]) if name in standing or name in foreign]


def _within(names: Sequence[str], coded: Mapping[str, Json]) -> list[str]:
    """Those that find room: what is undecided gives way."""
    undecided = [name for name in names if not _is_decided(name, coded)]
    given_way = undecided[max(len(undecided) - max(len(names) - MAX_DIAGNOSES, 0), 0) :]
    return [name for name in names if name not in given_way][:MAX_DIAGNOSES]


def _element(element: Json | None, name: str, coded: Mapping[str, Json], draft: Draft) -> Json:
    """The element with the code as it is now; a new one where there was none."""
    if name not in coded:
        return element or {}
    kind, field = ("diagnosis", "diagnosisCodeableConcept")
    if name.startswith("Procedure/"):
        kind, field = ("service", "productOrService")
    made = element or line_or_diagnosis(kind, coded[name], draft)
    return {**made, field: claimed_concept(coded[name])}


def _stands(name: str, resource: Json, fresh: Mapping[str, Json]) -> bool:
    """Whether it belongs on the Claim: as a coder decided, else as the machine now says."""
    decided = tags_of(resource) & {*STATES}
    if not decided:
        return name in fresh
    billed = resource["resourceType"] == "Condition" or (coding_of(resource) or {}).get("system") in BILLED
    return billed and decided != {"rejected"}


def _is_decided(name: str, coded: Mapping[str, Json]) -> bool:
    return name in coded and bool(tags_of(coded[name]) & {*STATES})


def _was_ours(element: Json, document: str, kind: str) -> bool:
    """Whether a former run put the element there."""
    return is_coded_id(element.get("id", ""), document.rpartition("/")[2], kind)


def _about(provenance: Mapping[str, Any]) -> list[str]:
    """The suggestions that a decision about the claim is about."""
    entities = [str((one.get("what") or {}).get("reference", "")) for one in provenance.get("entity") or ()]
    return [one.partition("/_history")[0] for one in entities if one.partition("/")[0] in CODED]
