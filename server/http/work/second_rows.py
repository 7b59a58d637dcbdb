"""The documents that are put forward for a second look, and how far each look is.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from typing import NamedTuple

from server.review.second_task import is_sampled, look_id, score_of

from .desk import Desk
from .queue_rows import rows_of

SHOWN = {"sample": "chosen for a second look", "finished": "every finished one", "coded": "everything that was coded"}
PAGE = 100


class SecondRow(NamedTuple):
    """A document; `looks` is who took the second look, `jaccard` how far two agree once it is finished."""

    id: str
    title: str
    patient: str
    looks: str
    jaccard: float | None


async def second_rows(desk: Desk, which: str, percent: float) -> tuple[list[SecondRow], int]:
    """The documents of SHOWN, the oldest first, and how many more there are.

    Whatever had a second look is among them.
    """
    every = sorted(await rows_of(desk), key=lambda one: one.coded)
    tasks = await desk.all([f"Task/{look_id(one.id)}" for one in every])
    found = []
    for one in every:
        task = tasks.get(f"Task/{look_id(one.id)}")
        done = one.state == "done" and (which == "finished" or is_sampled(one.id, percent))
        if task is not None or which == "coded" or done:
            looks = str(((task or {}).get("owner") or {}).get("display", ""))
            score = score_of(task)
            found.append(SecondRow(one.id, one.title, one.patient, looks, score.jaccard if score else None))
    return found[:PAGE], max(0, len(found) - PAGE)
