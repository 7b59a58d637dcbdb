"""A report of an evaluation as a page, and its calibration as a picture (https://www.w3.org/TR/SVG2/)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fhir_profiles.systems import SVG

SIDE, EDGE = 320, 40  # pixels
SHOWN = 25  # rows of a table of errors
HEADLINES = (
    ("exact", "exact code"),
    ("exact_as_printed", "code as the corpus prints it"),
    ("category", "3 characters"),
)


def page(report: Mapping[str, Any]) -> str:
    """The report in Markdown."""
    parts = ["# Evaluation", ""]
    parts += [f"- {name}: {value}" for name, value in report["made"].items()]
    for convention in ("mentions", "guidelines"):
        if figures := report.get("codes", {}).get(convention):
            parts += ["", f"## Codes, convention `{convention}`", "", *_figures(figures)]
            parts += ["", f"![Calibration](calibration-{convention}.svg)"]
            for name, title in (("by_section", "Section"), ("by_rule", "Rule")):
                parts += ["", f"### {title}: accepted codes", "", *_errors(figures.get(name, {}), title)]
            parts += ["", "### Missed because", "", *_table(("cause", "codes"), figures["missed_because"].items())]
            chapters = ((k, v["asked"], v["p"], v["r"], v["f1"]) for k, v in figures["by_chapter"].items())
            parts += ["", "### Chapter", "", *_table(("letter", "asked", "P", "R", "F1"), chapters)]
    if assertion := report.get("assertion"):
        rows = ((k, v["p"], v["r"], v["f1"]) for k, v in assertion.items() if "f1" in v)
        parts += [
            "",
            f"## Assertion, {assertion['sentences']['n']} sentences",
            "",
            *_table(("flag", "P", "R", "F1"), rows),
        ]
    for name, title in (("values", "Values"), ("rules", "Coding rules")):
        if found := report.get(name):
            parts += ["", f"## {title}", "", f"{found['right']} of {found['cases']} cases are right."]
            parts += [f"Not right: {', '.join(found['failed'])}."] if found["failed"] else []
    return "\n".join(parts) + "\n"


def _figures(figures: Mapping[str, Any]) -> Iterable[str]:
    yield from _table(
        ("micro", "P", "R", "F1"),
        ((title, *(figures[name][k] for k in ("p", "r", "f1"))) for name, title in HEADLINES),
    )
    band, evidence = figures["sure_band"], figures.get("evidence_overlap", {})
    rows = [
        ("macro F1", figures["macro_f1"]),
        ("documents with exactly the right codes", figures["documents_exact"]),
        ("expected calibration error", figures["calibration_error"]),
        ("accepted without a second look: least confidence", band["least"]),
        ("… its precision", band["p"]),
        ("… its recall", band["r"]),
        *(
            (f"precision of the surest at recall {k.removeprefix('p_at_r')}", v)
            for k, v in figures.items()
            if k.startswith("p_at_r")
        ),
        ("evidence in characters: P, R, F1", ", ".join(str(evidence.get(k, "")) for k in ("p", "r", "f1"))),
        ("right codes whose evidence touches the coder's", f"{evidence.get('touched')} of {evidence.get('compared')}"),
        ("CPU milliseconds per document", figures.get("cpu_ms_per_document", "")),
    ]  # fmt: skip
    yield ""
    yield from _table(("figure", ""), rows)


def _errors(rows: Mapping[str, Mapping[str, Any]], title: str) -> Iterable[str]:
    shown = list(rows.items())[:SHOWN]
    return _table((title.lower(), "right", "wrong", "precision"), ((k, *v.values()) for k, v in shown))


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterable[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def calibration_plot(bins: Sequence[Mapping[str, float]], title: str) -> str:
    """An SVG: what was said against what was right, a circle for each bin, as large as it has codes."""
    most = max((b["codes"] for b in bins), default=1)

    def x(p: float) -> float:
        return round(EDGE + p * SIDE, 1)

    def y(p: float) -> float:
        return round(EDGE + (1 - p) * SIDE, 1)

    points = " ".join(f"{x(b['said'])},{y(b['right'])}" for b in bins)
    circles = "".join(
        f'<circle cx="{x(b["said"])}" cy="{y(b["right"])}" r="{3 + 9 * (b["codes"] / most) ** 0.5:.1f}"'
        ' fill="#1f6feb" fill-opacity=".6">'
        f"<title>{b['codes']:.0f} codes, said {b['said']}, right {b['right']}</title></circle>"
        for b in bins
    )
    ticks = "".join(
        f'<text x="{x(p)}" y="{EDGE + SIDE + 16}" text-anchor="middle">{p:g}</text>'
        f'<text x="{EDGE - 6}" y="{y(p) + 4}" text-anchor="end">{p:g}</text>'
        for p in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    size = SIDE + 2 * EDGE
    return (
        f'<svg xmlns="{SVG}" width="{size}" height="{size}" font-size="11">'
        f"<title>{title}</title>"
        f'<rect x="{EDGE}" y="{EDGE}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#888"/>'
        f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="#888" stroke-dasharray="4"/>'
        f'<polyline points="{points}" fill="none" stroke="#1f6feb"/>{circles}{ticks}'
        f'<text x="{size / 2}" y="{size - 4}" text-anchor="middle">confidence said</text>'
        f'<text x="{EDGE}" y="{EDGE - 12}">share that is right — {title}</text></svg>\n'
    )
