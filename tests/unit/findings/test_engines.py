"""The rule files, the two engines, the optional components and what the stage promises as a whole."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys

import pytest

from campaigns import assertion as campaign
from extractors.findings import find
from extractors.findings.components import component, expansions
from extractors.findings.normalise import term
from extractors.findings.rules import CONTEXT, STATUS, expand, load, read
from extractors.findings.stage import assert_spans
from fhir_profiles.errors import Category, FhirError
from tests.unit.findings.test_assertion import CASES, FLAGS, cut

NOTE = """FAMILY CLINIC
Patient: Okafor, Maria  MRN: 12345678  DOB: 01/02/1950
HISTORY OF PRESENT ILLNESS
Type 2 diabetes and hypertension. Denies chest pain. BP 142/88, A1c 8.1%.
MEDICATIONS
lisinopril 10 mg PO daily
ALLERGIES: penicillin (rash)
ASSESSMENT
1. Hypertension (I10)
"""


@pytest.mark.parametrize("name", [CONTEXT, STATUS])
def test_rules_have_medspacy_format(name: str) -> None:
    """Known keys and directions only; no phrase belongs to two rules, for medspaCy would keep either."""
    keys = {"literal", "category", "direction", "pattern", "max_scope", "max_targets"}
    directions = {"FORWARD", "BACKWARD", "BIDIRECTIONAL", "TERMINATE", "PSEUDO"}
    seen: set[str] = set()
    for rule in read(name)["context_rules"]:
        assert set(rule) <= keys and rule["direction"] in directions
        literal = rule["literal"].lower()
        assert literal not in seen
        seen.add(literal)
        assert (
            expand(rule["pattern"])
            if "pattern" in rule
            else term(rule["literal"]) or not any(c.isalnum() for c in rule["literal"])
        )
    assert len(load(name).rules) == len(seen)


def test_patterns_expand() -> None:
    """A finite pattern becomes its phrases; an infinite one is refused."""
    assert expand(r"\b(?:past )?history (?:is|was) of\b") == [
        "history is of",
        "history was of",
        "past history is of",
        "past history was of",
    ]
    with pytest.raises(ValueError, match="not finite"):
        expand(r"no .* of")


def test_engines_agree_on_sentences(document) -> None:
    """medspaCy itself answers our own cases as the compiled executor does, nearly everywhere.

    They may part where a plural, a hyphen or a punctuation mark makes two tokens of spaCy's of one of ours.
    """
    apart = []
    for marked, _ in CASES:
        text, span = cut(marked)
        ours, theirs = (assert_spans(document(text), [span], engine=e)[0] for e in ("compiled", "medspacy"))
        if any(getattr(ours, f) != getattr(theirs, f) for f in FLAGS):
            apart.append(marked)
    assert len(apart) <= 0.05 * len(CASES), apart


@pytest.mark.skipif(not campaign.CORPUS.exists(), reason="needs ../shared/corpus/assertion_negex.jsonl")
def test_engines_agree_on_the_corpus() -> None:
    """At least 98 % of the development sentences get the same assertion from both engines."""
    rows = campaign.rows("seen")[::3]
    same = sum(
        all(getattr(campaign.predict(r, "compiled"), f) == getattr(campaign.predict(r, "medspacy"), f) for f in FLAGS)
        for r in rows
    )
    assert same >= 0.98 * len(rows)


@pytest.mark.skipif(not campaign.CORPUS.exists(), reason="needs ../shared/corpus/assertion_negex.jsonl")
def test_development_scores_hold() -> None:
    """The scores on the development half do not fall."""
    scores = campaign.score(campaign.rows("seen"))
    assert scores["negated"][2] >= 0.98 and scores["historical"][2] >= 0.75 and scores["hypothetical"][2] >= 0.9


def test_medspacy_finds_the_same_things(document, lexicon) -> None:
    """The engine decides on assertion only: findings, spans and attributes are the same."""
    ours, theirs = find(document(NOTE), lexicon), find(document(NOTE), lexicon, engine="medspacy")
    assert [(f.kind, f.start, f.end, f.attributes) for f in ours.items] == [
        (f.kind, f.start, f.end, f.attributes) for f in theirs.items
    ]


def test_find_needs_no_spacy() -> None:
    """The compiled engine imports nothing of spaCy's family."""
    program = (
        "import sys; from extractors.findings import find; from extractors.findings.stage import assert_spans;"
        "from extractors.model import Document;"
        "assert assert_spans(Document('No fever.', 'text/plain', ''), [(3, 8)])[0].negated;"
        "assert not {m for m in sys.modules if m.split('.')[0] in ('spacy', 'medspacy', 'scispacy', 'loguru')}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_offsets_are_verbatim(document, lexicon) -> None:
    """Every finding's text, and every trigger, is a slice of the document."""
    findings = find(document(NOTE), lexicon)
    assert {"problem", "medication", "vital", "lab", "code", "allergy"} <= {f.kind for f in findings.items}
    for f in findings.items:
        assert NOTE[f.start : f.end] == f.text and f.start < f.end
        assert all(0 <= a < b <= len(NOTE) for a, b, _ in f.assertion.triggers)
    assert [f.start for f in findings.items] == sorted(f.start for f in findings.items)


def test_find_is_pure(document, lexicon) -> None:
    """The same document gives the same findings, and they travel between processes."""
    first = find(document(NOTE), lexicon)
    assert first == find(document(NOTE), lexicon)
    assert pickle.loads(pickle.dumps(first.items[0].assertion)) == first.items[0].assertion


def test_noise_does_no_harm(document, lexicon) -> None:
    """Notes with characters torn out, doubled or shuffled never make the stage raise."""
    rnd = random.Random(7)
    for _ in range(60):
        letters = list(NOTE)
        for _ in range(40):
            i = rnd.randrange(len(letters))
            letters[i] = rnd.choice(["", letters[i] * 2, "\n", "\t", ".", "9", "–", "\f", "İ", "("])
        text = "".join(letters)
        for f in find(document(text), lexicon).items:
            assert text[f.start : f.end] == f.text


def test_abbreviations_of_the_document(document, lexicon) -> None:
    """scispaCy reads "chronic kidney disease (ESKD2)" and the short form is a problem from then on."""
    text = "She has chronic kidney disease (CRKD). CRKD is stable."
    assert expansions(document(text)) == {"CRKD": "chronic kidney disease"}
    plain = [f.text for f in find(document(text), lexicon).items]
    expanded = [f.text for f in find(document(text), lexicon, components=["scispacy_abbreviations"]).items]
    assert "CRKD" not in plain and expanded.count("CRKD") == 2


@pytest.mark.parametrize(
    ("name", "category", "words"),
    [
        ("wordnet", Category.UNSUPPORTED, "scispacy_abbreviations"),
        ("spacy_ner:en_none_sm", Category.UNAVAILABLE, "en_none_sm"),
        ("spacy_ner", Category.UNAVAILABLE, "colon"),
    ],
)
def test_missing_components_say_what_is_missing(name: str, category: Category, words: str) -> None:
    """An unknown component or a model that is not installed is an error that a person can act on."""
    with pytest.raises(FhirError, match=words) as caught:
        component(name)
    assert caught.value.category is category
