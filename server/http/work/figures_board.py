"""What the pages of figures show of each area: tiles, then charts with their tables (docs/figures.md)."""

from __future__ import annotations

from collections.abc import Callable

from .figures_drawn import calibration, curves, rows
from .figures_parts import MOST, Board, Cell, Chart, Tile, by, cell, day, stack, tile
from .figures_told import Number, Told


def board(now: Told, before: Told | None) -> Board:
    """The page of an area; `before` are the figures of the period before."""
    tiles, charts = _AREAS[now.span.area](now, before)
    return Board(tuple(tiles), tuple(charts), now.notes)


def _operations(now: Told, before: Told | None) -> tuple[list[Tile], list[Chart]]:
    def old(name: str, **labels: str) -> Number | None:
        return before.one(name, **labels) if before else None

    slow = {"stage": "whole", "quantile": "0.95"}
    queue = now.one("queue-age")
    tiles = [
        tile("Documents coded", now.one("documents", state="coded"), old("documents", state="coded"), better="up",
              course=now.all("documents-by-day")),
        tile("Each minute, last hour", now.one("documents-per-minute"), course=now.all("documents-by-minute")),
        tile("Received to coded, p95", now.one("stage-seconds", **slow), old("stage-seconds", **slow), better="down"),
        tile("Oldest waiting", queue, hint=f"{now.one('queue').text} in the queue",
              state="bad" if (queue.value or 0) > 900 else ""),
        tile("Failed", now.one("documents", state="failed"), old("documents", state="failed"), better="down"),
        tile("Confidence of scans", now.one("reading-confidence-mean"), old("reading-confidence-mean"), better="up",
              hint="mean over words, percent"),
        tile("Waiting for a coder", now.one("review-backlog")),
    ]  # fmt: skip
    charts = [
        by(now, "documents-by-day", "day", "days", "Documents by day", "Documents coded, by day."),
        _stages(now),
        _failures(now),
        by(now, "reading-confidence", "bin", "sure", "Confidence of scans",
            "Scanned documents by the mean confidence of their words."),
        by(now, "review-backlog-by-age", "age", "ages", "Review backlog", "Documents that wait for a coder, by age."),
        by(now, "reviews", "state", "reviews", "Reviews by state", "Coders' items of work.", lying=True),
        by(now, "documents-by-minute", "minute", "minutes", "The last hour", "Documents coded in each minute."),
    ]  # fmt: skip
    return tiles, charts


def _stages(told: Told) -> Chart:
    names = list(dict.fromkeys(one.labels["stage"] for one in told.all("stage-seconds")))
    half = [told.one("stage-seconds", stage=name, quantile="0.5") for name in names]
    most = [told.one("stage-seconds", stage=name, quantile="0.95") for name in names]
    drawing = None
    if any(one.value for one in most):
        more = [max(0.0, (b.value or 0.0) - (a.value or 0.0)) for a, b in zip(half, most, strict=True)]
        drawing = rows(names, [[one.value or 0.0 for one in half], more], [one.text for one in most])
    table = tuple((Cell(n, number=False), cell(a), cell(b)) for n, a, b in zip(names, half, most, strict=True))
    text = "Seconds of each stage: half of the documents, and 95 of 100, took no longer."
    return Chart("stages", "Seconds by stage", text, ("Stage", "p50", "p95"), table, drawing, ("p50", "up to p95"))


def _failures(told: Told) -> Chart:
    some = told.all("failures")
    names = [f"{one.labels['stage']}: {one.labels['cause']}" for one in some]
    drawing = (
        rows(names[:MOST], [[one.value or 0.0 for one in some[:MOST]]], [one.text for one in some[:MOST]])
        if some
        else None
    )
    table = tuple(
        (Cell(one.labels["stage"], number=False), Cell(one.labels["cause"], number=False), cell(one)) for one in some
    )
    text = "Documents that failed, by the stage they were in and the cause."
    return Chart("failures", "Failures", text, ("Stage", "Cause", "Documents"), table, drawing)


def _quality(now: Told, _before: Told | None) -> tuple[list[Tile], list[Chart]]:
    drift = now.one("population-stability", of="chapter")
    state = "" if drift.value is None or drift.value < 0.1 else "warn" if drift.value < 0.25 else "bad"
    days = [one for one in now.all("decisions-by-day") if one.labels["decision"] == "accept"]
    tiles = [
        tile("Decisions", now.total("decisions"), now.one("decisions-before"), course=days),
        tile("Accepted as suggested", now.one("acceptance"), now.one("acceptance-before"), better="up"),
        tile("Calibration error", now.one("calibration-error"), now.one("calibration-error-before"),
              better="down", hint="gap between confidence and acceptance"),
        tile("Second looks agree", now.one("agreement"), hint=f"{now.one('second-looks').text} second looks"),
        tile("Unaided coding agrees", now.one("unaided-agreement"),
              hint=f"{now.one('unaided-documents').text} documents"),
        tile("Drift of chapters", drift, hint="index; from 0.25 on, look", state=state),
        tile("Drift of confidence", now.one("population-stability", of="confidence"), hint="index; from 0.25 on, look"),
    ]  # fmt: skip
    charts = [
        stack(now, "decisions-by-day", "day", "days", "Decisions by day", "What coders decided, by day.", lying=False),
        _calibrated(now),
        stack(
            now,
            "decisions-by-chapter",
            "chapter",
            "chapters",
            "By chapter",
            "Decisions by chapter of the suggested code.",
        ),
        stack(
            now,
            "decisions-by-proposer",
            "proposer",
            "proposers",
            "By proposer",
            "Decisions by what suggested the code.",
        ),
        stack(
            now,
            "decisions-by-category",
            "category",
            "categories",
            "By category",
            "Decisions by the first three characters.",
        ),
        *_unaided(now),
        _coders(now),
    ]
    return tiles, charts


