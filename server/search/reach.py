"""What the caller of a search may see at all: one function, asked wherever a resource is touched.

A search touches its matches, the resources that a chain, `_has` or `_list` passes through, what is included, what is
counted and what a sort key is read from. Each asks the reach for the type before any LIMIT, so that what is hidden
changes neither a result nor a count nor an order.
"""

from __future__ import annotations

from collections.abc import Callable

from .sql import Sql

Reach = Callable[[str], Sql | None]
"""From a resource type to the condition on `{rid}` that its visible resources fulfil; None when all of them do.

The condition must name no table `r`, `d` or `q`, and no column of one: it is put into statements that have them.
"""

NOTHING = Sql("1 = 0")


def whole(_resource_type: str) -> None:
    """The reach that hides nothing."""
    return
