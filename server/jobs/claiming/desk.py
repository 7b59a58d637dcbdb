"""The rules, tables and prices of a process, as `Claim/$submit` has them open: nothing is opened twice."""

from __future__ import annotations

from server.jobs.kinds import Work
from server.operations.claims import Desk, Submit


def submit_of(work: Work) -> Submit:
    """`Claim/$submit` of this process."""
    operation = work.operations.find(("Claim", "$submit"))
    if operation is None or not isinstance(operation.handler, Submit):
        raise LookupError("Claim/$submit is not among the operations.")
    return operation.handler


def desk_of(work: Work) -> Desk:
    """What to scrub with."""
    return submit_of(work).desk
