"""The report on a model, for people: what it was learned from, and how it does on claims that came later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MEASURES = {
    "auc": "AUC (0.5 is a coin, 1 is never wrong in order)", "average_precision": "average precision",
    "ece": "expected calibration error", "brier": "Brier score",
}  # fmt: skip


def page(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    first, last = report["days"]
    lines = [
        "# Learned help for claims", "",
        f"Model {report['file']}. {report['claims']:,} claims with {report['lines']:,} lines, {first} to {last}; "
        f"{report['refused']:,} could not be read.", "",
    ]  # fmt: skip
    if "model" not in report:
        return "\n".join([*lines, f"Denials: {report['denial']}."]) + "\n"
    rate = report["base rate"]
    lines += [
        f"{report['decided']:,} have a payer's decision, {report['denied']:,} were denied, wholly or in a line. "
        f"Learned from the {report['trained']:,} before {report['first tested day']}, tested on the "
        f"{report['tested']:,} from then on. Denied: {rate['earlier']:.1%} of the earlier, "
        f"{rate['later']:.1%} of the later ones.", "",
        "| on the later claims | model | payer × code alone |", "|---|---|---|",
    ]  # fmt: skip
    for name, words in _MEASURES.items():
        lines.append(f"| {words} | {_told(report['model'][name])} | {_told(report['baseline'][name])} |")
    lines += ["", "In brackets: 95 % of 500 resamples.", "", "| payer | later claims | denied | expected | AUC |"]
    lines.append("|---|---|---|---|---|")
    for one in report["payers"]:
        area = "" if one["auc"] is None else f"{one['auc']:.3f}"
        payer = str(one["payer"]).replace("|", "\\|")
        lines.append(f"| {payer} | {one['claims']:,} | {one['denied']:.1%} | {one['expected']:.1%} | {area} |")
    lines += ["", "| feature | moves the log-odds by, on average |", "|---|---|"]
    lines += [f"| {name} | {weight:.3f} |" for name, weight in report["features"].items()]
    return "\n".join(lines) + "\n"


def _told(measure: list[float]) -> str:
    value, low, high = measure
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
