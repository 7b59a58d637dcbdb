"""What a person coded unaided, held against what the machine had suggested; told by a Task once the person finished.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, get_args
from uuid import UUID, uuid5

from fhir_profiles.systems import CODING_BASIS, CONFIDENCE, TASK_CODE
from server.jobs.tasks import task_id
from server.review.bands import band
from server.review.model import Json, Review, Suggestion
from server.review.read import basis_of, confidence_of
from server.review.trail import Agreement, agreement, considered_keys, sets_of
from server.review.unaided import marked
from server.review.work import work_id

_SPACE: Final = UUID("1c8b6a0f-9f0e-5d43-8a3c-7f4d0a6be911")
CODE: Final = "unaided-comparison"
MOST: Final = 1000
"""Codes that the Task tells of."""

Side = Literal["both", "machine", "coder"]
"""Who has a code: both, or one alone."""
SIDES: tuple[Side, ...] = get_args(Side)


class Compared(NamedTuple):
    """A code of either side. `confidence` (0 to 1) and `section` are the machine's, None and "" where it has none.

    Of a code of the coder's alone a confidence says that the machine had it, and did not put it on the claim.
    """

    side: Side
    system: str
    code: str
    display: str
    confidence: float | None = None
    section: str = ""

    @property
    def band(self) -> str:
        """The band of the confidence, "" where there is none."""
        return "" if self.confidence is None else band(self.confidence).name


class Worth(NamedTuple):
    """What fee schedules promise for a claim of each side, in dollars; None where it is not known."""

    machine: Decimal | None
    coder: Decimal | None


class Comparison(NamedTuple):
    """What a Task of a comparison tells."""

    jaccard: float
    kappa: float | None
    rows: tuple[Compared, ...]
    worth: Worth


def comparison_id(document: str) -> str:
    """The id of the Task of a comparison for a DocumentReference's id, known before it exists."""
    return str(uuid5(_SPACE, document))


def compared(machine: Review, coder: Review) -> tuple[list[Compared], Agreement]:
    """Each code that the machine would have put on the claim or that stands after the coder, and how far they agree."""
    offered: dict[tuple[str, str], Suggestion] = {}
    for one in machine.suggestions:
        key = (one.system, one.code)
        if key not in offered or (one.proposed and not offered[key].proposed):
            offered[key] = one
    proposed = {key for key, one in offered.items() if one.proposed}
    chosen = {(one.system, one.code): one for one in coder.suggestions}
    stands = sets_of(coder).codes("auditor")
    rows = []
    for key in sorted(proposed | stands):
        side: Side = "machine" if key not in stands else "both" if key in proposed else "coder"
        known = offered.get(key) or chosen.get(key)
        told = offered.get(key)
        rows.append(
            Compared(
                side, *key, known.display if known else "", told.confidence if told else None,
                told.section if told else "",
            )
        )  # fmt: skip
    return rows, agreement(proposed, stands, considered_keys(machine))


def comparison_task(
    document: str, coding: Mapping[str, Any], rows: Iterable[Compared], result: Agreement, worth: Worth, now: str
) -> Json:
    """The Task, finished when it is made; `coding` is the Task of the document's coding, `now` an instant."""
    outputs = [_output("jaccard", valueDecimal=round(result.jaccard, 4))]
    if result.kappa is not None:
        outputs.append(_output("kappa", valueDecimal=round(result.kappa, 4)))
    outputs += [
        _output(f"{side}-expected", valueMoney={"value": value, "currency": "USD"})
        for side, value in zip(("machine", "coder"), worth, strict=True)
        if value is not None
    ]
    outputs += [_output(one.side, valueCoding=_coding(one)) for one in [*rows][:MOST]]
    made: Json = {
        "resourceType": "Task",
        "id": comparison_id(document),
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE, "code": CODE, "display": "Compare unaided coding"}]},
        "partOf": [{"reference": f"Task/{task_id(document)}"}, {"reference": f"Task/{work_id(document)}"}],
        "reasonReference": {"reference": f"DocumentReference/{document}"},
        "authoredOn": now,
        "lastModified": now,
        "executionPeriod": {"start": now, "end": now},
        "output": outputs,
    }
    return marked(made | ({"for": coding["for"]} if "for" in coding else {}))


def comparison_of(task: Mapping[str, Any] | None) -> Comparison | None:
    """What the Task tells; None where there is none yet."""
    if task is None:
        return None
    outputs = [((one.get("type") or {}).get("text", ""), one) for one in task.get("output") or ()]
    values = {name: float(one["valueDecimal"]) for name, one in outputs if "valueDecimal" in one}
    money = {name: Decimal(str(one["valueMoney"]["value"])) for name, one in outputs if "valueMoney" in one}
    rows = tuple(_row(name, one["valueCoding"]) for side in SIDES for name, one in outputs if name == side)
    worth = Worth(money.get("machine-expected"), money.get("coder-expected"))
    return Comparison(values.get("jaccard", 0.0), values.get("kappa"), rows, worth)


def _row(side: Side, coding: Mapping[str, Any]) -> Compared:
    extensions = coding.get("extension") or []
    system, code, display = (str(coding.get(name, "")) for name in ("system", "code", "display"))
    return Compared(side, system, code, display, confidence_of(extensions), basis_of(extensions).section)


def _coding(one: Compared) -> Json:
    extensions: list[Json] = []
    if one.confidence is not None:
        extensions.append({"url": CONFIDENCE, "valueDecimal": one.confidence})
    if one.section:
        extensions.append({"url": CODING_BASIS, "extension": [{"url": "section", "valueString": one.section}]})
    plain = {"system": one.system, "code": one.code} | ({"display": one.display} if one.display else {})
    return {"extension": extensions, **plain} if extensions else plain


def _output(name: str, **value: Any) -> Json:
    return {"type": {"text": name}, **value}