def _calibrated(told: Told) -> Chart:
    bins = [one.labels["bin"] for one in told.all("calibration")]
    some = [[told.one(f"calibration{end}", bin=name) for end in ("-confidence", "", "-decisions")] for name in bins]
    points = [
        (said.value, share.value, int(n.value or 0))
        for said, share, n in some
        if said.value is not None and share.value is not None
    ]
    table = tuple((Cell(name, number=False), *map(cell, one)) for name, one in zip(bins, some, strict=True))
    text = (
        "Confidence of suggestions against the share that coders accepted: on the diagonal it keeps what it promises."
    )
    head = ("Confidence", "Mean", "Accepted", "Decisions")
    return Chart(
        "calibration", "Calibration", text, head, table, calibration(points) if points else None, ("accepted",)
    )


def _unaided(told: Told) -> list[Chart]:
    """How far the machine agrees with what was coded unaided; nothing where nothing was."""
    ways = (
        (
            "band",
            "By confidence",
            "Of what the machine would have claimed unaided coders have this share, by its band.",
        ),
        ("chapter", "By chapter", "Share of the codes of either that both have, by chapter."),
        ("section", "By section", "The same by section of the document, as the machine read it."),
        ("code", "By code", "The same by code, those of the most documents."),
    )
    found = [(name, title, text, f"unaided-agreement-by-{name}") for name, title, text in ways]
    return [
        by(told, figure, name, f"unaided-{name}", f"Unaided: {title.lower()}", text, lying=True)
        for name, title, text, figure in found
        if told.all(figure)
    ] + ([_worth(told)] if told.one("unaided-dollars", of="machine").value is not None else [])


def _worth(told: Told) -> Chart:
    some = told.all("unaided-dollars")
    table = tuple((Cell(one.labels["of"], number=False), cell(one)) for one in some)
    text = "What fee schedules promise for the documents that were coded unaided, by each one's codes."
    return Chart("unaided-dollars", "Unaided: dollars", text, ("Whose codes", "Dollars"), table, plain=True)


def _coders(told: Told) -> Chart:
    names = list(
        dict.fromkeys(one.labels["coder"] for n in ("coder-decisions", "coder-documents") for one in told.all(n))
    )
    kinds = ("coder-decisions", "coder-documents", "coder-seconds")
    table = tuple((Cell(name, number=False), *(cell(told.one(kind, coder=name)) for kind in kinds)) for name in names)
    text = "What each coder decided and finished, and the time from taking a document to finishing it."
    return Chart("coders", "Coders", text, ("Coder", "Decisions", "Documents", "Time each"), table, plain=True)


def _claims(now: Told, before: Told | None) -> tuple[list[Tile], list[Chart]]:
    def old(name: str) -> Number | None:
        return before.one(name) if before else None

    late = now.one("claims-due", due="overdue")
    tiles = [
        tile(
            "Clean claims",
            now.one("clean-claim-rate"),
            old("clean-claim-rate"),
            better="up",
            course=now.all("clean-by-day"),
        ),
        tile("Claims looked at", now.one("claims-scrubbed"), old("claims-scrubbed"), course=now.all("claims-by-day")),
        tile(
            "Money behind edits",
            now.total("edit-dollars"),
            before.total("edit-dollars") if before else None,
            better="down",
        ),
        tile("Expected", now.one("expected"), old("expected"), hint=f"of {now.one('charged').text} charged"),
        tile("Denied", now.one("denial-rate"), old("denial-rate"), better="down"),
        tile(
            "Money denied",
            now.total("denied-dollars"),
            before.total("denied-dollars") if before else None,
            better="down",
        ),
        tile("Past the filing limit", late, state="bad" if late.value else ""),
    ]
    charts = [
        by(now, "claims-by-day", "day", "days", "Claims by day", "Claims that our edits looked at, by day."),
        _clean(now),
        _paired(now, ("edits", "edit-dollars"), "rule", "edits", "Edits by rule", "Errors by rule, and their money."),
        _paired(now, ("denials", "denied-dollars"), "reason", "denials", "Denials by reason",
                "Group and reason (CARC) of denials, and the money."),
        by(now, "claims-due", "due", "due", "Days to the filing limit", "Claims that wait, by days left."),
        by(now, "claims-waiting", "work", "work", "What waits", "Claims that wait, by what is to be done.", lying=True),
        _money(now),
    ]  # fmt: skip
    return tiles, charts


