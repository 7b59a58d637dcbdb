"""Figures, computed from rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.systems import CPT, ICD10CM
from fhir_profiles.validate import check
from server.figures.claims import claims
from server.figures.drift import stability
from server.figures.families import CHAPTERS, category, chapter
from server.figures.metrics import METRICS, gauges_of, metric_of
from server.figures.model import DAY, Figure, Period, binned, quantile, seconds_of
from server.figures.operations import operations
from server.figures.quality import quality
from server.figures.rows import Adjusted, Answered, Decided, Due, Edit, Look, Review, Scrubbed, Work
from server.figures.system import Release, Route, system
from server.figures.told import as_csv, parameters

DAYS = Period.of_days(date(2026, 3, 1), date(2026, 3, 10))
NOW = DAYS.end - 3600


def found(figures: Iterable[Figure], called: str, /, **labels: str) -> Figure:
    """The one figure of a name and labels."""
    [one] = [f for f in figures if f.name == called and dict(f.labels) == labels]
    return one


def _work(name: str, state: str = "coded", ended: float | None = NOW - 60, **more: object) -> Work:
    told = {"stage": "emitted", "cause": "unknown", "asked": NOW - 70, "seconds": {}, "confidence": None, "pages": 0}
    return Work(reference=f"Task/{name}", state=state, ended=ended, **{**told, **more})  # type: ignore[arg-type]


def test_documents_are_counted_where_they_ended_and_open_their_rows() -> None:
    """A document counts in the period in which it ended; each number names the Tasks that it is made of."""
    works = [
        _work("a", seconds={"pages": 2.0, "whole": 9.0}),
        _work("b", seconds={"pages": 4.0, "whole": 19.0}),
        _work("c", ended=DAYS.start - 1),
        _work("d", "failed", stage="pages", cause="structure"),
        _work("e", "waiting", ended=None, asked=NOW - 500),
        _work("f", "running", ended=None, asked=NOW - 10),
    ]
    told = list(operations(works, [], DAYS, NOW))
    assert found(told, "documents", state="coded").rows == ("Task/a", "Task/b")
    assert found(told, "failures", stage="pages", cause="structure").rows == ("Task/d",)
    assert (found(told, "queue").value, found(told, "queue-age").value) == (2, 500.0)
    assert found(told, "queue-age").rows == ("Task/e",)
    assert found(told, "stage-seconds", stage="pages", quantile="0.5").value == 2.0
    assert found(told, "stage-seconds", stage="pages", quantile="0.95").value == 4.0
    assert found(told, "stage-seconds", stage="codes", quantile="0.5").value is None
    assert found(told, "documents-per-minute").value == round(2 / 60, 3)
    assert sum(f.value or 0 for f in told if f.name == "documents-by-minute") == 2
    assert found(told, "documents-by-day", day="2026-03-10").value == 2
    assert len([f for f in told if f.name == "documents-by-day"]) == 10


def test_what_ended_lately_is_told_by_how_soon() -> None:
    """Of the last five minutes: coded within so many seconds, each bound holding the one below; failed only in any."""
    works = [
        _work("a", seconds={"whole": 30.0}), _work("b", seconds={"whole": 130.0}), _work("c", "failed"), _work("d"),
        _work("e", ended=NOW - 301, seconds={"whole": 1.0}), _work("f", "cancelled"),
    ]  # fmt: skip
    told = list(operations(works, [], DAYS, NOW))
    counts = {within: found(told, "ended-lately", within=within).value for within in ("30", "120", "300", "900", "any")}
    assert counts == {"30": 1, "120": 1, "300": 2, "900": 2, "any": 4}


def test_confidence_of_scans_has_bins_and_text_layers_do_not_count() -> None:
    """An edge belongs to the bin above it."""
    works = [_work("a", confidence=90.0, pages=3), _work("b", confidence=49.9, pages=1), _work("c", pages=7)]
    told = list(operations(works, [], DAYS, NOW))
    assert found(told, "reading-confidence", bin="90–95").rows == ("Task/a",)
    assert found(told, "reading-confidence", bin="under 50").rows == ("Task/b",)
    assert found(told, "reading-confidence-mean").value == 69.95
    assert found(told, "pages").value == 11


def test_the_backlog_is_what_waits_however_old() -> None:
    """Open reviews count by age; completed ones only where they ended in the period."""
    reviews = [
        Review("Task/a", "ready", "", NOW - 5 * 3600, None),
        Review("Task/b", "on-hold", "Practitioner/x", NOW - 30 * DAY, None),
        Review("Task/c", "completed", "Practitioner/x", NOW - 100, NOW - 10),
        Review("Task/d", "completed", "Practitioner/x", DAYS.start - 100, DAYS.start - 10),
    ]
    told = list(operations([], reviews, DAYS, NOW))
    assert found(told, "review-backlog").value == 2
    assert found(told, "review-backlog-by-age", age="4–8 h").rows == ("Task/a",)
    assert found(told, "review-backlog-by-age", age="over 3 d").rows == ("Task/b",)
    assert found(told, "reviews", state="completed").rows == ("Task/c",)


def _decision(n: int, kind: str, code: str = "I10", sure: float | None = 0.95, who: str = "Practitioner/x") -> Decided:
    return Decided(f"Provenance/{n}", NOW - n, kind, who, f"Condition/{n}", ICD10CM, code, sure, "copd")


def test_quality_counts_by_family_and_proposer() -> None:
    """What was added was never suggested: it does not count towards acceptance or calibration."""
    decisions = [
        _decision(1, "accept"), _decision(2, "accept"), _decision(3, "reject", "J44.1", 0.55),
        _decision(4, "replace", "J44.0", 0.55), _decision(5, "add", "E11.9", None),
    ]  # fmt: skip
    told = list(quality(decisions, [], [Look((_decision(1, "accept"), _decision(9, "accept")), True)], [], DAYS))
    assert found(told, "decisions", decision="accept").value == 2
    assert found(told, "acceptance").value == 0.5
    assert found(told, "acceptance-before").value is None
    assert found(told, "decisions-by-chapter", chapter="Respiratory", decision="reject").rows == ("Provenance/3",)
    assert found(told, "decisions-by-category", category="J44", decision="replace").value == 1
    assert found(told, "decisions-by-proposer", proposer="copd", decision="accept").value == 2
    assert found(told, "calibration", bin="0.9–1.0").value == 1.0
    assert found(told, "calibration", bin="0.5–0.6").value == 0.0
    assert found(told, "calibration-decisions", bin="0.0–0.1").value == 0
    assert found(told, "calibration-error").value == round((2 * 0.05 + 2 * 0.55) / 4, 4)
    assert found(told, "coder-decisions", coder="Practitioner/x").value == 5
    assert found(told, "agreement").value == 1.0
    assert found(told, "population-stability", of="chapter").value is None


def test_drift_is_nothing_for_the_same_and_much_for_the_other() -> None:
    """The index is 0 for equal shares, symmetric, above 0.25 for a turn-around, and silent about few rows."""
    same, turned = ["a"] * 80 + ["b"] * 20, ["a"] * 20 + ["b"] * 80
    assert stability(same, same) == 0.0
    assert stability(same, turned) == stability(turned, same) and (stability(same, turned) or 0) > 0.25
    assert stability(same, ["a"] * 29) is None
    assert (stability(["a"] * 40, ["b"] * 40) or 0) > 1  # a group that one of them lacks is no division by zero


def test_claims_are_clean_by_their_last_answer_and_money_is_told() -> None:
    """A claim that was put right is clean; edits and denials stand with the money they are about, the most first."""
    scrubs = [
        Scrubbed("ClaimResponse/1", "Claim/a", NOW - 99, (Edit("R-1", 100.0),), 100.0, 60.0),
        Scrubbed("ClaimResponse/2", "Claim/a", NOW - 9, (), 100.0, 60.0),
        Scrubbed("ClaimResponse/3", "Claim/b", NOW - 9, (Edit("R-1", 40.0), Edit("R-2", 80.0)), 80.0, None),
    ]
    answers = [
        Answered("ClaimResponse/4", "Claim/c", NOW, 90.0, 0.0, (Adjusted("CO", "50", 90.0, True),)),
        Answered("ClaimResponse/5", "Claim/d", NOW, 50.0, 30.0, (Adjusted("CO", "45", 20.0, False),)),
    ]
    told = list(claims(scrubs, answers, [], DAYS, NOW))
    assert found(told, "clean-claim-rate").value == 0.5
    assert found(told, "clean-claim-rate").rows == ("ClaimResponse/2",)
    assert [f.label("rule") for f in told if f.name == "edit-dollars"] == ["R-2", "R-1"]
    assert found(told, "edit-dollars", rule="R-1").value == 40.0
    assert (found(told, "charged").value, found(told, "expected").value) == (100.0, 60.0)
    assert found(told, "not-priced").rows == ("ClaimResponse/3",)
    assert (found(told, "billed").value, found(told, "paid").value) == (140.0, 30.0)
    assert found(told, "denial-rate").value == 0.5
    assert found(told, "denied-dollars", reason="CO-50").value == 90.0
    assert [f.label("reason") for f in told if f.name == "denials"] == ["CO-50"]


def test_the_last_day_of_a_filing_limit_still_counts() -> None:
    """A limit of today is not overdue; one of yesterday is; one that nobody knows is told apart."""
    today = NOW // DAY * DAY
    due = [Due("Task/a", "denied", today), Due("Task/b", "denied", today - DAY), Due("Task/c", "other", None),
           Due("Task/d", "other", today + 8 * DAY)]  # fmt: skip
    told = list(claims([], [], due, DAYS, NOW))
    bins = {f.label("due"): f.rows for f in told if f.name == "claims-due" and f.rows}
    assert bins == {"0–7 d": ("Task/a",), "overdue": ("Task/b",), "no limit known": ("Task/c",), "8–30 d": ("Task/d",)}
    assert found(told, "claims-waiting", work="denied").value == 2


def test_the_server_tells_ages_and_errors() -> None:
    """A release that tells no day has no age; the error rate is over all routes."""
    releases = [Release("table", "mpfs", "2026A", date(2026, 1, 1), 9), Release("terminology", "CPT", "s-1", None, 4)]
    routes = [Route("/fhir/{type}", "2xx", 9.0), Route("/fhir/{type}", "5xx", 1.0)]
    gauges = {"fhirwright_later": ("", "request", {"export accepted": 2.0})}
    told = list(system(releases, routes, gauges, 4096, date(2026, 3, 1)))
    assert found(told, "release-age", kind="table", name="mpfs", version="2026A").value == 59
    assert found(told, "release-age", kind="terminology", name="CPT", version="s-1").value is None
    assert found(told, "error-rate").value == 0.1
    assert found(told, "later", request="export accepted").value == 2.0


@pytest.mark.parametrize(
    ("system_", "code", "expected"),
    [(ICD10CM, "O9A.111", ("Pregnancy, childbirth", "O9A")), (ICD10CM, "D49.0", ("Neoplasms", "D49")),
     (ICD10CM, "d50.9", ("Blood, immunity", "D50")), (CPT, "99214", ("CPT", "99…")), ("", "", ("unknown", "unknown"))],
)  # fmt: skip
def test_codes_have_families(system_: str, code: str, expected: tuple[str, str]) -> None:
    """Chapters end where the next begins; what is nobody's code is unknown."""
    assert (chapter(system_, code), category(system_, code)) == expected
    assert len({name for *_, name in CHAPTERS}) == 22


