"""The lines of a Claim with what was decided of them (https://hl7.org/fhir/R4/explanationofbenefit.html)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from claims.answer.benefit_amounts import Line, amounts, read, reasons
from claims.answer.benefit_parties import codings, concept
from claims.answer.benefit_parts import Shape
from fhir_profiles.systems import CARIN_SLICE, CARIN_STATUS, DATA_ABSENT_REASON, HCPCS, HCPCS_OF_CARIN

Json = dict[str, Any]
_SAME = (
    "sequence", "diagnosisSequence", "procedureSequence", "revenue", "category", "programCode", "modifier",
    "locationCodeableConcept", "bodySite", "subSite", "unitPrice", "factor", "net", "udi", "encounter",
)  # fmt: skip
_HOSPITAL = ("inpatient", "outpatient")


def lines_of(response: Json) -> dict[int, Line]:
    """Number of a line → what the answer says of it; a line that was split is put together."""
    gathered: defaultdict[int, list[Json]] = defaultdict(list)
    for item in response.get("item", ()):
        gathered[item.get("itemSequence")] += item.get("adjudication", ())
    return {sequence: _together(read(adjudications)) for sequence, adjudications in gathered.items()}


def _together(line: Line) -> Line:
    sums: dict[tuple[str, str, str | None], tuple[int, Json | None]] = {}
    for name, cents, reason, group in line.amounts:
        key = name, str(codings(reason)), group
        sums[key] = (sums[key][0] + cents if key in sums else cents, reason)
    return line._replace(amounts=[(key[0], cents, reason, key[2]) for key, (cents, reason) in sums.items()])


def items(
    claim: Json, shape: Shape, lines: Mapping[int, Line], network: str | None, known: Mapping[str, set[int]]
) -> list[Json]:
    """The lines; `known` are the numbers of the team and of the information that lines may point to."""
    found = []
    period = claim.get("billablePeriod") or {}
    for item in claim.get("item", ()):
        one: Json = {name: item[name] for name in _SAME if name in item}
        for name, numbers in known.items():
            if kept := [n for n in item.get(name, ()) if n in numbers]:
                one[name] = kept
        if item.get("quantity"):
            one["quantity"] = _quantity(item["quantity"])
        one["productOrService"] = _service(item.get("productOrService"))
        one |= _served(item, period if shape == "outpatient" else {})
        if item.get("detail"):
            one["detail"] = item["detail"]
        line = lines.get(item.get("sequence"))
        if line is not None:
            one["adjudication"] = adjudications(line, shape, network)
        found.append(one)
    return found


def adjudications(line: Line, shape: Shape, network: str | None) -> list[Json]:
    """What was decided of a line, amounts first."""
    found = amounts(line)
    if shape != "pharmacy":  # which tells its reasons by a list of its own
        found += reasons(line, many=shape in _HOSPITAL)
    if network and shape in ("professional", "oral"):
        found.append(status("benefitpaymentstatus", network))
    if line.units is not None and shape != "pharmacy":
        found.append({"category": concept(CARIN_SLICE, "allowedunits"), "value": Decimal(str(line.units))})
    return found


def status(name: str, network: str) -> Json:
    """Whether something is of the payer's network."""
    return {"category": concept(CARIN_SLICE, name), "reason": concept(CARIN_STATUS, network)}


def _quantity(quantity: Json) -> Json:
    """A number with its unit; a code of no list is the unit's name."""
    if "code" in quantity and "system" not in quantity:
        return {"value": quantity.get("value"), "unit": quantity.get("unit", quantity["code"])}
    return quantity


def _service(service: Any) -> Json:
    """The service; its HCPCS code also under the name that CARIN has for the list."""
    stated = codings(service)
    if not stated:
        told = {"text": service["text"]} if isinstance(service, dict) and service.get("text") else {}
        return {"coding": [{"system": DATA_ABSENT_REASON, "code": "not-applicable"}], **told}
    added = [{**one, "system": HCPCS_OF_CARIN} for one in stated if one.get("system") == HCPCS]
    return {**service, "coding": [*stated, *added]}


def _served(item: Json, period: Json) -> Json:
    """When: a period of one day is a day; of a visit to a hospital that says no day, the one day of the bill."""
    span = item.get("servicedPeriod") or (period if "servicedDate" not in item else {})
    if "servicedDate" in item:
        return {"servicedDate": item["servicedDate"]}
    if span.get("start") and span.get("start") == span.get("end"):
        return {"servicedDate": span["start"]}
    return {"servicedPeriod": item["servicedPeriod"]} if item.get("servicedPeriod") else {}