def _clean(told: Told) -> Chart:
    some = told.all("clean-by-day")
    values = [one.value for one in some]
    drawing = (
        curves([day(one.labels["day"]) for one in some], [values], 1.0) if any(v is not None for v in values) else None
    )
    table = tuple((Cell(one.labels["day"], number=False), cell(one)) for one in some)
    return Chart(
        "clean",
        "Clean claims by day",
        "Share of the claims of a day without an error.",
        ("Day", "Clean"),
        table,
        drawing,
    )


def _paired(told: Told, names: tuple[str, str], label: str, id: str, title: str, text: str) -> Chart:
    """Counts and money by a label, drawn by money where there is any."""
    some = [(told.one(names[0], **one.labels), one) for one in told.all(names[1])]
    counted = not any(money.value for _, money in some)
    shown = [count if counted else money for count, money in some[:MOST]]
    drawing = (
        rows([m.labels[label] for m in shown], [[m.value or 0.0 for m in shown]], [m.text for m in shown])
        if shown
        else None
    )
    table = tuple((Cell(money.labels[label], number=False), cell(count), cell(money)) for count, money in some)
    return Chart(id, title, text, (label.capitalize(), "Times", "Dollars"), table, drawing)


def _money(told: Told) -> Chart:
    names = ("charged", "expected", "billed", "paid")
    some = [told.one(name) for name in names]
    values = [one.value or 0.0 for one in some]
    drawing = rows([name.capitalize() for name in names], [values], [one.text for one in some]) if any(values) else None
    table = tuple((Cell(name.capitalize(), number=False), cell(one)) for name, one in zip(names, some, strict=True))
    text = "Priced claims: charged, and expected by fee schedules. Answered claims: billed, and paid."
    return Chart("money", "Expected against charged", text, ("Money", "Dollars"), table, drawing)


_STANDING = ("release-age", "release-rows", "requests", "error-rate", "database")


def _system(now: Told, _before: Told | None) -> tuple[list[Tile], list[Chart]]:
    oldest = max(
        (one for one in now.all("release-age") if one.value is not None), key=lambda one: one.value or 0, default=None
    )
    waiting = now.one("audit-unsigned-events")
    tiles = [
        tile("Database", now.one("database")),
        tile("Unexpected errors", now.one("error-rate"), hint="share of requests since the start"),
        *([tile("Oldest release, days", oldest, hint=oldest.labels["name"])] if oldest else []),
        tile("Events of the audit", now.one("audit-chain-length"), hint=f"{waiting.text} not signed yet"),
        tile("Waiting to be told", now.one("outbox"), hint="versions for subscriptions"),
    ]
    ages = now.all("release-age")
    table = tuple(
        (Cell(one.labels["kind"], number=False), Cell(one.labels["name"], number=False),
         Cell(one.labels["version"], number=False), cell(one), cell(now.one("release-rows", **one.labels)))
        for one in ages
    )  # fmt: skip
    head = ("Kind", "Name", "Release", "Age in days", "Rows")
    charts = [
        Chart("releases", "Releases in use", "What is loaded, and how old it is.", head, table, plain=True),
        _routes(now),
        _others(now),
    ]
    return tiles, charts


def _routes(told: Told) -> Chart:
    some = sorted(told.all("requests"), key=lambda one: -(one.value or 0))
    table = tuple(
        (Cell(one.labels["route"], number=False), Cell(one.labels["status"], number=False), cell(one)) for one in some
    )
    names = [f"{one.labels['route'].removeprefix('/fhir')} {one.labels['status']}" for one in some[:MOST]]
    drawing = (
        rows(names, [[one.value or 0.0 for one in some[:MOST]]], [one.text for one in some[:MOST]]) if some else None
    )
    return Chart(
        "routes",
        "Requests by route",
        "Answers by route and class of status since the start.",
        ("Route", "Status", "Requests"),
        table,
        drawing,
    )


def _others(told: Told) -> Chart:
    """Whatever else /metrics tells."""
    some = [one for name in told.names() if name not in _STANDING for one in told.all(name)]
    table = tuple(
        (Cell(one.name, number=False), Cell(", ".join(one.labels.values()), number=False), cell(one)) for one in some
    )
    return Chart(
        "others",
        "Everything else",
        "What other parts of the server tell at /metrics.",
        ("Figure", "Of", "Value"),
        table,
        plain=True,
    )


_AREAS: dict[str, Callable[[Told, Told | None], tuple[list[Tile], list[Chart]]]] = {
    "operations": _operations, "quality": _quality, "claims": _claims, "system": _system,
}  # fmt: skip
