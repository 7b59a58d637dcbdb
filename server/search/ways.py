"""Which way a branch of a search goes: from a few resources, or along an index (see `plan`).

A condition that is sure to leave few leads. Of the others the first is taken that finds no more than FEW, which is
counted, up to there. When all find many, nothing is gathered: the page comes from an index in its order. A page is
asked for the same way as the one before it, so that the order stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from fhir_profiles.extract import main_dates
from server.store.keys import patient_key

from .conditions import Rows, is_single_valued, targets_of
from .plan import INDEX_ORDER, Plan, Within, by_date, by_index, by_sort, gathered, of_type
from .query import Branch, Chain, Condition, Every, Has, Node, invalid
from .sql import Sql
from .tree import SURE, Part, Scope, Window, about, driving, names_patient, part_of

FEW = 3000

CHAINED_FEWER = 4
"""How much fewer a chain may gather, as each of them is looked up more often."""

Size = Callable[[Sql, int], bool]
"""Whether a SELECT of row ids finds no more than FEW divided by the number."""


class Parts(msgspec.Struct, frozen=True):
    """A branch in SQL: its conditions, and what the caller may see of its type."""

    branch: Branch
    parts: tuple[Part, ...]
    seen: tuple[Sql, ...]

    def checks(self, leading: Part | None = None) -> list[Sql]:
        """What each row is checked for, but for the condition that leads."""
        return [*(part.check for part in self.parts if part is not leading), *self.seen]


def parts_of(scope: Scope, branch: Branch) -> Parts:
    """The branch in SQL."""
    seen = scope.reach(branch.type)
    parts = _merge(branch, [part_of(scope, node) for node in _flat(branch.conditions)])
    return Parts(branch, parts, () if seen is None else (seen,))


def _flat(nodes: Iterable[Node]) -> Iterator[Node]:
    """What must all hold, one by one."""
    for node in nodes:
        if isinstance(node, Every):
            yield from _flat(node.parts)
        else:
            yield node


def choose(scope: Scope, found: Parts, few: Size) -> str:
    """The way to go, as `make_plan` reads it."""
    branch, parts = found.branch, found.parts
    leading = sorted((n for n, part in enumerate(parts) if part.rids is not None), key=lambda n: parts[n].rank)
    dated = _date_order(branch) is not None
    if leading and parts[leading[0]].rank and _by_patient(scope, found) is not None:
        return "p" if dated else "q"
    if leading and parts[leading[0]].rank <= SURE:
        return f"{'d' if dated and _is_single(parts[leading[0]]) else 'g'}{leading[0]}"
    along = next((n for n in leading if _is_single(parts[n])), None) if dated else None
    if along is None and not branch.sorts:
        along = next((n for n in leading if _has_index_order(parts[n])), None)
    windowed = along is not None and _is_single(parts[along]) and _main_window(found) is not None
    if not (windowed and len(leading) == 2) and (len(leading) > 1 or (leading and along is None)):
        for n in leading:
            if _finds_few(scope, parts[n], branch.type, few):
                return f"g{n}"
    if along is not None:
        return f"{'d' if dated and _is_single(parts[along]) else 'l'}{along}"
    if branch.sorts:
        return "o" if branch.sorts[0].target is None else f"g{leading[0]}" if leading else "s"
    return "t"


def make_plan(scope: Scope, found: Parts, way: str, *, alone: bool = True) -> Plan:
    """The plan of a way; FhirError INCORRECT for one that this search does not have."""
    branch = found.branch
    down = _date_order(branch)
    match way[:1], int(way[1:]) if way[1:].isdigit() else None:
        case "o", None if branch.sorts and branch.sorts[0].target is None:
            return by_sort(scope, branch, found.checks(), alone=alone)
        case "s", None:
            everything = Sql("SELECT a.rid FROM resource a WHERE a.type = ? AND a.change <> 'D'", (branch.type,))
            return gathered(scope, branch, everything, found.checks())
        case "t", None:
            return of_type(branch, found.checks())
        case ("p" | "q") as kind, None if (one := _by_patient(scope, found)) is not None:
            rows, part = one
            if kind == "q":
                led = Sql(f"SELECT t.rid FROM {rows.table} t WHERE {rows.where.text}", rows.where.params)
                return gathered(scope, branch, led, found.checks(part))
            return _dated(found, rows, part, down=down is not False)
        case kind, int(n) if n < len(found.parts) and (rids := found.parts[n].rids) is not None:
            part = found.parts[n]
            if kind == "g":
                return gathered(scope, branch, rids, found.checks(part))
            if kind == "d" and part.rows is not None and _is_single(part):
                return _dated(found, part.rows, part, down=down is not False)
            if kind == "l" and part.rows is not None and _has_index_order(part):
                single = part.rows.table == "idx_date" and is_single_valued(branch.type, _code(found, n))
                return by_index(scope, part.rows, found.checks(part), single=single)
    raise invalid("_cursor must come unchanged from a link of the same search. Start the search again.")


def _dated(found: Parts, rows: Rows, leading: Part, *, down: bool) -> Plan:
    """Rows in the order of the main date; where a condition is on that date, only those that begin in its window."""
    part = _main_window(found)
    if part is None or part.window is None or part.rows is None:
        return by_date(rows, found.checks(leading), down=down)
    within = Within(part.window, part.rows, tuple(found.checks(part)))
    return by_date(rows, found.checks(leading), down=down, within=within)


def _main_window(found: Parts) -> Part | None:
    """The part that says when the main date begins, where each resource of the type has one at most."""
    mains = main_dates(found.branch.type)
    for part in found.parts:
        node = part.node
        if part.window is not None and isinstance(node, Condition) and (node.param.code,) == mains:
            return part if is_single_valued(found.branch.type, node.param.code) else None
    return None


def _code(found: Parts, n: int) -> str:
    """The parameter of the part, where it is one condition."""
    node = found.parts[n].node
    return node.param.code if isinstance(node, Condition) else ""


def _is_single(part: Part) -> bool:
    """Whether one index key holds all rows of the part, which come in the order of the main date."""
    return part.rows is not None and part.rows.single


def _has_index_order(part: Part) -> bool:
    """Whether the rows of the part can be read in the order of an index."""
    return part.rows is not None and part.rows.table in INDEX_ORDER


def _finds_few(scope: Scope, part: Part, resource_type: str, few: Size, divisor: int = 1) -> bool:
    """Whether the part finds few of the type, looking first at what its chain would have to gather.

    What the caller may not see is not counted: the order of a page must not tell of it.
    """
    if part.inner is not None and part.inner.rank > SURE:
        node = part.node
        beyond = node.target if isinstance(node, Chain) else node.source if isinstance(node, Has) else resource_type
        if not _finds_few(scope, part.inner, beyond, few, CHAINED_FEWER):
            return False
        if isinstance(node, Has):  # which finds no more than refers to it
            return True
    if part.rids is None:
        return False
    seen = scope.reach(resource_type)
    if seen is None:
        return few(part.rids, divisor)
    text = f"SELECT v.rid FROM ({part.rids.text}) v WHERE {about(seen, 'v.rid')}"
    return few(Sql(text, (*part.rids.params, *seen.params)), divisor)


def _date_order(branch: Branch) -> bool | None:
    """Whether the order by main date is wanted, descending or not; None when another order is."""
    if not branch.sorts:
        return True
    sort = branch.sorts[0]
    if len(branch.sorts) == 1 and sort.target is None and main_dates(branch.type) == (sort.code,):
        return sort.descending
    return None


def _merge(branch: Branch, parts: list[Part]) -> tuple[Part, ...]:
    """Conditions on one date that a resource has once become one: `date=ge…&date=lt…` is one index range."""
    merged: list[Part] = []
    windows: dict[str, int] = {}
    for part in parts:
        node, rows = part.node, part.rows
        plain = isinstance(node, Condition) and node.modifier is None and rows is not None and rows.table == "idx_date"
        if not plain or rows.hidden or not is_single_valued(branch.type, node.param.code):  # type: ignore[union-attr]
            merged.append(part)
            continue
        code = node.param.code  # type: ignore[union-attr]
        if code not in windows:
            windows[code] = len(merged)
            merged.append(part)
            continue
        at = windows[code]
        merged[at] = _narrowed(merged[at], part)
    return tuple(merged)


def _narrowed(one: Part, other: Part) -> Part:
    """Two conditions on the same rows of a date as one."""
    assert one.rows is not None
    assert other.rows is not None
    values = other.rows.where.text.removeprefix("t.param = ? AND ")
    where = Sql(f"{one.rows.where.text} AND {values}", (*one.rows.where.params, *other.rows.where.params[1:]))
    ends = [end for end in (one.rows.ends_after, other.rows.ends_after) if end is not None]
    rows = msgspec.structs.replace(one.rows, where=where, ends_after=max(ends, default=None))
    # one row fulfils both: a resource has one only, or a second that says the same of a wide interval
    check = Sql(f"{one.check.text} AND {other.check.text}", (*one.check.params, *other.check.params))
    window = _both(one.window, other.window)
    return msgspec.structs.replace(one, check=check, rids=driving(rows), rows=rows, window=window)


def _both(one: Window | None, other: Window | None) -> Window | None:
    """What two windows say together."""
    if one is None or other is None:
        return one or other
    lows = [edge for edge in (one.low, other.low) if edge is not None]
    highs = [edge for edge in (one.high, other.high) if edge is not None]
    sure = any(window.low is not None and not window.wide for window in (one, other))
    if sure:  # what one says of all rows is kept; what the other says of short ones only is left to its check
        lows = [window.low for window in (one, other) if window.low is not None and not window.wide]
    return Window(max(lows, default=None), min(highs, default=None), wide=bool(lows) and not sure)


def _by_patient(scope: Scope, found: Parts) -> tuple[Rows, Part] | None:
    """One code of one patient: the token rows of that patient, and the part they stand for."""
    patient = next((one for part in found.parts if (one := _one_patient(scope, found.branch, part.node))), None)
    token = next((p for p in found.parts if _is_single(p) and p.rows is not None and p.rows.table == "idx_token"), None)
    if patient is None or token is None or token.rows is None:
        return None
    where = token.rows.where
    rows = Sql(f"t.patient = ? AND {where.text}", (patient_key(patient), *where.params))
    return msgspec.structs.replace(token.rows, where=rows), token


def _one_patient(scope: Scope, branch: Branch, node: Node | None) -> str | None:
    """The patient that the condition asks for, when the patient column of rows answers the same question."""
    if not isinstance(node, Condition) or len(node.values) != 1 or node.modifier not in (None, "Patient"):
        return None
    if not names_patient(branch.type, node.param.code):
        return None
    targets = targets_of(node, node.values[0], scope.base_url)
    return targets[0].removeprefix("Patient/") if len(targets) == 1 and targets[0].startswith("Patient/") else None
