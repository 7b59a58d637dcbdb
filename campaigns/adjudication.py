"""What a language model could change on CodiEsp's development documents, and what asking it costs.

    make campaign NAME=adjudication                  bounds: a model that is always right, and one that is always wrong
    make campaign NAME=adjudication ARGS="--ask"     the endpoint of the settings (FHIRWRIGHT_ADJUDICATION_…)

CodiEsp v4 (CC BY 4.0), English machine translation, ICD-10-CM codes by professional coders. Without an endpoint the
accuracy of a real model is not measured: the two bounds are arithmetic on the gold, not a model's work.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from campaigns.codiesp import CORPUS, documents
from extractors.adjudicate.adjudicate import Hearing, open_hearing
from extractors.adjudicate.budget import most_usage
from extractors.adjudicate.measure import Tally, micro
from extractors.adjudicate.model import Heard
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Coded
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from server.adjudication.opening import bounds_of
from server.adjudication.session import coder_of
from server.settings import Settings, read_settings

KEY = b"a key for measurements only ...."


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--ask", action="store_true", help="ask the endpoint of the settings")
    parser.add_argument("--data", type=Path, default=None, help="data directory")
    parser.add_argument("--most", type=int, default=10_000, help="documents")
    given = parser.parse_args()
    if not CORPUS.exists():
        raise SystemExit("not measured: the corpus is not beside the repository")
    mode = {"adjudication": "on"} if given.ask else {}
    settings = read_settings(data=given.data, **mode)
    pipeline = Pipeline.open(settings.data, convention="mentions")
    notes = list(documents("dev"))[: given.most]
    if given.ask:
        _show("the endpoint of the settings", _asked(settings, pipeline, notes))
        return
    print("accuracy with a real model: not measured (no endpoint)\n")
    _costs(settings, pipeline, notes)
    for name, right in (("a model that is always right", True), ("a model that is always wrong", False)):
        _show(name, _bound(settings, pipeline, notes, right=right))


Notes = list[tuple[str, set[str]]]


def _asked(settings: Settings, pipeline: Pipeline, notes: Notes) -> Tally:
    tally, coder = Tally(), coder_of(settings, pipeline)
    for text, gold in notes:
        document = from_text(text)
        findings = pipeline.find(document)
        tally.add(gold, pipeline.code(findings, document), coder.code(findings, document))
    return tally


def _hearings(settings: Settings, pipeline: Pipeline, notes: Notes) -> Iterator[tuple[Hearing | None, Any]]:
    """The hearing of each note, and (document, findings, plain codes, gold, CPU seconds of the hearing)."""
    vocabulary, bounds = Vocabulary.of(pipeline.lexicon), bounds_of(settings)
    for text, gold in notes:
        document = from_text(text)
        findings = pipeline.find(document)
        plain = pipeline.code(findings, document)
        start = time.process_time()
        hearing = open_hearing(document, plain, bounds, people=(), subject="", vocabulary=vocabulary, key=KEY)
        yield hearing, (document, findings, plain, gold, time.process_time() - start)


def _bound(settings: Settings, pipeline: Pipeline, notes: Notes, *, right: bool) -> Tally:
    tally = Tally()
    for hearing, (document, findings, plain, gold, _) in _hearings(settings, pipeline, notes):
        coded: Coded = plain
        if hearing is not None:
            heard = Heard("gold" if right else "against the gold", _said(hearing, lambda c, g=gold: (c in g) == right))
            coded = pipeline.code(findings, document, adjudication=hearing.judged(heard))
        tally.add(gold, plain, coded)
    return tally


def _said(hearing: Hearing, keep: Callable[[str], bool]) -> str:
    """An answer in the model's place: each offer decided, quoting its own words."""
    assert hearing.clean is not None
    quotes = {o.code: hearing.clean.original[slice(*o.spans[0])] for o in hearing.offers}
    said = [
        {"code": code, "quote": quote, **({"verdict": "keep", "because": "stated"} if keep(code) else _DROP)}
        for code, quote in quotes.items()
    ]
    return json.dumps({"decisions": said})


_DROP = {"verdict": "drop", "because": "other-meaning"}


def _costs(settings: Settings, pipeline: Pipeline, notes: Notes) -> None:
    seconds, sizes, offers, shut = [], [], [], 0
    for hearing, (*_, spent) in _hearings(settings, pipeline, notes):
        if hearing is None:
            continue
        seconds.append(spent)
        offers.append(len(hearing.offers))
        if hearing.question is None:
            shut += 1
            continue
        schema = len(json.dumps(hearing.question.schema))
        sizes.append(most_usage(hearing.question, 0, schema=schema).sent)
    print(f"documents {len(notes)}, with a question {len(seconds)}, gate shut {shut}")
    print(f"codes asked about: mean {statistics.mean(offers):.1f}, most {max(offers)}")
    print(f"tokens set aside for a question: median {statistics.median(sizes):.0f}, most {max(sizes)}")
    print(f"CPU to prepare a question: median {statistics.median(seconds) * 1000:.1f} ms\n")


def _show(name: str, tally: Tally) -> None:
    print(f"{name}: {tally.asked} of {tally.documents} documents, {tally.offered} codes asked about")
    for when, counts in (("without", tally.before), ("with", tally.after)):
        precision, recall, f1 = micro(counts)
        print(f"  {when:8} precision {precision:.3f}  recall {recall:.3f}  micro-F1 {f1:.3f}")
    print(f"  verdicts {dict(sorted(tally.verdicts.items()))}, undecided {dict(sorted(tally.undecided.items()))}\n")


if __name__ == "__main__":
    main()
