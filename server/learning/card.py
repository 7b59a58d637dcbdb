"""A model card for every version, as JSON and as a page (https://arxiv.org/abs/1810.03993)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from server.learning.dataset import Frozen, counts_of
from server.learning.rule import Judged

USE = (
    "Suggests ICD-10-CM codes of narratives without headers. A coder decides; notes with headers are not touched by it."
)
LIMITS = (
    "It knows what coders of this server decided and what the package's documents taught, and nothing else.",
    "Silence is no decision: documents that were decided on in part are not in it.",
    "Codes that coders added without words to prove them teach how common they are, not how they are named.",
    "A new phrase enters only when documents of three patients have it, or the tables do: rarer words are not learned.",
    "Groups of fewer than five documents are not told of; an interval that holds 0 tells nothing of a group.",
)
REPRODUCE = (
    "fhirwright learn export --version {version} --out DIR, then the stages of docs/examples/learn/dvc.yaml in DIR: the"
    " files have the hashes below as long as the documents are there."
)


def card(
    name: str,
    frozen: Frozen,
    report: Mapping[str, Any],
    judged: Sequence[Judged],
    files: Mapping[str, str],
    source: str,
) -> dict[str, Any]:
    """The card of a version, without the name of anybody and without a word of a document."""
    return {
        "version": name,
        "use": USE,
        "data": counts_of(frozen),
        "report": dict(report),
        "verdict": {"better": all(one.holds for one in judged), "conditions": [one._asdict() for one in judged]},
        "limits": list(LIMITS),
        "source": source,
        "files": dict(files),
        "reproduce": REPRODUCE.format(version=name),
    }


def page(told: Mapping[str, Any], made_at: int) -> str:
    """The card as Markdown; `made_at` is milliseconds since 1970."""
    return "\n".join(_lines(told, made_at)) + "\n"


def _lines(told: Mapping[str, Any], made_at: int) -> Iterator[str]:
    data, report = told["data"], told["report"]
    yield f"# Model {told['version']}"
    yield f"\nMade {datetime.fromtimestamp(made_at / 1000, UTC):%Y-%m-%d}. {told['use']}"
    yield f"\nSources: {told['source']}."
    yield "\n## Data\n"
    yield f"{data['documents']} documents of {data['patients']} patients, decided on whole from {data['first']} to"
    yield f"{data['cutoff']}: {data['train']} to learn from, {data['held_back']} later ones of other patients to"
    yield f"measure with (parted at {data['parted_at']}). Left out: {_told(data['left_out'])}."
    yield f"Decisions: {_told(data['decisions'])}. Dataset `{data['hash']}`, lineage `{data['lineage']}`."
    yield "\n## Figures\n"
    yield "| on | documents | champion F1 | this F1 | gain, 95 % | calibration error before, now |"
    yield "|---|---|---|---|---|---|"
    for name, key in (("later decisions", "held_back"), ("fixed documents", "regression")):
        one = report[key]
        old, new = one["champion"], one["challenger"]
        yield (
            f"| {name} | {one['documents']} | {old['f1']:.4f} | {new['f1']:.4f} | {_gain(one['gain'])} |"
            f" {old['calibration_error']:.4f}, {new['calibration_error']:.4f} |"
        )
    yield f"\nCPU time: {report['times_slower']:.2f} times the champion's."
    yield "\n## Fairness\n"
    yield "| group | documents | champion F1 | this F1 | gain, 95 % |"
    yield "|---|---|---|---|---|"
    for by, groups in report["held_back"]["groups"].items():
        for group, one in groups.items():
            f1s = f"{one['champion']['f1']:.4f} | {one['challenger']['f1']:.4f}"
            yield f"| {by} {group} | {one['documents']} | {f1s} | {_gain(one['gain'])} |"
    yield "\n## Verdict\n"
    yield "Better." if told["verdict"]["better"] else "Not better: it is not promoted."
    for one in told["verdict"]["conditions"]:
        yield f"- {one['name']}: {'yes' if one['holds'] else 'no'} ({one['found']})"
    yield "\n## Limits\n"
    yield from (f"- {limit}" for limit in told["limits"])
    yield "\n## To make it again\n"
    yield told["reproduce"] + "\n"
    yield from (f"- `{name}`: `{hash_}`" for name, hash_ in sorted(told["files"].items()))


def _gain(gain: Mapping[str, float]) -> str:
    return f"{gain['f1']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