def test_a_period_and_the_one_before_it_touch() -> None:
    """Both days are included, and no moment is in both or neither."""
    assert next(iter(DAYS.days())) == "2026-03-01" and list(DAYS.days())[-1] == "2026-03-10"
    before = DAYS.before()
    assert before.end == DAYS.start and before.end - before.start == DAYS.end - DAYS.start
    assert not before.holds(DAYS.start) and DAYS.holds(DAYS.start) and not DAYS.holds(DAYS.end)


def test_small_sums() -> None:
    """Quantiles by nearest rank, bins by their upper edge, moments with and without zone."""
    assert [quantile([3, 1, 2], p) for p in (0.5, 0.95)] == [2, 3] and quantile([], 0.5) is None
    assert [binned(v, (1, 2)) for v in (0.9, 1, 2)] == [0, 1, 2]
    assert seconds_of("2026-03-01T01:00:00+01:00") == seconds_of("2026-03-01") == DAYS.start
    assert seconds_of("2026-03") is None and seconds_of("2026-99-01") is None and seconds_of(None) is None


def test_figures_are_told_as_parameters_and_as_csv() -> None:
    """Both hold every figure; the Parameters is valid R4; a cell that a spreadsheet would run is made harmless."""
    figures = [
        Figure("a", 0.25, "share", (("rule", "=1+1"),), (_work("a"),)),
        Figure("b", None, "days"),
        Figure("c", 3, ""),
    ]
    told = parameters(figures, [{"name": "of", "valueCode": "claims"}], ["Something was left out."])
    assert check(told) == []
    assert [p["name"] for p in told["parameter"]] == ["of", "note", "figure", "figure", "figure"]
    rows = list(csv.reader(io.StringIO(as_csv([Figure("a", 1, "", (("=x", "1"),)), *figures], "s", "u"))))
    assert rows[1][1] == "'=x=1" and rows[3][2] == "" and rows[4][2] == "3" and len(rows) == 5


