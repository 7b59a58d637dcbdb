"""What the pages of figures are made of: numbers as they are written, charts as geometry, days in addresses."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from server.http.work.figures_board import board
from server.http.work.figures_drawn import HEIGHT, WIDTH, calibration, columns, curves, rows, spark
from server.http.work.figures_routes import span_of
from server.http.work.figures_told import Span, Told, duration, written

SPAN = Span("claims", date(2026, 3, 1), date(2026, 3, 10))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(None, "share", "–"), (0.1234, "share", "12.3%"), (1234567, "dollars", "$1,234,567"), (9.5, "dollars", "$9.50"),
     (1500, "documents", "1,500"), (0.0667, "documents per minute", "0.0667"), (2048, "bytes", "2.0 KB"),
     (90061, "seconds", "1 d 1 h"), (3700, "seconds", "1 h 1 min"), (61, "seconds per document", "1 min 1 s")],
)  # fmt: skip
def test_numbers_are_written_for_people(value: float | None, unit: str, text: str) -> None:
    """Shares in percent, money with its sign, time in its two largest units; what was not measured is a dash."""
    assert written(value, unit) == text


def test_short_times_keep_what_matters() -> None:
    """Below ten seconds two digits, below a minute whole seconds."""
    assert [duration(s) for s in (0.123, 9.94, 12.4, 59.6)] == ["0.12 s", "9.9 s", "12 s", "60 s"]


def test_bars_stand_on_each_other_within_the_picture() -> None:
    """Heights are as the values are; no bar leaves the picture; zero draws nothing."""
    made = columns(["a", "b"], [[10, 0], [5, 15]])
    first, second, third = made.rects
    assert first.height == pytest.approx(2 * second.height, abs=0.2) and second.y + second.height == pytest.approx(
        first.y, abs=0.2
    )
    assert third.height == pytest.approx(3 * second.height, abs=0.3)
    assert all(r.x >= 0 and r.x + r.width <= WIDTH and r.y >= 0 and r.y + r.height <= HEIGHT for r in made.rects)


@pytest.mark.parametrize("days", [1, 30, 400])
def test_words_below_an_axis_do_not_touch(days: int) -> None:
    """However many names there are, those that are shown have room, and the last is among them."""
    names = [f"{n % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(days)]
    shown = [word for word in columns(names, [[1.0] * days]).words if word.anchor == "middle"]
    assert shown[-1].text == names[-1]
    assert all(b.x - a.x >= 5 * 7 for a, b in pairwise(shown))


def test_lying_bars_have_their_names_and_numbers() -> None:
    """A long name is cut; each row tells what it comes to."""
    made = rows(["A very long name of something", "b"], [[3, 0]], ["3", "0"])
    assert [word.text for word in made.words] == ["A very long name o…", "3", "b", "0"] and len(made.rects) == 1


def test_lines_pass_over_what_is_missing() -> None:
    """A day without a value has no point; shares have an axis up to 100 %."""
    made = curves(["a", "b", "c"], [[0.5, None, 1.0]], 1.0)
    [(series, points)] = made.lines
    assert (series, len(points.split())) == (1, 2) and "100%" in [word.text for word in made.words]


def test_calibration_puts_what_is_right_on_the_diagonal() -> None:
    """A bin that keeps what it promises lies on the line from corner to corner; more decisions make a larger dot."""
    made = calibration([(0.0, 0.0, 1), (0.5, 0.5, 4), (1.0, 1.0, 9)])
    low, _, high = ((dot.x, dot.y) for dot in made.dots)
    assert made.diagonal == f"{low[0]:g},{low[1]} {high[0]:g},{high[1]}"
    assert [dot.r for dot in made.dots] == sorted(dot.r for dot in made.dots)


def test_a_spark_needs_two_values() -> None:
    """One point is no course; equal values are a flat line."""
    assert spark([1.0, None]) == ""
    assert {point.split(",")[1] for point in spark([2, 2, 2]).split()} == {"25.0"}


def test_days_of_an_address_are_made_sound() -> None:
    """Nonsense becomes the last 30 days; turned days and too many are cut."""
    today = date(2026, 3, 10)
    assert span_of("claims", {"since": "x"}, today) == Span("claims", date(2026, 2, 9), today)
    assert span_of("claims", {"since": "2026-03-20", "until": "2026-03-10"}, today).days == 1
    assert span_of("claims", {"since": "1990-01-01"}, today).days == 400
    before = SPAN.before()
    assert (before.since, before.until) == (date(2026, 2, 19), date(2026, 2, 28))


@pytest.mark.parametrize("area", ["operations", "quality", "claims", "system"])
def test_an_empty_answer_makes_a_whole_page(area: str) -> None:
    """Without any figure each tile has a dash or a zero, and no chart is drawn."""
    span = Span(area, SPAN.since, SPAN.until)
    made = board(Told({"parameter": []}, span), None)
    assert len(made.tiles) >= 4 and all(chart.drawing is None for chart in made.charts)
    assert all(tile.number.text in ("–", "0") and not tile.number.link for tile in made.tiles)


def test_a_change_for_the_better_is_told_from_one_for_the_worse() -> None:
    """More clean claims are better, more denials worse; the arrow says which way it went."""

    def told(rate: float, denied: float, span: Span) -> Told:
        parts = [("clean-claim-rate", rate), ("denial-rate", denied)]
        return Told(
            {"parameter": [{"name": "figure", "part": [
                {"name": "name", "valueCode": name}, {"name": "value", "valueDecimal": value},
                {"name": "unit", "valueString": "share"}, {"name": "rows", "valueUnsignedInt": 3}]}
                for name, value in parts]},
            span,
        )  # fmt: skip

    tiles = {one.title: one for one in board(told(0.9, 0.3, SPAN), told(0.8, 0.2, SPAN.before())).tiles}
    assert (tiles["Clean claims"].tone, tiles["Clean claims"].arrow) == ("good", "▲")
    assert (tiles["Denied"].tone, tiles["Denied"].change) == ("bad", "+10.0 points")
    assert tiles["Denied"].number.link.startswith("/work/figures/claims/rows?since=2026-03-01")
