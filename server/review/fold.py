"""A coding run that comes after decisions: the machine's new Bundle with what coders decided folded into it.

What was decided keeps its id, its state and its code; the words that prove it are those of the new reading where that
has them. Nothing that a coder decided is overwritten, and the Provenance of the run says what was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from server.review.coded import Chosen, replaced, tagged
from server.review.fold_claim import claim_again
from server.review.gather import claim_of, pipeline_of
from server.review.model import Json
from server.review.past import KINDS, in_order, void_of
from server.review.read import CODED, STATES, coding_of, kind_of, reference_of, tags_of, targets_of

MOST = 500
"""Decisions that the Provenance of a run names."""


class Folded(NamedTuple):
    """The Bundle to store, and what of the former results stays though the run does not yield it."""

    bundle: Json
    kept: tuple[str, ...]


def counting(provenances: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The decisions that were not undone, oldest first."""
    decisions = in_order(provenances)
    void = void_of(decisions)
    return [one for one in decisions if reference_of(one) not in void and kind_of(one) in KINDS - {"undo"}]


def wanted(document: str, provenances: Iterable[Mapping[str, Any]]) -> list[str]:
    """What `fold` has to know, as `Type/ID`: the Claim, and what the decisions are about that count."""
    targets = (target for one in counting(provenances) for target in targets_of(one))
    return list(dict.fromkeys([claim_of(document), *targets]))


def fold(bundle: Json, document: str, stored: Mapping[str, Json], provenances: Iterable[Mapping[str, Any]]) -> Folded:
    """The Bundle of a run over DocumentReference/ID with the decisions folded in.

    `stored` is what `wanted` names, as far as it stands; `provenances` are the decisions about the document.
    """
    decisions, claim = counting(provenances), stored.get(claim_of(document))
    finished = claim is not None and claim.get("status") != "draft"
    if not decisions and not finished:
        return Folded(bundle, ())
    made = {_name(entry): entry for entry in bundle["entry"]}
    decided = {name: one for name, one in stored.items() if one["resourceType"] in CODED and tags_of(one) & {*STATES}}
    for name in decided.keys() & made.keys():
        made[name] = {**made[name], "resource": _again(decided[name], made[name]["resource"])}
    kept = [name for name in decided if name not in made]
    coded = {name: entry["resource"] for name, entry in made.items() if name.partition("/")[0] in CODED}
    coded |= {name: decided[name] for name in kept}
    name = claim_of(document)
    if finished:
        made.pop(name, None)
        kept.append(name)
    elif again := claim_again(document, claim, made.get(name, {}).get("resource"), coded, decisions):
        request = {"method": "PUT", "url": name}
        made[name] = {"fullUrl": f"urn:uuid:{again['id']}", "resource": again, "request": request}
    if told := made.get(pipeline_of(document)):
        said = _telling(told["resource"], [*kept, *({name} & made.keys())], decisions)
        made[pipeline_of(document)] = {**told, "resource": said}
    return Folded({**bundle, "entry": list(made.values())}, tuple(kept))


def _name(entry: Mapping[str, Any]) -> str:
    """`Type/ID`; of what is matched by its identifier, and so has no id, the URL within the Bundle."""
    return reference_of(entry["resource"]) if "id" in entry["resource"] else str(entry["fullUrl"])


def _again(stored: Json, made: Json) -> Json:
    """What was decided on, with the evidence of the new reading."""
    code = made["code"]
    if "replaced" in tags_of(stored):
        coding = coding_of(stored) or {}
        system, chosen, display, edition = (coding.get(name, "") for name in ("system", "code", "display", "version"))
        code = replaced(made, Chosen(system, chosen, display, edition))["code"]
    return {**tagged(stored, None), "code": code} | ({"note": made["note"]} if "note" in made else {})


def _telling(provenance: Json, kept: Sequence[str], decisions: Sequence[Mapping[str, Any]]) -> Json:
    """The Provenance of the run, with what was kept and for whose decisions."""
    left = {f"urn:uuid:{reference.partition('/')[2]}" for reference in kept}  # no longer within the Bundle
    targets = [target for target in provenance["target"] if target["reference"] not in left]
    count = f"{len(decisions)} decision{'' if len(decisions) == 1 else 's'} of coders"
    named = [{"role": "source", "what": {"reference": reference_of(one)}} for one in decisions[-MOST:]]
    return {
        **provenance,
        "target": [*targets, *({"reference": reference} for reference in dict.fromkeys(kept))],
        "activity": {**provenance["activity"], "text": f"{provenance['activity']['text'].rstrip('.')}. {count} kept."},
        "entity": [*provenance["entity"], *named],
    }