def test_metrics_have_labels_in_their_order_and_no_rows() -> None:
    """A figure becomes a gauge with the labels that its table names; what is not in the table is told nowhere."""
    gauges = gauges_of([*operations([_work("a")], [], DAYS, NOW), Figure("coder-decisions", 1, "", (("coder", "x"),))])
    text, labels, values = gauges["fhirwright_documents"]
    assert labels == ("state",) and values[("coded",)] == 1 and text
    assert not any("coder" in name for name in gauges)
    every = [*operations([_work("a", "failed")], [Review("Task/r", "ready", "", NOW, None)], DAYS, NOW),
             *quality([_decision(1, "accept")], [], [], [], DAYS),
             *claims([Scrubbed("C/1", "Claim/a", NOW, (Edit("R", 1.0),), 1.0, 1.0)],
                     [Answered("C/2", "Claim/a", NOW, 1.0, 0.0, (Adjusted("CO", "1", 1.0, True),))],
                     [Due("Task/d", "other", NOW)], DAYS, NOW),
             *system([Release("table", "a", "b", None, 1)], [], {}, 1, date(2026, 3, 1))]  # fmt: skip
    known = {one.name: (one.unit, tuple(name for name, _ in one.labels)) for one in every}
    assert {name: (told.unit, told.labels) for name, told in METRICS.items()} == {name: known[name] for name in METRICS}


def test_every_metric_is_documented() -> None:
    """docs/figures.md names each figure with its metric and labels."""
    page = (Path(__file__).parents[3] / "docs" / "figures.md").read_text()
    for name, told in METRICS.items():
        labels = ", ".join(f"`{label}`" for label in told.labels)
        assert f"| `{name}` | {told.text} | {labels} | `{metric_of(name)}` |" in page
