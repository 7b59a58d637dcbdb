"""What the review shows of a document that is not coded yet: how far it is, and the way in when it is done.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from fastapi import Response

from .desk import Desk, RefusedError
from .shown import page
from .upload_stages import rows_of, shown


async def waiting(desk: Desk, id: str, refused: RefusedError | None = None) -> Response:
    """The stages of a document; RefusedError where it is not to be seen, or was `refused` although it is coded."""
    rows = await rows_of(desk, [id])
    if not rows:
        await desk.read(f"DocumentReference/{id}")  # which tells why
    if refused is not None and (not rows or rows[0].state == "completed"):
        raise refused
    return page(desk, "review_waiting.html", room="review", **shown([id], rows))
