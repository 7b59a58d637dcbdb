"""Read generated scans at five levels of degradation and score them: `campaigns/scanbench.py [--seed N] [--codes]`.

L0 clean 300 dpi, L1 fax, L2 skewed and noisy, L3 phone photograph, L4 100 dpi JPEG. `--codes` goes on to findings,
codes and the emitted resources: a printed diagnosis counts when it is a Condition and a diagnosis of the Claim.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path

from campaigns.scanning.score import place, score_codes, score_emitted, score_ocr
from campaigns.scanning.truth import LEVELS, generate, image, truth
from extractors.findings.plausible import Ink
from extractors.pipeline import Pipeline

CER = {"L0": 0.25, "L1": 1.0, "L2": 0.35, "L3": 0.35, "L4": 0.40}
DIAGNOSES = {"L0": 100.0, "L1": 95.0, "L2": 98.0, "L3": 98.0, "L4": 95.0}
PROCEDURES = {"L0": 98.0, "L1": 95.0, "L2": 95.0, "L3": 95.0, "L4": 95.0}
VALUES = {"L0": 99.0, "L1": 96.0, "L2": 96.0, "L3": 96.0, "L4": 96.0}
UNFLAGGED, BOXES = 0.3, 99.0
CRITICAL, CRITICAL_TWICE, CRITICAL_UNFLAGGED = 99.0, 99.8, 0.1


def main() -> int:
    """Run; the exit code is 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--levels", default="L0,L1,L2,L3,L4")
    parser.add_argument("--ocr", default="auto")
    parser.add_argument("--second", default="off", help="reader of doubtful lines: off or rapidocr")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FHIRWRIGHT_DATA", "var")))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "scanbench")
    parser.add_argument("--codes", action="store_true", help="go on to findings and codes")
    parser.add_argument("--show", action="store_true", help="print what was wrong")
    options = parser.parse_args()
    folder = generate(options.folder, options.pages, options.seed)
    pipeline = Pipeline.open(options.data, second=options.second)
    print(f"{options.pages} pages a level, seed {options.seed}, second reader {options.second}")
    held = [run(level, folder, pipeline, options) for level in options.levels.split(",") if level in LEVELS]
    return 0 if all(held) else 1


def run(level: str, folder: Path, pipeline: Pipeline, options: argparse.Namespace) -> bool:
    """Read and score one level; True when its promises hold."""
    total: Counter[str] = Counter()
    worst, before = 0.0, cpu()
    for page in range(options.pages):
        data, gold = image(folder, level, page), truth(folder, page)
        document = pipeline.read(data, ocr=options.ocr)
        score = score_ocr(place(document, gold, level, data), gold, Ink(document))
        worst = max(worst, 100 * score["char errors"] / score["chars"])
        total += score
        if options.codes:
            coded = pipeline.code(pipeline.find(document), document)
            codes, wrong = score_codes(coded, gold)
            total += codes + score_emitted(document, coded, gold)
            if options.show and wrong:
                print(f"  {level}/{page:02d}", *wrong, sep="\n    ")
    seconds = (cpu() - before) / options.pages
    return report(level, total, worst, seconds, options)


def report(level: str, total: Counter[str], worst: float, seconds: float, options: argparse.Namespace) -> bool:
    """Print a level's figures beside its promises."""

    def share(part: str, whole: str) -> float:
        return 100 * total[part] / max(total[whole], 1)

    cer, boxes = share("char errors", "chars"), share("boxes right", "boxes")
    print(
        f"{level}  CER {cer:.3f} % (≤ {CER[level]})  worst page {worst:.2f}  WER {share('word errors', 'words'):.2f}  "
        f"order {share('order errors', 'chars'):.3f}  boxes {boxes:.2f} % (≥ {BOXES})  "
        f"ICD {total['icd read']}/{total['icd']}  "
        f"CPT {total['cpt read']}/{total['cpt']}  {seconds:.2f} CPU s/page",
        flush=True,
    )
    held = cer <= CER[level] and boxes >= BOXES and share("icd read", "icd") >= DIAGNOSES[level]
    held = held and report_critical(total, options.second)
    if options.codes:
        dx, px = share("dx coded", "icd"), share("px coded", "cpt")
        values, unflagged = share("values right", "values"), share("values wrong, unflagged", "values")
        print(
            f"    dx coded {dx:.1f} % (≥ {DIAGNOSES[level]})  px coded {px:.1f} % (≥ {PROCEDURES[level]})  values "
            f"{values:.2f} % (≥ {VALUES[level]})  flagged {total['values wrong, flagged']}  missing "
            f"{total['values missing']}  wrong and unflagged {unflagged:.2f} % (≤ {UNFLAGGED})",
            flush=True,
        )
        held = held and dx >= DIAGNOSES[level] and px >= PROCEDURES[level]
        held = held and values >= VALUES[level] and unflagged <= UNFLAGGED
    return held


def report_critical(total: Counter[str], second: str) -> bool:
    """Print how numbers and codes were read beside what is promised of them."""
    right, wrong = (100 * total[f"critical {how}"] / max(total["critical"], 1) for how in ("right", "unflagged"))
    least = CRITICAL_TWICE if second != "off" else CRITICAL
    print(
        f"    critical tokens {total['critical']}  right {right:.2f} % (≥ {least})  wrong and flagged "
        f"{total['critical flagged']}  lost {total['critical lost']}  wrong and unflagged {wrong:.2f} % "
        f"(≤ {CRITICAL_UNFLAGGED})  doubtful words {100 * total['doubtful'] / max(total['read'], 1):.2f} %",
        flush=True,
    )
    return right >= least and wrong <= CRITICAL_UNFLAGGED


def cpu() -> float:
    """Processor seconds of this process and its children, at work or ended."""
    from extractors.pages import children

    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + children.at_work()


if __name__ == "__main__":
    sys.exit(main())
